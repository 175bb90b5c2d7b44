"""Kills child processes when their owner dies, however it dies.

A reaper is a second, tiny process in its own session that holds the reading end of a pipe. Each
child writes its process group into the pipe before it becomes its program, and the owner writes
when a group is gone. Once the last writer has closed the pipe (the kernel does it even after
SIGKILL), the reaper kills every group on its list: children and grandchildren. A child never runs
without being on the list.

PR_SET_PDEATHSIG would be the alternative on Linux. It is bound to the *thread* that forked, is lost
on the next fork, so that grandchildren survive, and does not exist on macOS.

A grandchild that leaves its process group on purpose (a daemon) is out of reach.
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

# The shell's standard input is the reaper's pipe: it writes its process group, closes the pipe
# and becomes the program. It is a session leader, so its process group is its process id.
REGISTER_AND_EXEC = 'echo "+$$" >&0 && exec "$@" </dev/null'


class ReaperGone(Exception):
    """The reaper process has ended. No child is started, because it could be orphaned."""


class ChildReaper:
    """Starts children that die with this process.

    Close it after waiting for all of them.

    All methods return at once; `close` waits for the reaper, which ends when its pipe closes.
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
        """The standard input a child started with `command` must get. Raises `ReaperGone`."""
        if self._process.stdin is None or self._process.poll() is not None:
            raise ReaperGone("the reaper process was killed; stop the stack and start it again")
        return self._process.stdin

    def command(self, argv: Sequence[str]) -> list[str]:
        """Return the argv of a child that registers itself before it becomes the program."""
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
        """Start a child in its own session; `output` receives its standard output and error.

        `user` needs root. After waiting for the child, call `release` with its pid.
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
        """Forget a process group that has ended, before its number is reused."""
        with contextlib.suppress(ReaperGone, BrokenPipeError):
            self.pipe.write(f"-{group}\n".encode())

    def close(self) -> None:
        """Kill the groups that were not released and end the reaper. Idempotent."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait()


def kill_group(group: int) -> None:
    """SIGKILL a process group; no error if it is already gone."""
    # macOS says EPERM for a group of which only zombies are left.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def reap_until_closed(messages: Iterable[str]) -> None:
    """Track groups until the pipe closes, then kill the remaining ones."""
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
