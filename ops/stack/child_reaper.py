"""
No child outlives us, however we die.

A reaper is a second, tiny process in a session of its own that holds the reading end of a pipe.
Each child writes its process group into the pipe before it becomes the program it was started for,
and we write when a group is gone. When the last writer has closed the pipe, which the kernel does
for a process that was killed with SIGKILL too, the reaper kills every group still on its list:
children and grandchildren. There is no moment at which a child runs and the reaper cannot know it.

PR_SET_PDEATHSIG would be the other way on Linux. It is bound to the *thread* that forked, is lost
on the next fork, so grandchildren survive, and does not exist on macOS.

A grandchild that leaves its process group on purpose (a daemon) is beyond the reaper's reach.
"""

import contextlib
import os
import pwd
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO, Self

# The shell's standard input is the reaper's pipe: it tells its process group, lets go of the pipe
# and turns into the program. It is a session leader, so its process group is its process id.
REGISTER_AND_EXEC = 'echo "+$$" >&0 && exec "$@" </dev/null'


class ReaperGone(Exception):
    """The reaper process has ended, so a new child could be orphaned; none is started."""


class ChildReaper:
    """
    Starts children that die with this process. Close it when they have all been waited for.

    Everything here returns at once; `close` waits for the reaper, which ends when its pipe closes.
    """

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(Path(__file__).resolve())],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
            bufsize=0,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pipe(self) -> IO[bytes]:
        """What a child started with `command` must get as its standard input."""
        if self._process.stdin is None or self._process.poll() is not None:
            raise ReaperGone("the reaper process was killed; stop the stack and start it again")
        return self._process.stdin

    def command(self, argv: Sequence[str]) -> list[str]:
        """Turn a program's argv into that of a child which puts itself under the reaper first."""
        return ["/bin/sh", "-c", REGISTER_AND_EXEC, argv[0], *argv]

    def launch(
        self,
        argv: Sequence[str],
        *,
        output: IO[bytes] | int | None = None,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        user: str | None = None,
    ) -> subprocess.Popen[bytes]:
        """
        Start a child in a session of its own; `output` takes its standard output and error.

        `user` needs root. Whoever has waited for the child calls `release` with its pid.
        """
        return subprocess.Popen(
            self.command(argv),
            stdin=self.pipe,
            stdout=output,
            stderr=subprocess.STDOUT if output is not None else None,
            env=env,
            cwd=cwd,
            user=user,
            group=pwd.getpwnam(user).pw_gid if user else None,
            extra_groups=[] if user else None,
            start_new_session=True,
        )

    def release(self, group: int) -> None:
        """Forget a process group that has ended, before its number is given to somebody else."""
        with contextlib.suppress(ReaperGone, BrokenPipeError):
            self.pipe.write(f"-{group}\n".encode())

    def close(self) -> None:
        """Kill the groups nobody released, and end the reaper. Idempotent."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait()


def kill_group(group: int) -> None:
    """SIGKILL a process group; one that is already gone is no error."""
    # macOS says EPERM for a group of which only zombies are left.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def reap_until_closed(messages: Iterable[str]) -> None:
    """The reaper's whole life: keep the list until the pipe closes, then kill what is on it."""
    groups: set[int] = set()
    for message in messages:
        group = int(message[1:])
        if message.startswith("+"):
            groups.add(group)
        else:
            groups.discard(group)
    for group in groups:
        kill_group(group)


if __name__ == "__main__":
    reap_until_closed(sys.stdin)
