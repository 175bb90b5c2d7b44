"""`genq operations`: what can be ordered, and how each order is written."""

# ruff: noqa: PLC0415  (the HTTP client is loaded by the commands that call)

import json
import shlex
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

import typer

from ops.cli.assignments import Schema, types_of
from ops.cli.connection import KeyOption, UrlOption, calling
from ops.cli.ending import Code, Stop
from ops.cli.output import AsJson, plain, print_fields, print_json, print_table

if TYPE_CHECKING:
    from genq import Client
    from genq.job import Document


def register(app: typer.Typer) -> None:
    app.command(rich_help_panel="Order and watch")(operations)


def operations(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="one of them, as kling.text2video")
    ] = None,
    *,
    as_json: AsJson = False,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """List what can be ordered; with a NAME, the fields of that one and an example."""
    with calling(url, key) as client:
        found = find(client, name) if name else None
        known: list[Document] = [] if found else client.document("/v1/operations")["data"]
    if found is not None:
        print_json(found) if as_json else print_one(found)
    elif name is not None:
        names = ", ".join(full_name(each) for each in known)
        raise Stop(f"there is no operation {name!r}; there are {names}", Code.USAGE)
    else:
        print_json(known) if as_json else print_all(known)


def find(client: "Client", name: str) -> "Document | None":
    """The operation of that full name; None where the API knows none."""
    from genq import NotFound

    provider, _, operation = (quote(part, safe="") for part in name.partition("."))
    if not (provider and operation):
        return None
    try:
        return client.document(f"/v1/operations/{provider}/{operation}")
    except NotFound:
        return None


def full_name(operation: "Document") -> str:
    return f"{operation['provider']}.{operation['name']}"


def print_all(known: "list[Document]") -> None:
    rows = [
        (full_name(each), ", ".join(each["stations"]) or "nobody here sells it", each["summary"])
        for each in known
    ]
    print_table(("operation", "stations", "what it makes"), rows, empty="genq knows no operation")


def print_one(operation: "Document") -> None:
    print_fields(
        [
            ("operation", full_name(operation)),
            ("what it makes", operation["summary"]),
            ("stations", ", ".join(operation["stations"]) or "nobody here sells it"),
        ]
    )
    columns = ("field", "takes", "default", "")
    print_table(columns, fields_of(operation["input_schema"]), empty="it has no fields")
    typer.echo(f"Example: {plain(example(operation))}")


def fields_of(schema: Schema) -> list[tuple[str, str, str, str]]:
    """Each field's name, types, default, and what else its schema says."""
    required: list[str] = schema.get("required", [])
    definitions: dict[str, Schema] = schema.get("$defs", {})
    return [
        (
            name,
            takes(each, definitions),
            "required" if name in required else default_of(each),
            str(each.get("description", "")),
        )
        for name, each in schema.get("properties", {}).items()
    ]


def takes(schema: Schema, definitions: dict[str, Schema]) -> str:
    """The values that fit where there are few, else their types."""
    members: list[Schema] = schema.get("anyOf", [schema])
    values = [value for member in members for value in member.get("enum", [])]
    if values:
        return " | ".join(str(value) for value in values)
    return " or ".join(sorted(types_of(schema, definitions) - {"null"})) or "anything"


def default_of(schema: Schema) -> str:
    default: Any = schema.get("default")
    return "" if default is None else json.dumps(default, ensure_ascii=False)


def example(operation: "Document") -> str:
    """A command that works, ready for a shell."""
    given = [
        shlex.quote(f"{name}={value if isinstance(value, str) else json.dumps(value)}")
        for name, value in operation["example"].items()
    ]
    return " ".join(["genq", "submit", full_name(operation), *given])
