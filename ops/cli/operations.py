"""`genq operations`: list operations and their input fields."""

# ruff: noqa: PLC0415  (the HTTP client is loaded by the commands that call)

import json
import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

import typer

from ops.cli.completion import complete_operation
from ops.cli.connection import KeyOption, UrlOption, api_client
from ops.cli.exit_codes import CliError, ExitCode
from ops.cli.key_value_arguments import Schema, json_types
from ops.cli.output import AsJson, print_fields, print_json, print_table, printable

if TYPE_CHECKING:
    from genq import Client
    from genq.job import Document


def register(app: typer.Typer) -> None:
    app.command(rich_help_panel="Submit and watch jobs")(operations)


def operations(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME",
            help="a provider, or one operation such as kling.text2video",
            autocompletion=complete_operation,
        ),
    ] = None,
    *,
    as_json: AsJson = False,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """List all operations or those of a provider; show fields and an example of one."""
    with api_client(url, key) as client:
        found = find(client, name) if name else None
        known: list[Document] = [] if found else client.document("/v1/operations")["data"]
    if found is not None:
        print_json(found) if as_json else print_one(found)
        return
    if name is not None:
        known = operations_of(name, known)
    print_json(known) if as_json else print_all(known)


def find(client: "Client", name: str) -> "Document | None":
    """Return the operation with this full name; None if the API does not know it."""
    from genq import NotFound

    provider, _, operation = (quote(part, safe="") for part in name.partition("."))
    if not (provider and operation):
        return None
    try:
        return client.document(f"/v1/operations/{provider}/{operation}")
    except NotFound:
        return None


def schema_of(client: "Client", operation: str) -> Schema:
    """Return the schema of an operation's input; empty if the API does not know it."""
    found = find(client, operation)
    return found["input_schema"] if found else {}


def operations_of(name: str, known: "list[Document]") -> "list[Document]":
    """Return the operations of this provider. Raises `CliError` if it is unknown."""
    if own := [each for each in known if each["provider"] == name]:
        return own
    raise CliError(unknown_operation(name, [full_name(each) for each in known]), ExitCode.USAGE)


def unknown_operation(name: str, known: Sequence[str]) -> str:
    """Return the error for an unknown name, with the closest match and alternatives."""
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
        (full_name(each), ", ".join(each["stations"]) or "no station offers it", each["summary"])
        for each in known
    ]
    print_table(("operation", "stations", "result"), rows, empty="there are no operations")


def print_one(operation: "Document") -> None:
    print_fields(
        [
            ("operation", full_name(operation)),
            ("result", operation["summary"]),
            ("stations", ", ".join(operation["stations"]) or "no station offers it"),
        ]
    )
    columns = ("field", "takes", "default", "")
    print_table(columns, fields_of(operation["input_schema"]), empty="it has no fields")
    typer.echo(f"Example: {printable(example(operation))}")


def fields_of(schema: Schema) -> list[tuple[str, str, str, str]]:
    """Return each field's name, types, default and description."""
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
    """Return the allowed values if there are few, else the types."""
    members: list[Schema] = schema.get("anyOf", [schema])
    values = [value for member in members for value in member.get("enum", [])]
    if values:
        return " | ".join(str(value) for value in values)
    return " or ".join(sorted(json_types(schema, definitions) - {"null"})) or "anything"


def default_of(schema: Schema) -> str:
    default: Any = schema.get("default")
    return "" if default is None else json.dumps(default, ensure_ascii=False)


def example(operation: "Document") -> str:
    """Return a working command, quoted for a shell."""
    given = [
        shlex.quote(f"{name}={value if isinstance(value, str) else json.dumps(value)}")
        for name, value in operation["example"].items()
    ]
    return " ".join(["genq", "submit", full_name(operation), *given])
