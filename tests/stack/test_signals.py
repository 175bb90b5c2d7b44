"""A stack's command exits with the right code and leaves nothing behind."""

import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.services.processes import Process, descendants, is_running
from tests.services.waiting import wait_for
from tests.stack.programs import diary, pid_of

ROOT = Path(__file__).parents[2]
SOON = timedelta(seconds=30)
CTRL_C = b"\x03"

# Becomes the leader of a session whose controlling terminal is its standard input, as a shell's
# foreground command is, and then the command.
IN_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""


class Command:
    """A stack's command, started in a terminal of its own."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.folder = folder
        self.terminal, inside = pty.openpty()
        command = [sys.executable, "-m", "tests.stack.stack_command", str(folder), *arguments]
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", IN_TERMINAL, *command],
            cwd=ROOT,
            stdin=inside,
            stdout=inside,
            stderr=inside,
            start_new_session=True,
        )
        os.close(inside)
        self.children: list[Process] = []

    def come_up(self) -> None:
        wait_for((self.folder / "up").exists, SOON, "the stack to be up")
        self.children = descendants(self.process.pid)

    def press(self, key: bytes) -> None:
        os.write(self.terminal, key)

    def end(self) -> int:
        """Its exit code, once it has ended."""
        return self.process.wait(SOON.total_seconds())

    def screen(self) -> str:
        """What it wrote to its terminal and nobody has read."""
        return os.read(self.terminal, 64 * 1024).decode()

    def is_gone(self) -> bool:
        return not any(is_running(child.pid) for child in self.children)

    def close_terminal(self) -> None:
        """As when a terminal's window is closed: whoever runs in it gets SIGHUP."""
        if self.terminal >= 0:
            os.close(self.terminal)
            self.terminal = -1


Start = Callable[..., Command]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts the command in a terminal, with programs as its arguments."""
    commands: list[Command] = []

    def start_command(*arguments: str) -> Command:
        commands.append(command := Command(tmp_path, *arguments))
        command.come_up()
        return command

    yield start_command
    for command in commands:
        command.process.kill()
        command.process.wait()
        command.close_terminal()


def test_ctrl_c_stops_everything_in_order(start: Start, tmp_path: Path) -> None:
    command = start("broker", "api,parent")
    command.press(CTRL_C)
    assert command.end() == 130
    assert diary(tmp_path)[-2:] == ["api got SIGTERM", "broker got SIGTERM"]
    assert command.is_gone()
    screen = command.screen()
    assert "SIGINT: stopping" in screen
    assert "the stack ended: stopped by SIGINT" in screen
    assert "Traceback" not in screen


@pytest.mark.parametrize("loop", ["--no-fast-loop", "--fast-loop"])
def test_sigterm_stops_everything_in_order(start: Start, tmp_path: Path, loop: str) -> None:
    command = start(loop, "broker", "api,parent")
    command.process.terminate()
    assert command.end() == 143
    assert diary(tmp_path)[-2:] == ["api got SIGTERM", "broker got SIGTERM"]
    assert command.is_gone()


def test_a_closed_terminal_stops_everything_in_order(start: Start, tmp_path: Path) -> None:
    command = start("broker", "api,parent")
    command.close_terminal()
    assert command.end() == 129
    assert diary(tmp_path)[-2:] == ["api got SIGTERM", "broker got SIGTERM"]
    assert command.is_gone()


def test_a_second_ctrl_c_kills_at_once(start: Start, tmp_path: Path) -> None:
    command = start("broker,stubborn", "api,stubborn,parent")
    command.press(CTRL_C)
    wait_for(lambda: "api got SIGTERM" in diary(tmp_path), SOON, "the first signal to arrive")
    assert command.process.poll() is None
    command.press(CTRL_C)
    assert command.end() == 130
    assert "broker got SIGTERM" not in diary(tmp_path)
    assert command.is_gone()


def test_a_killed_command_leaves_nothing_behind(start: Start, tmp_path: Path) -> None:
    command = start("broker", "api,stubborn,parent")
    grandchild = pid_of("api", tmp_path, "child")
    assert grandchild in {child.pid for child in command.children}
    command.process.kill()
    assert command.end() == -signal.SIGKILL
    wait_for(command.is_gone, SOON, "the reaper to kill every process of the stack")


def test_a_failed_program_is_reported(tmp_path: Path) -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "tests.stack.stack_command", str(tmp_path), "broker", "api,broken"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 1
    assert "the stack ended: api ended with exit code 3; the end of" in answer.stdout
    assert diary(tmp_path)[-1] == "broker got SIGTERM"
