"""Keeping one program running: ready, crashed, started again, given up, or stopped."""

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

ASK_EVERY = timedelta(milliseconds=50)


class ProgramRunner:
    """
    One program over all its runs, from its construction on.

    `ready` is set when the program was ready for the first time, and stays set. `ended` is done
    when it has been stopped, with nothing of it left. It fails with ProgramFailed when the program
    ends before it was ever ready, which no restart would cure, or crashes too often. It is not to
    be cancelled, but asked to `stop`.
    """

    def __init__(self, program: Program, reaper: ChildReaper, channel: OutputChannel) -> None:
        self.ready = asyncio.Event()
        self._program = program
        self._reaper = reaper
        self._channel = channel
        self._stopping = asyncio.Event()
        self._stop_timeout = program.stop_timeout
        self._child: ChildProcess | None = None
        self.ended = asyncio.create_task(self._keep())

    @property
    def pid(self) -> int | None:
        """The process id of the present run; None between two runs."""
        return self._child.pid if self._child else None

    def stop(self) -> None:
        """Begin to stop the program; wait for `ended`."""
        self._stopping.set()

    def kill(self) -> None:
        """Like `stop`, but nothing is waited for: the process group is killed now."""
        self._stop_timeout = timedelta(0)
        self._stopping.set()
        if self._child:
            self._child.kill()

    async def _keep(self) -> None:
        try:
            await self._run_again_and_again()
        finally:
            self._channel.close()

    async def _run_again_and_again(self) -> None:
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
            if await self._stops_within(pause):
                return

    async def _run_once(self) -> str | None:
        """One run, from start to end: what went wrong, or None if it was stopped by us."""
        child = self._child = await spawn(self._program, self._reaper, self._channel)
        stopping = asyncio.create_task(self._stopping.wait())
        fault = None
        try:
            fault = await self._become_ready(child, stopping)
            if fault is None:
                await _first(child.ended, stopping)
        finally:
            stopped_by_us = stopping.done()
            stopping.cancel()
            await child.stop(self._program.stop_signal, self._stop_timeout)
            self._child = None
        return None if stopped_by_us else fault or _ending(child.ended.result())

    async def _become_ready(self, child: ChildProcess, stopping: asyncio.Task[bool]) -> str | None:
        """Wait until it is ready, has ended or is to stop; says so when time is up before that."""
        limit = self._program.ready_timeout.total_seconds()
        asking = asyncio.create_task(self._ask_until_ready())
        try:
            await _first(asking, child.ended, stopping, timeout=limit)
            if asking.done() and not child.ended.done():
                asking.result()
                self.ready.set()
                self._channel.note("ready")
        finally:
            asking.cancel()
        if asking.done() or child.ended.done() or stopping.done():
            return None
        return f"was not ready within {limit:g} s"

    async def _ask_until_ready(self) -> None:
        ready = self._program.ready
        while ready is not None and not await ready():
            await asyncio.sleep(ASK_EVERY.total_seconds())

    async def _stops_within(self, seconds: float) -> bool:
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


async def _first(*tasks: asyncio.Task[Any], timeout: float | None = None) -> None:
    await asyncio.wait(tasks, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)


def _ending(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code}"
    return f"was ended by {Signals(-code).name}"
