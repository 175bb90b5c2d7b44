"""Starts a stack of programs in order, keeps them running, stops them in reverse order.

async with Supervisor(logs, terminal=sys.stdout) as stack:
    await stack.start(broker)
    await stack.start(api)
    await stack.forever()

The block ends, and every program is stopped, when its body ends, when a program is given up
(ProgramFailed), or on SIGINT, SIGTERM or SIGHUP (Interrupted). Both are StackEnded and carry the
exit code for the command: 130 after Ctrl-C, 143 after SIGTERM, 129 after SIGHUP, 1 after a failed
program. A second Ctrl-C kills what is left at once. If the supervisor itself is killed, its child
reaper kills the programs.
"""

import asyncio
import contextlib
from pathlib import Path
from signal import SIGHUP, SIGINT, SIGTERM, Signals
from types import TracebackType
from typing import NoReturn, Self, TextIO

from ops.stack.child_reaper import ChildReaper
from ops.stack.output import Output
from ops.stack.program import Program
from ops.stack.runner import ProgramRunner
from ops.stack.signal_handlers import handling_signals
from ops.stack.stack_errors import Interrupted

ENDING_SIGNALS = (SIGINT, SIGTERM, SIGHUP)
BOLD = "1"


class Supervisor:
    """Runs programs inside an `async with` block, entered once, in the main thread.

    Each program writes to `<logs>/<name>.log` and, prefixed with its name, to the terminal. If
    anything but its body ends the block, the body is cancelled, every program is stopped, and the
    block raises that StackEnded.
    """

    def __init__(self, logs: Path, *, terminal: TextIO | None = None) -> None:
        self._output = Output(logs, terminal)
        self._runners: dict[str, ProgramRunner] = {}
        self._exits = contextlib.ExitStack()
        self._end: BaseException | None = None
        self._leaving = False
        self._interrupted = False

    async def __aenter__(self) -> Self:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a Supervisor is entered in a task: use asyncio.run")
        self._task = task
        self._cancellations = task.cancelling()
        self._reaper = self._exits.enter_context(ChildReaper())
        self._exits.enter_context(handling_signals(ENDING_SIGNALS, self._interrupt))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        cancelled_by_us = self._end is not None
        self._leaving = True
        await self._stop_all()
        self._exits.close()
        if cancelled_by_us:
            self._task.uncancel()
        if self._task.cancelling() > self._cancellations:
            raise asyncio.CancelledError
        if self._end is not None:
            raise self._end from error

    async def start(self, program: Program) -> None:
        """Start a program, wait until it is ready, and keep it running from then on.

        Raises ProgramFailed if it exits or times out before it is ready.
        """
        if program.name in self._runners:
            raise ValueError(f"two programs are called {program.name}: give each its own name")
        runner = ProgramRunner(program, self._reaper, self._output.channel(program.name))
        self._runners[program.name] = runner
        ready = asyncio.create_task(runner.ready.wait())
        try:
            await asyncio.wait({ready, runner.ended}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ready.cancel()
        if runner.ended.done():
            runner.ended.result()
        runner.ended.add_done_callback(self._on_ended)

    async def forever(self) -> NoReturn:
        """Wait until a signal or a failed program ends the block."""
        while True:
            await asyncio.Event().wait()

    def pid(self, name: str) -> int | None:
        """Return the process id of a program's current run; None during a restart."""
        return self._runners[name].pid

    def _on_ended(self, ended: asyncio.Task[None]) -> None:
        if error := ended.exception():
            self._end_because(error)

    def _interrupt(self, signum: Signals) -> None:
        if not self._interrupted:
            self._interrupted = True
            self._print(f"{signum.name}: stopping; Ctrl-C kills what is left at once")
            self._end_because(Interrupted(signum))
        elif signum == SIGINT:
            # Only a repeated SIGINT kills: a closing terminal sends SIGHUP more than once.
            for runner in self._runners.values():
                runner.kill()

    def _end_because(self, error: BaseException) -> None:
        """Store the first reason and cancel the body's current await."""
        if self._end is None:
            self._end = error
            if not self._leaving:
                self._task.cancel()

    async def _stop_all(self) -> None:
        """Stop in reverse order, one by one. Cancellation waits until all are stopped."""
        for runner in reversed(self._runners.values()):
            runner.stop()
            while not runner.ended.done():
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.wait({runner.ended})

    def _print(self, text: str) -> None:
        self._output.show("stack", BOLD, text)
