"""Lays out tables without breaking words. Pure."""

from collections.abc import Iterator, Sequence
from functools import partial

from rich.cells import cell_len, set_cell_size

GAP = "  "
INDENT = "  "
ELLIPSIS = "…"
#: Minimum width of a truncated column.
MIN_CUT_WIDTH = 16

Row = Sequence[str]


def table_lines(
    columns: Row, rows: Sequence[Row], width: int | None, cut: Sequence[str] = ()
) -> Iterator[str]:
    """Yield a header line and one line or more per row.

    Text that is too wide continues below, word by word; columns named in `cut` are truncated
    instead. If even the longest words do not fit, each row is printed as several lines of names and
    values. `width` None: no limit.
    """
    natural = [max(map(cell_len, column)) for column in zip(columns, *rows, strict=True)]
    least = [
        min(MIN_CUT_WIDTH, natural[index]) if name in cut else longest_word([name, *column])
        for index, (name, *column) in enumerate(zip(columns, *rows, strict=True))
    ]
    available = None if width is None else width - len(GAP) * (len(columns) - 1)
    if available is not None and sum(least) > available:
        for row in rows:
            yield from stacked_lines(columns, row, width or 0)
        return
    widths = natural if available is None else shrink_widths(natural, least, available)
    head = [padded(name, size) for name, size in zip(columns, widths, strict=True)]
    yield GAP.join(head).rstrip()
    for row in rows:
        yield from joined_lines([*map(partial(cell_lines, cut), columns, row, widths)], widths)


def cell_lines(cut: Sequence[str], name: str, cell: str, size: int) -> list[str]:
    """Return the lines of one cell."""
    return [truncated(cell, size)] if name in cut else wrapped(cell, size)


def shrink_widths(natural: Sequence[int], least: Sequence[int], available: int) -> list[int]:
    """Return widths that fit: repeatedly narrow the widest column that can shrink."""
    widths = list(natural)
    while sum(widths) > available:
        slack = [index for index, size in enumerate(widths) if size > least[index]]
        widths[max(slack, key=widths.__getitem__)] -= 1
    return widths


def stacked_lines(columns: Row, row: Row, width: int) -> Iterator[str]:
    """Yield the first cell and the others with their names, as many per line as fit."""
    line = row[0]
    for name, cell in zip(columns[1:], row[1:], strict=True):
        if not cell:
            continue
        named = f"{name} {cell}" if name else cell
        if cell_len(line) + len(GAP) + cell_len(named) <= width:
            line += GAP + named
        else:
            yield line
            line = INDENT + named
    yield line


def joined_lines(cells: Sequence[Sequence[str]], widths: Sequence[int]) -> Iterator[str]:
    """Yield cells of one or more lines, side by side."""
    for number in range(max(map(len, cells))):
        parts = [cell[number] if number < len(cell) else "" for cell in cells]
        yield GAP.join(map(padded, parts, widths)).rstrip()


def wrapped(text: str, size: int) -> list[str]:
    """Break the text between words into lines of at most this size."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines[-1] else word
        if cell_len(longer) <= size:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def truncated(text: str, size: int) -> str:
    return text if cell_len(text) <= size else set_cell_size(text, size - 1) + ELLIPSIS


def padded(text: str, size: int) -> str:
    return text + " " * (size - cell_len(text))


def longest_word(cells: Sequence[str]) -> int:
    return max((cell_len(word) for cell in cells for word in cell.split()), default=0)
