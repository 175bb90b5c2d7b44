"""Where the lines of the programs go: a file for each, and one terminal for all."""

import contextlib
import itertools
import os
from collections import deque
from pathlib import Path
from typing import TextIO

COLOURS = ("36", "32", "35", "33", "34", "96", "92", "95", "93", "94")
REMEMBERED_LINES = 20
LONGEST_LINE_BYTES = 64 * 1024


class Output:
    """
    Opens a channel for each program.

    `<folder>/<name>.log` is appended to, so it holds earlier runs too. Names are coloured when the
    terminal is one. A terminal that goes away becomes /dev/null, for everybody in this process who
    writes to it, and the files go on.
    """

    def __init__(self, folder: Path, terminal: TextIO | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._terminal = terminal
        self._colours = itertools.cycle(COLOURS)
        self._width = 0

    def channel(self, name: str) -> "OutputChannel":
        self._width = max(self._width, len(name))
        return OutputChannel(self, name, self._folder / f"{name}.log", next(self._colours))

    def show(self, name: str, colour: str, line: str) -> None:
        """Write one line to the terminal, if there still is one."""
        if self._terminal is None:
            return
        prefix = f"{name:<{self._width}} |"
        try:
            if self._terminal.isatty():
                prefix = f"\x1b[{colour}m{prefix}\x1b[0m"
            self._terminal.write(f"{prefix} {line}\n")
            self._terminal.flush()
        except (OSError, ValueError):  # hung up, or closed
            _silence(self._terminal)
            self._terminal = None


def _silence(gone: TextIO) -> None:
    """Let what is still buffered for it vanish, or Python's last flush would fail with 120."""
    with contextlib.suppress(OSError, ValueError), Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), gone.fileno())


class OutputChannel:
    """The lines of one program, and what its supervisor has to say about it."""

    def __init__(self, output: Output, name: str, file: Path, colour: str) -> None:
        self.file = file
        self._output = output
        self._name = name
        self._colour = colour
        self._log = file.open("a", encoding="utf-8", buffering=1)
        self._last = deque[str](maxlen=REMEMBERED_LINES)
        self._rest = b""

    @property
    def last_lines(self) -> str:
        """The newest lines the program wrote, for a message about its end."""
        return "\n".join(self._last)

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes of output; only whole lines, or very long parts of one, go on."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        if len(self._rest) > LONGEST_LINE_BYTES:
            lines.append(self._rest)
            self._rest = b""
        for line in lines:
            self._write(line)

    def finish(self) -> None:
        """The program has ended: what it wrote without a line end is a line as well."""
        if self._rest:
            self._write(self._rest)
            self._rest = b""

    def note(self, text: str) -> None:
        """Say something about the program, between its own lines."""
        self._log.write(f"-- {text}\n")
        self._output.show(self._name, self._colour, f"-- {text}")

    def close(self) -> None:
        self._log.close()

    def _write(self, line: bytes) -> None:
        text = line.decode(errors="replace").rstrip("\r")
        self._last.append(text)
        self._log.write(f"{text}\n")
        self._output.show(self._name, self._colour, text)
