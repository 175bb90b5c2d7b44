"""What commands print: tables for people, JSON for programs."""
# ruff: noqa: PLC0415  (rich is loaded by the commands that draw something)

import json
import sys
from collections.abc import Iterable, Sequence
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Annotated, Any
from unicodedata import category

import typer

if TYPE_CHECKING:
    from rich.console import Console

#: The option that every command with something to read has.
AsJson = Annotated[bool, typer.Option("--json", help="print JSON, for programs")]


def print_json(document: Any) -> None:
    """One JSON document, in UTF-8 whatever the terminal's language."""
    write(json.dumps(document, ensure_ascii=False, indent=2))


def print_json_line(document: Any) -> None:
    """One JSON document on one line, for commands that print several."""
    write(json.dumps(document, ensure_ascii=False))


def write(text: str) -> None:
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode("utf-8", "replace") + b"\n")
    sys.stdout.buffer.flush()


def console(*, stderr: bool = False) -> "Console":
    """A console that takes text as it is: no markup, no highlighting."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    return Console(file=stream, markup=False, highlight=False, emoji=False)


def print_table(
    columns: Sequence[str], rows: Iterable[Sequence[str]], *, empty: str, cut: Sequence[str] = ()
) -> None:
    """
    A table, as wide as the terminal or, in a pipe, as it needs to be; where there are no rows, a
    sentence instead. Words such as ids are never broken. A terminal cuts the columns named in `cut`
    short; a pipe gets everything.
    """
    from ops.cli.table import table_lines

    cells = [[" ".join(printable(cell).split()) for cell in row] for row in rows]
    width = get_terminal_size().columns if sys.stdout.isatty() else None
    for line in table_lines(columns, cells, width, cut) if cells else [empty]:
        typer.echo(line)


def printable(text: str) -> str:
    """Text of somebody else's without what could move a terminal's cursor."""
    return "".join(
        "�" if category(letter) == "Cc" and letter != "\n" else letter for letter in text
    )


def print_fields(fields: Iterable[tuple[str, str]]) -> None:
    """
    Names and values, one under the other; what is empty is left out. A long value is left to the
    terminal to wrap, so that it can be copied as a whole.
    """
    shown = [(printable(name), printable(value)) for name, value in fields if value]
    width = max((len(name) for name, _ in shown), default=0)
    for name, value in shown:
        first, *more = value.split("\n")
        typer.echo(f"{typer.style(f'{name:<{width}}', bold=True)}  {first}")
        for line in more:
            typer.echo(f"{'':<{width}}  {line}")
