"""`genq operations`: what can be ordered, and how each order is written."""

# ruff: noqa: PLC0415  (the HTTP client is loaded by the commands that call)

import json
import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

import typer

from ops.cli.assignments import Schema, types_of
from ops.cli.completion import complete_operation
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
        str | None,
        typer.Argument(
            metavar="NAME",
            help="a provider, or one operation, as kling.text2video",
            autocompletion=complete_operation,
        ),
    ] = None,
    *,
    as_json: AsJson = False,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """
    List what can be ordered, of a provider where its name is given; for one operation, show its
    fields and an example.
    """
    with calling(url, key) as client:
        found = find(client, name) if name else None
        known: list[Document] = [] if found else client.document("/v1/operations")["data"]
    if found is not None:
        print_json(found) if as_json else print_one(found)
        return
    if name is not None:
        known = of_provider(name, known)
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


def schema_of(client: "Client", operation: str) -> Schema:
    """The schema of an operation's input; empty for one unknown to the API, which will say so."""
    found = find(client, operation)
    return found["input_schema"] if found else {}


def of_provider(name: str, known: "list[Document]") -> "list[Document]":
    """The operations of this provider. Raises `Stop` where `name` is none."""
    if own := [each for each in known if each["provider"] == name]:
        return own
    raise Stop(unknown(name, [full_name(each) for each in known]), Code.USAGE)


def unknown(name: str, known: Sequence[str]) -> str:
    """What to say of a name that is no operation: what was meant, and what its provider has."""
    from api.http.validation_errors import no_such, no_such_operation

    provider, _, operation = name.partition(".")
    own = [each.partition(".")[2] for each in known if each.startswith(f"{provider}.")]
    if own:
        return no_such_operation(provider, operation, own)
    return no_such(f"provider {provider!r}", provider, sorted({n.partition(".")[0] for n in known}))


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
