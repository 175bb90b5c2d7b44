"""Output lines arrive whole, named and in their file."""

import io
from pathlib import Path

from ops.stack.output import LONGEST_LINE_BYTES, Output


class Terminal(io.StringIO):
    """A text stream that says it is a terminal, which a real one does, and keeps what it shows."""

    def isatty(self) -> bool:
        return True


def test_only_whole_lines_are_written(tmp_path: Path) -> None:
    screen = io.StringIO()
    channel = Output(tmp_path, screen).channel("api")
    channel.feed(b"one\r\ntw")
    assert screen.getvalue() == "api | one\n"
    channel.feed(b"o \xff\n\nrest")
    channel.finish()
    channel.close()
    assert channel.file.read_text() == "one\ntwo \ufffd\n\nrest\n"


def test_a_very_long_line_is_split(tmp_path: Path) -> None:
    channel = Output(tmp_path).channel("api")
    channel.feed(b"x" * (LONGEST_LINE_BYTES + 1))
    channel.close()
    assert len(channel.file.read_text()) == LONGEST_LINE_BYTES + 2


def test_each_name_has_its_own_colour_on_a_terminal(tmp_path: Path) -> None:
    screen = Terminal()
    output = Output(tmp_path, screen)
    channels = [output.channel(name) for name in ("broker", "api")]
    for channel in channels:
        channel.feed(b"up\n")
        channel.close()
    assert screen.getvalue() == "\x1b[36mbroker |\x1b[0m up\n\x1b[32mapi    |\x1b[0m up\n"


def test_output_continues_without_a_closed_terminal(tmp_path: Path) -> None:
    screen = io.StringIO()
    channel = Output(tmp_path, screen).channel("api")
    screen.close()
    channel.feed(b"still here\n")
    channel.note("ended")
    channel.close()
    assert channel.file.read_text() == "still here\n-- ended\n"


def test_log_files_are_appended_and_last_lines_kept(tmp_path: Path) -> None:
    for word in ("first", "second"):
        channel = Output(tmp_path).channel("api")
        channel.feed(b"".join(f"{word} {number}\n".encode() for number in range(30)))
        channel.close()
    assert channel.file.read_text().startswith("first 0\n")
    assert channel.last_lines.splitlines() == [f"second {number}" for number in range(10, 30)]
