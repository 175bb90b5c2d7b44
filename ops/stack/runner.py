"""Keeps one program running: start, readiness, restarts, stop."""

import asyncio
import time
from datetime import timedelta
from signal import Signals
from typing import Any

from ops.stack.child import ChildProcess, spawn
from ops.stack.child_reaper import ChildReaper
from ops.stack.output import OutputChannel
from ops.stack.program import Program
from ops.stack.stack_errors import ProgramFailed

POLL_EVERY = timedelta(milliseconds=50)


class ProgramRunner:
    """One program over all its runs, from construction on.

    `ready` is set once the program was ready for the first time, and stays set. `ended` is done
    when it has been stopped completely. It fails with `ProgramFailed` if the program exits before
    it was ever ready, or crashes too often. Call `stop`; do not cancel it.
    """

    def __init__(self, program: Program, reaper: ChildReaper, channel: OutputChannel) -> None:
        self.ready = asyncio.Event()
        self._program = program
        self._reaper = reaper
        self._channel = channel
        self._stopping = asyncio.Event()
        self._stop_timeout = program.stop_timeout
        self._child: ChildProcess | None = None
        self.ended = asyncio.create_task(self._run())

    @property
    def pid(self) -> int | None:
        """The process id of the current run; None between runs."""
        return self._child.pid if self._child else None

    def stop(self) -> None:
        """Begin to stop the program; await `ended`."""
        self._stopping.set()

    def kill(self) -> None:
        """Like `stop`, but kill the process group now."""
        self._stop_timeout = timedelta(0)
        self._stopping.set()
        if self._child:
            self._child.kill()

    async def _run(self) -> None:
        try:
            await self._run_with_restarts()
        finally:
            self._channel.close()

    async def _run_with_restarts(self) -> None:
        crashes = 0
        restart = self._program.restart
        while True:
            began = time.monotonic()
            fault = await self._run_once()
            if fault is None:
                return
            if not self.ready.is_set():
                raise self._failure(fault)
            long_run = time.monotonic() - began >= restart.quick.total_seconds()
            crashes = 1 if long_run else crashes + 1
            if crashes >= restart.give_up_after:
                raise self._failure(f"{fault}, {crashes} times in quick succession")
            pause = restart.pause(crashes).total_seconds()
            self._channel.note(f"{fault}; starting it again in {pause:g} s")
            if await self._stop_requested_within(pause):
                return

    async def _run_once(self) -> str | None:
        """Run the program once; return what went wrong, or None if it was stopped."""
        child = self._child = await spawn(self._program, self._reaper, self._channel)
        stopping = asyncio.create_task(self._stopping.wait())
        fault = None
        try:
            fault = await self._wait_until_ready(child, stopping)
            if fault is None:
                await _wait_for_first(child.ended, stopping)
        finally:
            stopped_by_us = stopping.done()
            stopping.cancel()
            await child.stop(self._program.stop_signal, self._stop_timeout)
            self._child = None
        return None if stopped_by_us else fault or _exit_text(child.ended.result())

    async def _wait_until_ready(
        self, child: ChildProcess, stopping: asyncio.Task[bool]
    ) -> str | None:
        """Wait until it is ready, exits or is stopped; return an error on timeout."""
        limit = self._program.ready_timeout.total_seconds()
        asking = asyncio.create_task(self._poll_ready())
        try:
            await _wait_for_first(asking, child.ended, stopping, timeout=limit)
            if asking.done() and not child.ended.done():
                asking.result()
                self.ready.set()
                self._channel.note("ready")
        finally:
            asking.cancel()
        if asking.done() or child.ended.done() or stopping.done():
            return None
        return f"was not ready within {limit:g} s"

    async def _poll_ready(self) -> None:
        ready = self._program.ready
        while ready is not None and not await ready():
            await asyncio.sleep(POLL_EVERY.total_seconds())

    async def _stop_requested_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                return await self._stopping.wait()
        except TimeoutError:
            return False

    def _failure(self, fault: str) -> ProgramFailed:
        channel = self._channel
        return ProgramFailed(
            f"{self._program.name} {fault}; the end of {channel.file}:\n{channel.last_lines}"
        )


async def _wait_for_first(*tasks: asyncio.Task[Any], timeout: float | None = None) -> None:
    await asyncio.wait(tasks, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)


def _exit_text(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code}"
    return f"was ended by {Signals(-code).name}"
