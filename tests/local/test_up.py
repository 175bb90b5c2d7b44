"""A running stack: messages, exclusive folder, restarts."""

import json
import os
import signal
import socket
import stat
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from ops.local.planning import genq_command
from tests.local.terminal import CTRL_C, SOON, Terminal, environment
from tests.services.waiting import wait_for


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Terminal]:
    with Terminal(tmp_path, "up") as command:
        command.wait_for_text("genq is running")
        yield command


def client_of(stack: Terminal) -> dict[str, Any]:
    return json.loads((stack.data / "client.json").read_text())


def operations(client: dict[str, Any]) -> list[str]:
    """What can be ordered, as the client sees it."""
    request = urllib.request.Request(
        f"{client['url']}/v1/operations", headers={"authorization": f"Bearer {client['key']}"}
    )
    with urllib.request.urlopen(request) as answer:
        return [f"{each['provider']}.{each['name']}" for each in json.load(answer)["data"]]


def worker_pids(stack: Terminal) -> list[int]:
    return [each.pid for each in stack.note_children() if each.command.endswith("genq worker")]


def listens(url: str) -> bool:
    parts = urlsplit(url)
    assert parts.hostname and parts.port
    with socket.socket() as probe:
        return probe.connect_ex((parts.hostname, parts.port)) == 0


def test_a_stack_from_start_to_stop(stack: Terminal, tmp_path: Path) -> None:
    client = client_of(stack)
    assert stat.S_IMODE((stack.data / "client.json").stat().st_mode) == 0o600
    assert stat.S_IMODE((stack.data / "curl.conf").stat().st_mode) == 0o600
    assert stat.S_IMODE((stack.data / "running.json").stat().st_mode) == 0o600
    assert "midjourney.imagine" in operations(client)
    assert client["key"] not in stack.text

    second = subprocess.run(
        [*genq_command(), "up"],
        cwd=tmp_path,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert second.returncode == 1
    assert f"a stack runs in data already (process {stack.process.pid})" in second.stderr

    (before,) = worker_pids(stack)
    os.kill(before, signal.SIGKILL)
    stack.wait_for_text("worker exited unexpectedly; the end of data/logs/worker.log")
    stack.wait_for_text("-- was ended by SIGKILL; starting it again")
    wait_for(lambda: worker_pids(stack) not in ([], [before]), SOON, "another worker")

    stack.press(CTRL_C)
    assert stack.end() == 130
    wait_for(stack.is_gone, SOON, "every process to be gone")
    assert not listens(client["url"])
    assert "Traceback" not in stack.text
