"""The station as a process, and as a block in somebody's test."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from ops.sandbox.config import SandboxConfig
from ops.sandbox.handle import running_sandbox
from tests.sandbox.callers import MJ_STATION
from tests.services.waiting import wait_for

ROOT = Path(__file__).parents[2]


@contextmanager
def station_process(*arguments: str, **settings: str) -> Generator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "ops.sandbox", *arguments],
        cwd=ROOT,
        env={**os.environ, **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def ready_url(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    words, _, url = process.stdout.readline().strip().rpartition(" ")
    assert words == "sandbox station ready on"
    return url


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_process_says_one_line_and_ends_at_once_with_answers_open(number: int) -> None:
    failures: list[Exception] = []

    def submit_slowly(url: str) -> None:
        try:
            httpx.post(
                f"{url}/mj/submit/imagine",
                json={"prompt": "a cat [slow=60]"},
                headers=dict(MJ_STATION.headers),
                timeout=60,
            )
        except httpx.TransportError as error:
            failures.append(error)

    with station_process("--port", "0", GENQ_SANDBOX_SPEED="7") as process:
        url = ready_url(process)
        assert httpx.get(f"{url}/_sandbox/").json()["settings"]["speed"] == 7
        thread = threading.Thread(target=submit_slowly, args=(url,))
        thread.start()
        wait_for(
            lambda: httpx.get(f"{url}/_sandbox/stats").json()["paid_submits"],
            timedelta(seconds=30),
            "the slow submit",
        )
        begun = time.monotonic()
        process.send_signal(number)
        rest, complaints = process.communicate(timeout=30)
        assert time.monotonic() - begun < 20, "long before the slow one would be answered"
        thread.join(30)
    assert (process.returncode, rest, complaints) == (0, "", "")
    assert len(failures) == 1


def test_a_bad_setting_stops_the_process_and_is_named() -> None:
    with station_process("--port", "0", GENQ_SANDBOX_SPEED="fast") as process:
        _, complaints = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "speed" in complaints


def test_a_taken_port_stops_the_process() -> None:
    with running_sandbox() as handle:
        port = handle.url.rpartition(":")[2]
        with station_process("--port", port) as process:
            _, complaints = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "in use" in complaints


def test_a_station_in_a_block_is_gone_after_it() -> None:
    threads = set(threading.enumerate())
    with running_sandbox(SandboxConfig(durations={"midjourney.imagine": 0})) as handle:
        with httpx.Client(base_url=handle.url) as client:
            task_id = MJ_STATION.created(client, "a cat")
            assert MJ_STATION.status(client, task_id) == "SUCCESS"
        begun = time.monotonic()
    assert time.monotonic() - begun < 10
    with pytest.raises(httpx.ConnectError):
        httpx.get(handle.url)
    assert set(threading.enumerate()) <= threads
