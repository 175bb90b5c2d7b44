"""A genq command in its own terminal, and its output."""

import contextlib
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from ops.local.planning import genq_command
from ops.stack.ports import free_port
from tests.services.processes import Process, descendants, is_running
from tests.services.waiting import wait_for

CTRL_C = b"\x03"
SOON = timedelta(seconds=60)
READ_SECONDS = 0.1
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\]8;[^\x1b]*\x1b\\")

# Becomes the leader of a session whose controlling terminal is its standard input, as a shell's
# foreground command is, and then the command.
IN_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""


def environment(folder: Path, **changes: str) -> Mapping[str, str]:
    """Nothing of the developer's settings; ports that no other test reaches for."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GENQ_")}
    return kept | {
        "GENQ_DATA_DIR": str(folder / "data"),
        "GENQ_API_PORT": str(free_port()),
        "GENQ_FLOWER_PORT": str(free_port()),
        "TERM": "xterm-256color",
        **changes,
    }


class Terminal:
    """A command that runs in a terminal of 100 columns until it ends or the block does."""

    def __init__(self, folder: Path, *arguments: str, **settings: str) -> None:
        self.data = folder / "data"
        self._written = ""
        self._terminal, inside = pty.openpty()
        fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 100, 0, 0))
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", IN_TERMINAL, *genq_command(), *arguments],
            cwd=folder,
            env=environment(folder, **settings),
            stdin=inside,
            stdout=inside,
            stderr=inside,
            start_new_session=True,
        )
        os.close(inside)
        self._closing = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._seen: dict[int, Process] = {}

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        self.close()

    def close(self) -> None:
        """As when a terminal's window is closed: whoever runs in it gets SIGHUP. Idempotent."""
        self._closing.set()
        self._reader.join()
        if self._terminal >= 0:
            os.close(self._terminal)
            self._terminal = -1

    @property
    def text(self) -> str:
        """Everything it has written, without colours and cursor movements."""
        return ESCAPES.sub("", self._written)

    def wait_for_text(self, text: str) -> None:
        wait_for(
            lambda: text in self.text or self.process.poll() is not None,
            SOON,
            f"{text!r} in the terminal",
        )
        assert text in self.text, self.text

    def note_children(self) -> list[Process]:
        """The processes below the command now; `is_gone` speaks of all that were ever noted."""
        found = descendants(self.process.pid)
        self._seen.update((child.pid, child) for child in found)
        return found

    def press(self, key: bytes) -> None:
        os.write(self._terminal, key)

    def end(self) -> int:
        """Its exit code, once it has ended."""
        return self.process.wait(SOON.total_seconds())

    def is_gone(self) -> bool:
        return not any(is_running(pid) for pid in self._seen)

    def _read(self) -> None:
        # Linux says EIO when the last process has let go of the terminal.
        with contextlib.suppress(OSError):
            while not self._closing.is_set():
                if select.select([self._terminal], [], [], READ_SECONDS)[0]:
                    self._written += os.read(self._terminal, 64 * 1024).decode(errors="replace")
