"""One run of a program: its process group, until all of it is gone."""

import asyncio
import contextlib
import os
from datetime import timedelta
from signal import Signals

from ops.stack.child_reaper import ChildReaper, kill_group
from ops.stack.output import OutputChannel
from ops.stack.program import Program

CHUNK_BYTES = 64 * 1024
# A grandchild outside the group may keep the pipe open forever; stop reading after this.
DRAIN_WITHIN = timedelta(seconds=1)


class ChildProcess:
    """A running program in its own session, so that the terminal's Ctrl-C does not reach it.

    `ended` is done, with the exit code (negative: the signal), once the program has exited, its
    process group is killed and its output is read.
    """

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        reading: asyncio.Task[None],
        reaper: ChildReaper,
    ) -> None:
        self.pid = process.pid
        self._process = process
        self._reading = reading
        self._reaper = reaper
        self.ended = asyncio.create_task(self._end())

    async def stop(self, stop_signal: Signals, stop_timeout: timedelta) -> None:
        """Send the signal; after `stop_timeout` kill the group. Returns once it has `ended`."""
        if not self.ended.done():
            # Not Process.send_signal: it may reap the child before asyncio's watcher.
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, stop_signal)
            await asyncio.wait({self.ended}, timeout=stop_timeout.total_seconds())
            self.kill()
            await self.ended

    def kill(self) -> None:
        """SIGKILL the process group, unless it has ended."""
        if not self.ended.done():
            kill_group(self.pid)

    async def _end(self) -> int:
        code = await self._process.wait()
        kill_group(self.pid)
        self._reaper.release(self.pid)
        await asyncio.wait({self._reading}, timeout=DRAIN_WITHIN.total_seconds())
        self._reading.cancel()
        await asyncio.wait({self._reading})
        return code


async def spawn(program: Program, reaper: ChildReaper, channel: OutputChannel) -> ChildProcess:
    """Start a program whose output goes to the channel."""
    # Our own pipe, not asyncio's: waiting for the process must not wait for the pipe.
    reading_end, writing_end = os.pipe()
    try:
        process = await asyncio.create_subprocess_exec(
            *reaper.command(program.argv),
            stdin=reaper.pipe,
            stdout=writing_end,
            stderr=writing_end,
            env=os.environ | program.env,
            start_new_session=True,
        )
    except BaseException:
        os.close(reading_end)
        raise
    finally:
        os.close(writing_end)
    return ChildProcess(process, asyncio.create_task(_read(reading_end, channel)), reaper)


async def _read(descriptor: int, channel: OutputChannel) -> None:
    stream = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(stream), os.fdopen(descriptor, "rb", buffering=0)
    )
    try:
        while chunk := await stream.read(CHUNK_BYTES):
            channel.feed(chunk)
    finally:
        channel.finish()
        transport.close()
