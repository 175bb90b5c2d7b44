"""A local stack ends soon after every signal and leaves nothing behind."""

import signal
import time
from pathlib import Path

import pytest

from tests.local.terminal import CTRL_C, SOON, Terminal
from tests.services.waiting import wait_for

QUICKLY_SECONDS = 30


@pytest.mark.parametrize("moment", ["There are no stations yet", "broker", "starting"])
def test_ctrl_c_during_the_start(tmp_path: Path, moment: str) -> None:
    with Terminal(tmp_path, "up") as command:
        command.wait_for_text(moment)
        command.note_children()
        began = time.monotonic()
        command.press(CTRL_C)
        assert command.end() == 130
        assert time.monotonic() - began < QUICKLY_SECONDS
        wait_for(command.is_gone, SOON, "every process to be gone")
        assert "Traceback" not in command.text


def test_sigterm_during_the_start(tmp_path: Path) -> None:
    with Terminal(tmp_path, "up") as command:
        command.wait_for_text("starting")
        command.note_children()
        command.process.terminate()
        assert command.end() == 143
        wait_for(command.is_gone, SOON, "every process to be gone")
        assert "Everything has stopped." in command.text
        assert "Traceback" not in command.text


def test_ctrl_c_while_jobs_are_running(tmp_path: Path) -> None:
    with Terminal(tmp_path, "demo") as command:
        command.wait_for_text("running")
        command.note_children()
        began = time.monotonic()
        command.press(CTRL_C)
        assert command.end() == 130
        assert time.monotonic() - began < QUICKLY_SECONDS
        wait_for(command.is_gone, SOON, "every process to be gone")
        assert "Traceback" not in command.text


def test_a_closed_terminal_ends_it(tmp_path: Path) -> None:
    with Terminal(tmp_path, "up") as command:
        command.wait_for_text("starting")
        command.note_children()
        command.close()
        assert command.end() == 128 + signal.SIGHUP
        wait_for(command.is_gone, SOON, "every process to be gone")
