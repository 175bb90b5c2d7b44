"""
The ground that all contenders share: a sandbox whose tasks take five seconds, a broker, a receiver.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import httpx

from ops.bench.hook import Hook, running_hook
from ops.bench.usage import usage
from ops.stack.broker import BrokerProcess, local_broker
from ops.stack.keeper import Keeper, kill_group
from ops.stack.ports import free_port

TASK_SECONDS = 5
SAMPLE_SECONDS = 1
START_SECONDS = 90
STOP_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Ground:
    """What all contenders share."""

    folder: Path
    keeper: Keeper
    broker: BrokerProcess
    station: str
    hook: Hook


@contextmanager
def ground() -> Generator[Ground]:
    """A sandbox whose tasks take five seconds, a broker and a receiver."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="genq-bench-")))
        keeper = stack.enter_context(Keeper())
        broker = BrokerProcess(local_broker(folder / "broker", os.environ), keeper)
        stack.enter_context(broker)
        port = free_port()
        durations = json.dumps({"kling.text2video": TASK_SECONDS})
        sandbox = [sys.executable, "-m", "ops.sandbox", "--port", str(port)]
        stack.enter_context(running(folder, keeper, sandbox, {"GENQ_SANDBOX_DURATIONS": durations}))
        station = f"http://127.0.0.1:{port}"
        wait_until(lambda: answers(f"{station}/_sandbox/stats?brief=1"), "the sandbox")
        hook = stack.enter_context(running_hook())
        yield Ground(folder, keeper, broker, station, hook)


@contextmanager
def running(
    folder: Path, keeper: Keeper, command: Sequence[str], environment: Mapping[str, str]
) -> Generator[int]:
    """A process for as long as the block lasts; its pid."""
    with (folder / "processes.log").open("ab") as log:
        process = keeper.launch(command, output=log, env={**os.environ, **environment})
    try:
        yield process.pid
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            pass
        finally:
            kill_group(process.pid)
            process.wait()
            keeper.release(process.pid)


def cpu_of(pids: Sequence[int]) -> float:
    return sum(usage(pid).cpu_seconds for pid in pids)


def ends(shared: Ground) -> dict[str, float]:
    """When each job was done upstream, by its reference, in seconds since 1970."""
    tasks = ask(f"{shared.station}/_sandbox/tasks?limit=1000000")["tasks"]
    return {task["reference"]: task["finished_at"] for task in tasks if task["finished_at"]}


def stats(shared: Ground) -> Mapping[str, Any]:
    return ask(f"{shared.station}/_sandbox/stats?brief=1")


def ask(url: str) -> Mapping[str, Any]:
    return httpx.get(url, trust_env=False, timeout=30).raise_for_status().json()


def answers(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False, timeout=1).status_code == 200
    except httpx.HTTPError:
        return False


def wait_until(condition: Callable[[], bool], what: str) -> None:
    deadline = monotonic() + START_SECONDS
    while not condition():
        if monotonic() > deadline:
            sys.exit(f"waited {START_SECONDS} s for {what}")
        sleep(SAMPLE_SECONDS)
