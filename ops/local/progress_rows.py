"""Progress as rows: live rows in a terminal, a line per change in a pipe."""

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
#: Leaves room in 80 columns for the ^C that a terminal echoes.
BAR_WIDTH = 14
#: Width of names in a pipe, where the longest name is not known yet.
PLAIN_NAME_WIDTH = 10
#: Colours of states; others are plain.
COLOURS = {"running": "cyan", "in_doubt": "yellow", "succeeded": "green"}


@dataclass(slots=True)
class ProgressRow:
    """One activity. Only `ProgressRows` changes it."""

    name: str
    state: str = ""
    #: Percent; None if unknown.
    progress: int | None = 0
    #: Whether it succeeded; None while it runs.
    well: bool | None = None
    began: float = field(default_factory=time.monotonic)
    ended: float | None = None

    @property
    def seconds(self) -> float:
        return (self.ended or time.monotonic()) - self.began


class ProgressRows:
    """Rows in the order in which they were added, during the block.

    With `bars`, each row has a progress bar.
    """

    def __init__(self, console: Console, *, bars: bool = False) -> None:
        self._console = console
        self._bars = bars
        self._rows: list[ProgressRow] = []
        self._spinner = Spinner("dots", style="cyan")
        self._left = False
        is_interactive = console.is_terminal and not console.is_dumb_terminal
        self._live = (
            Live(console=console, get_renderable=self._table, refresh_per_second=REDRAWS_PER_SECOND)
            if is_interactive
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

    def add(self, name: str, state: str = "") -> ProgressRow:
        """Add a row that begins now."""
        row = ProgressRow(name, state)
        self._rows.append(row)
        return row

    def show(self, row: ProgressRow, state: str, progress: int | None = 0) -> None:
        """Show the current state, and the progress in percent if known."""
        changed = state != row.state
        row.state, row.progress = state, progress
        if changed and not self._live:
            self._say(row)

    def end(self, row: ProgressRow, state: str, *, well: bool = True) -> None:
        """Show the final state. A failed row keeps its progress."""
        row.ended = time.monotonic()
        row.well = well
        self.show(row, state, 100 if well else row.progress)

    def _say(self, row: ProgressRow) -> None:
        line = f"{row.seconds:5.1f} s  {row.name:{PLAIN_NAME_WIDTH}}  {row.state}"
        self._console.print(line, soft_wrap=True)

    def _table(self) -> Table:
        table = Table.grid(padding=(0, 1), pad_edge=True)
        for row in self._rows:
            bar = (bar_of(row),) if self._bars else ()
            state = Text(row.state, COLOURS.get(row.state, ""), no_wrap=True)
            seconds = Text(f"{row.seconds:4.1f} s", "dim", no_wrap=True)
            table.add_row(self._mark(row), Text(row.name, no_wrap=True), *bar, seconds, state)
        return table

    def _mark(self, row: ProgressRow) -> Text | Spinner:
        match row.well:
            case True:
                return Text("✓", style="green")
            case False:
                return Text("✗", style="red")
            case None:
                return Text("·", style="dim") if self._left else self._spinner


def bar_of(row: ProgressRow) -> ProgressBar:
    """Return a bar of the progress, pulsing if unknown and red if the row failed."""
    return ProgressBar(
        total=100,
        completed=row.progress or 0,
        width=BAR_WIDTH,
        pulse=row.progress is None and row.well is None,
        complete_style="red" if row.well is False else "cyan",
        finished_style="green",
        pulse_style="cyan",
    )
