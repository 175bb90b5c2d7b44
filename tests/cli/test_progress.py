"""Progress of jobs on a terminal and in a pipe."""

import io
from typing import Any

import pytest
from rich.console import Console

from ops.cli.progress import JobProgress

JOB: dict[str, Any] = {
    "id": "job_1",
    "provider": "midjourney",
    "operation": "modal",
    "state": "awaiting_input",
    "progress": None,
    "reason": "needs a prompt",
}


def test_a_terminal_shows_state_and_command() -> None:
    screen = io.StringIO()
    terminal = Console(file=screen, force_terminal=True, width=160)
    with JobProgress(terminal) as shown:
        shown.show(JOB)
    assert "midjourney.modal job_1" in screen.getvalue()
    assert "awaiting_input (needs a prompt)" in screen.getvalue()
    assert "genq input job_1 NAME=VALUE" in screen.getvalue()


def test_a_pipe_gets_one_line_per_change(capsys: pytest.CaptureFixture[str]) -> None:
    with JobProgress(None) as shown:
        shown.show(JOB)
        shown.show(JOB)
        shown.show({**JOB, "state": "succeeded", "reason": None, "progress": 100})
    assert capsys.readouterr().err.splitlines() == [
        "job_1 midjourney.modal awaiting_input (needs a prompt); send it with genq input job_1"
        " NAME=VALUE",
        "job_1 midjourney.modal succeeded",
    ]
