"""Output of commands: tables for people, JSON for programs."""
# ruff: noqa: PLC0415  (commands that draw import rich)

import json
import sys
from collections.abc import Iterable, Sequence
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Annotated, Any
from unicodedata import category

import typer

if TYPE_CHECKING:
    from rich.console import Console

#: The option of every command that prints results.
AsJson = Annotated[bool, typer.Option("--json", help="print JSON")]


def print_json(document: Any) -> None:
    """Print a JSON document in UTF-8, whatever the terminal's encoding."""
    write(json.dumps(document, ensure_ascii=False, indent=2))


def print_json_line(document: Any) -> None:
    """Print a JSON document on one line, for commands that print several."""
    write(json.dumps(document, ensure_ascii=False))


def write(text: str) -> None:
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode("utf-8", "replace") + b"\n")
    sys.stdout.buffer.flush()


def console(*, stderr: bool = False) -> "Console":
    """Return a console without markup and highlighting."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    return Console(file=stream, markup=False, highlight=False, emoji=False)


def print_table(
    columns: Sequence[str], rows: Iterable[Sequence[str]], *, empty: str, cut: Sequence[str] = ()
) -> None:
    """Print a table, or the text `empty` if there are no rows.

    On a terminal the table fits its width and the columns named in `cut` are truncated; in a pipe
    nothing is. Words such as ids are never broken.
    """
    from ops.cli.table import table_lines

    cells = [[" ".join(printable(cell).split()) for cell in row] for row in rows]
    width = get_terminal_size().columns if sys.stdout.isatty() else None
    for line in table_lines(columns, cells, width, cut) if cells else [empty]:
        typer.echo(line)


def printable(text: str) -> str:
    """Replace control characters, which could move the terminal's cursor."""
    return "".join(
        "�" if category(letter) == "Cc" and letter != "\n" else letter for letter in text
    )


def print_fields(fields: Iterable[tuple[str, str]]) -> None:
    """Print names and values, one per line, without empty values.

    Long values are wrapped by the terminal only, so that they can be copied whole.
    """
    shown = [(printable(name), printable(value)) for name, value in fields if value]
    width = max((len(name) for name, _ in shown), default=0)
    for name, value in shown:
        first, *more = value.split("\n")
        typer.echo(f"{typer.style(f'{name:<{width}}', bold=True)}  {first}")
        for line in more:
            typer.echo(f"{'':<{width}}  {line}")
