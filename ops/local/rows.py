"""What goes on, a row each: rows that move in a terminal, a line for each change in a pipe."""

import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

REDRAWS_PER_SECOND = 10
#: How a word for a state is coloured; the others are plain.
COLOURS = {"running": "cyan", "in_doubt": "yellow", "succeeded": "green"}


@dataclass(slots=True)
class Row:
    """One thing that goes on. Only `Rows` changes it."""

    name: str
    state: str = ""
    #: Out of 100.
    progress: int = 0
    #: How it ended; None while it goes on.
    well: bool | None = None
    began: float = field(default_factory=time.monotonic)
    ended: float | None = None

    @property
    def seconds(self) -> float:
        return (self.ended or time.monotonic()) - self.began


class Rows:
    """
    Rows under each other, in the order in which they were added, for as long as the block lasts.

    With `bars`, a row has a progress bar.
    """

    def __init__(self, console: Console, *, bars: bool = False) -> None:
        self._console = console
        self._bars = bars
        self._rows: list[Row] = []
        self._spinner = Spinner("dots", style="cyan")
        self._left = False
        moves = console.is_terminal and not console.is_dumb_terminal
        self._live = (
            Live(console=console, get_renderable=self._table, refresh_per_second=REDRAWS_PER_SECOND)
            if moves
            else None
        )

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._left = True
        if self._live:
            self._live.stop()

    def add(self, name: str, state: str = "") -> Row:
        """A row that begins now."""
        row = Row(name, state)
        self._rows.append(row)
        return row

    def show(self, row: Row, state: str, progress: int = 0) -> None:
        """What it is doing now, in a few words, and how much of it is done."""
        changed = state != row.state
        row.state, row.progress = state, progress
        if changed and not self._live:
            self._say(row)

    def end(self, row: Row, state: str, *, well: bool = True) -> None:
        """How it ended. What ended badly keeps the progress it had made."""
        row.ended = time.monotonic()
        row.well = well
        self.show(row, state, 100 if well else row.progress)

    def _say(self, row: Row) -> None:
        width = max(len(each.name) for each in self._rows)
        line = f"{row.seconds:5.1f} s  {row.name:{width}}  {row.state}"
        self._console.print(line, soft_wrap=True)

    def _table(self) -> Table:
        table = Table.grid(padding=(0, 1), pad_edge=True)
        table.add_column(width=1)
        table.add_column(no_wrap=True)
        if self._bars:
            table.add_column(width=20)
        table.add_column(no_wrap=True, overflow="ellipsis")
        table.add_column(justify="right", no_wrap=True, style="dim")
        for row in self._rows:
            bar = (ProgressBar(total=100, completed=row.progress),) if self._bars else ()
            state = Text(row.state, style=COLOURS.get(row.state, ""))
            table.add_row(self._mark(row), row.name, *bar, state, f"{row.seconds:.1f} s")
        return table

    def _mark(self, row: Row) -> Text | Spinner:
        match row.well:
            case True:
                return Text("✓", style="green")
            case False:
                return Text("✗", style="red")
            case None:
                return Text("·", style="dim") if self._left else self._spinner
