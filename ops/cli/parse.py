"""`genq parse`: show how genq reads a station's response."""
# ruff: noqa: PLC0415  (providers are imported only when needed)

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ops.cli.completion import complete_provider
from ops.cli.exit_codes import CliError, ExitCode
from ops.cli.operations import unknown_operation
from ops.cli.output import print_json

if TYPE_CHECKING:
    from generation.contract.inspect_reply import Kind
    from generation.contract.operation import Operation


def register(app: typer.Typer) -> None:
    app.command(rich_help_panel="Operate")(parse)


def parse(
    *,
    provider: Annotated[str, typer.Option(help="such as kling", autocompletion=complete_provider)],
    operation: Annotated[str, typer.Option(help="such as text2video")],
    kind: Annotated[str, typer.Option(help="submit, query, batch_query, find or cancel")],
    dialect: Annotated[
        str | None,
        typer.Option(help="such as kling.v1", show_default="the first with this operation"),
    ] = None,
    status: Annotated[
        int, typer.Option(min=100, max=599, help="HTTP status of the response")
    ] = 200,
    job: Annotated[
        str, typer.Option(metavar="ID", help="for find: the job whose id the task references")
    ] = "",
) -> None:
    """Read a station's response body from standard input and print how genq reads it, as JSON.

    Example: genq parse --provider kling --operation text2video --kind query < answer.json

    "state": null means that the response says nothing about a task; "error" says why.
    """
    from generation.contract.inspect_reply import describe
    from generation.contract.operation import Order
    from generation.contract.reply import Reply

    spoken = operation_of(provider, operation, dialect)
    asked = reply_kind(kind)
    reply = Reply(status, sys.stdin.buffer.read())
    print_json(describe(spoken, asked, reply, Order(job_id=job)))


def operation_of(provider: str, name: str, dialect: str | None) -> "Operation[Any]":
    """Return the operation. Raises `CliError`, with known names, if it is unknown."""
    from generation import providers

    spoken = providers.dialects(provider, name)
    if not spoken:
        raise CliError(unknown_operation(f"{provider}.{name}", providers.names()), ExitCode.USAGE)
    found = providers.find(provider, name, dialect or spoken[0])
    if found is None:
        raise CliError(
            f"{provider} {name} has no dialect {dialect!r}; it has {', '.join(spoken)}",
            ExitCode.USAGE,
        )
    return found


def reply_kind(name: str) -> "Kind":
    from generation.contract.inspect_reply import Kind

    try:
        return Kind(name)
    except ValueError:
        raise CliError(
            f"there is no kind {name!r}; there are {', '.join(Kind)}", ExitCode.USAGE
        ) from None
