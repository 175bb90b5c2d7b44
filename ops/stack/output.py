"""Output of the programs: a log file each, and one terminal for all."""

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
    """Opens a channel for each program.

    `<folder>/<name>.log` is appended to, so it keeps earlier runs. Names are coloured on a
    terminal. If the terminal goes away, its stream becomes /dev/null for the whole process; the
    files continue.
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
        """Write one line to the terminal, if it still exists."""
        if self._terminal is None:
            return
        prefix = f"{name:<{self._width}} |"
        try:
            if self._terminal.isatty():
                prefix = f"\x1b[{colour}m{prefix}\x1b[0m"
            self._terminal.write(f"{prefix} {line}\n")
            self._terminal.flush()
        except (OSError, ValueError):  # hung up, or closed
            _redirect_to_devnull(self._terminal)
            self._terminal = None


def _redirect_to_devnull(gone: TextIO) -> None:
    """Discard buffered output, or Python's final flush would fail with exit code 120."""
    with contextlib.suppress(OSError, ValueError), Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), gone.fileno())


class OutputChannel:
    """The output lines of one program and its supervisor's notes."""

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
        """The program's last lines, for an error message."""
        return "\n".join(self._last)

    def feed(self, chunk: bytes) -> None:
        """Add output bytes; writes whole lines, or parts of very long ones."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        if len(self._rest) > LONGEST_LINE_BYTES:
            lines.append(self._rest)
            self._rest = b""
        for line in lines:
            self._write(line)

    def finish(self) -> None:
        """Write the last line if the program ended without a line break."""
        if self._rest:
            self._write(self._rest)
            self._rest = b""

    def note(self, text: str) -> None:
        """Add a note about the program between its own lines."""
        self._log.write(f"-- {text}\n")
        self._output.show(self._name, self._colour, f"-- {text}")

    def close(self) -> None:
        self._log.close()

    def _write(self, line: bytes) -> None:
        text = line.decode(errors="replace").rstrip("\r")
        self._last.append(text)
        self._log.write(f"{text}\n")
        self._output.show(self._name, self._colour, text)
