"""The console of a stack, which survives a closed terminal window."""

import contextlib
import io
import os
import signal
import sys
from collections.abc import Generator
from pathlib import Path
from typing import IO, cast

from rich.console import Console

from ops.cli.output import console


class HangupSafeStream(io.TextIOBase):
    """A stream that becomes /dev/null once its reader is gone.

    The terminal sends SIGHUP too, which stops the stack in order; a write error during that would
    not.
    """

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def isatty(self) -> bool:
        return self._stream.isatty()

    def fileno(self) -> int:
        return self._stream.fileno()

    def write(self, text: str) -> int:
        with self._surviving_hangup():
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with self._surviving_hangup():
            self._stream.flush()

    @contextlib.contextmanager
    def _surviving_hangup(self) -> Generator[None]:
        try:
            yield
        except OSError as error:
            with Path(os.devnull).open("wb") as nowhere:
                os.dup2(nowhere.fileno(), self.fileno())
            if isinstance(error, BrokenPipeError):  # a closed terminal sends the signal itself
                os.kill(os.getpid(), signal.SIGHUP)


def hangup_safe_console() -> Console:
    """Return a console on standard output that survives hangups and any encoding."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    steady = console()
    steady.file = cast(IO[str], HangupSafeStream(steady.file))
    return steady
