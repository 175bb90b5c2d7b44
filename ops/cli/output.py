"""What commands print: tables for people, JSON for programs."""
# ruff: noqa: PLC0415  (rich is loaded by the commands that draw something)

import json
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Any
from unicodedata import category

import typer

if TYPE_CHECKING:
    from rich.console import Console

#: The option that every command with something to read has.
AsJson = Annotated[bool, typer.Option("--json", help="print JSON, for programs")]

#: Wide enough that nothing is cut where no person looks.
WIDTH_IN_A_PIPE = 250


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
    width = None if stream.isatty() else WIDTH_IN_A_PIPE
    return Console(file=stream, width=width, markup=False, highlight=False, emoji=False)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, empty: str) -> None:
    """A table; where there are no rows, a sentence instead."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(plain(cell) for cell in row))
    if table.row_count:
        console().print(table)
    else:
        typer.echo(empty)


def plain(text: str) -> str:
    """Text of somebody else's without what could move a terminal's cursor."""
    return "".join(
        "�" if category(letter) == "Cc" and letter != "\n" else letter for letter in text
    )


def print_fields(fields: Iterable[tuple[str, str]]) -> None:
    """Names and values, one under the other; what is empty is left out."""
    from rich.table import Table

    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in fields:
        if value:
            table.add_row(plain(name), plain(value))
    console().print(table)
