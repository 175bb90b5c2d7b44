"""Markdown that generated pages are made of."""

from collections.abc import Iterable, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of one line per row. Returns an empty text where there are no rows."""
    lines = [line(row) for row in rows]
    if not lines:
        return ""
    return "\n".join([line(head), line(["---"] * len(head)), *lines]) + "\n"


def line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell(each) for each in cells) + " |"


def cell(text: str) -> str:
    """One line, in which a bar does not end the cell."""
    return " ".join(text.split()).replace("|", "\\|")


def code(text: str) -> str:
    return f"`{text}`" if text else ""
