"""`genq submit`: an order, made of the command line."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from ops.cli.assignments import read_assignments, read_json, split
from ops.cli.connection import PATIENCE, PATIENCE_WHILE_WAITING, KeyOption, UrlOption, calling
from ops.cli.ending import Code, Stop
from ops.cli.operations import find
from ops.cli.output import AsJson, plain, print_json
from ops.cli.waiting import TimeoutOption, wait_for

if TYPE_CHECKING:
    from genq import Client
    from genq.job import Document


def register(app: typer.Typer) -> None:
    app.command(rich_help_panel="Order and watch")(submit)


def submit(
    operation: Annotated[
        str, typer.Argument(metavar="OPERATION", help="as genq operations lists it")
    ],
    assignments: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME=VALUE", help="the fields of the operation's input"),
    ] = None,
    *,
    input_file: Annotated[
        str | None,
        typer.Option("--input", metavar="FILE", help="a JSON object with fields; - for stdin"),
    ] = None,
    webhook: Annotated[
        str | None, typer.Option(metavar="URL", help="where to tell how the job ended")
    ] = None,
    metadata: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="yours; comes back with the job")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="wait for the job's end")] = False,
    timeout: TimeoutOption = None,
    as_json: AsJson = False,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """
    Order a job. It is accepted, and durable, when this command prints its id.

    Example: genq submit kling.text2video prompt="a paper boat" duration=5 --wait

    Values that are JSON are read as JSON where the field takes more than text.
    """
    check_operation(operation)
    given = read_input(input_file)
    with calling(url, key, PATIENCE_WHILE_WAITING if wait else PATIENCE) as client:
        typed = read_assignments(assignments or (), schema_of(client, operation))
        accepted = client.submit(
            operation,
            given | typed,
            webhook=webhook,
            metadata=dict(split(each) for each in metadata or ()),
        )
        if not wait:
            show_accepted(accepted.document, as_json=as_json)
            return
        typer.echo(f"accepted {accepted.id}", err=True)
        wait_for(client, [accepted.id], timeout, as_json=as_json)


def show_accepted(document: "Document", *, as_json: bool) -> None:
    if as_json:
        print_json(document)
        return
    typer.echo(plain(document["id"]))
    typer.echo(f"accepted; to wait for it: genq wait {plain(document['id'])}", err=True)


def check_operation(operation: str) -> None:
    provider, _, name = operation.partition(".")
    if not (provider and name):
        raise Stop(
            f"{operation!r} is not provider.operation, as in kling.text2video: see genq operations",
            Code.USAGE,
        )


def read_input(file: str | None) -> dict[str, Any]:
    """The object in a file, or on standard input for `-`."""
    if file is None:
        return {}
    source = "standard input" if file == "-" else file
    try:
        content = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        document = read_json(content)
    except OSError as error:
        raise Stop(f"{source} cannot be read: {error.strerror}", Code.USAGE) from None
    except ValueError as error:
        raise Stop(f"{source} is not JSON: {error}", Code.USAGE) from None
    if not isinstance(document, dict):
        raise Stop(f'{source} is not a JSON object, as {{"prompt": "a cat"}} is', Code.USAGE)
    return cast(dict[str, Any], document)


def schema_of(client: "Client", operation: str) -> Mapping[str, Any]:
    """The schema of an operation's input; empty for one unknown to the API, which will say so."""
    found = find(client, operation)
    return found["input_schema"] if found else {}
