"""Progress of jobs that are waited for: bars on a terminal, else a line per change."""

import sys
from types import TracebackType
from typing import Self

import typer
from genq.job import Document
from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as RichProgress

from generation.job import TERMINAL, JobState
from ops.cli.jobs import what_to_do
from ops.cli.output import console, printable


class JobProgress:
    """Shows jobs as bars on a terminal, or as lines on standard error if it is None."""

    def __init__(self, terminal: Console | None) -> None:
        self._bars = None if terminal is None else bars(terminal)
        self._rows: dict[str, TaskID] = {}
        self._printed: dict[str, str] = {}

    def __enter__(self) -> Self:
        if self._bars is not None:
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        if self._bars is not None:
            self._bars.stop()

    def show(self, job: Document) -> None:
        """Show the current state of a job."""
        if self._bars is None:
            self._print_change(job)
        else:
            self._draw(self._bars, job)

    def _print_change(self, job: Document) -> None:
        line = f"{job['id']} {job['provider']}.{job['operation']} {state_text(job)}"
        if self._printed.get(job["id"]) != line:
            self._printed[job["id"]] = line
            typer.echo(line, err=True)

    def _draw(self, bars: RichProgress, job: Document) -> None:
        row = self._rows.get(job["id"])
        if row is None:
            name = printable(f"{job['provider']}.{job['operation']} {job['id']}")
            row = self._rows[job["id"]] = bars.add_task(name, total=None, state_text="")
        ended = job["state"] in TERMINAL
        known = ended or job["progress"] is not None
        bars.update(
            row,
            total=100 if known else None,
            completed=100 if ended else job["progress"] or 0,
            state_text=state_text(job),
        )
        if ended:
            bars.stop_task(row)


def stderr_terminal() -> Console | None:
    """Return a console on standard error if that is a terminal."""
    return console(stderr=True) if sys.stderr.isatty() else None


def bars(terminal: Console) -> RichProgress:
    return RichProgress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[state_text]}", markup=False),
        TimeElapsedColumn(),
        console=terminal,
    )


def state_text(job: Document) -> str:
    """Return the state, and why it waits or failed and what continues it, in one line."""
    error: Document | None = job.get("error")
    why = f"{error['code']}: {error['message']}" if error else job.get("reason")
    text = " ".join(f"{job['state']} ({why})".split()) if why else job["state"]
    if job["state"] == JobState.AWAITING_INPUT:
        text += f"; send it with {what_to_do(job)}"
    return printable(text)
