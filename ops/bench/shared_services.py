"""Services all contenders share: a sandbox with five-second tasks, a broker, a receiver."""

import json
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from ops.bench.usage import usage
from ops.bench.webhook_recorder import WebhookRecorder, running_recorder
from ops.bench.workspace import Workspace, temporary_workspace
from ops.stack.ports import free_port

TASK_SECONDS = 5


@dataclass(frozen=True, slots=True)
class SharedServices:
    """What all contenders share; the station as its URL."""

    workspace: Workspace
    station: str
    recorder: WebhookRecorder


@contextmanager
def running_services() -> Generator[SharedServices]:
    """Run the shared services during the block."""
    port = free_port()
    sandbox = ("-m", "ops.sandbox", "--port", str(port))
    environment = {"GENQ_SANDBOX_DURATIONS": json.dumps({"kling.text2video": TASK_SECONDS})}
    station = f"http://127.0.0.1:{port}"
    with (
        temporary_workspace() as workspace,
        workspace.serving("sandbox", sandbox, environment, f"{station}/_sandbox/stats?brief=1"),
        running_recorder() as recorder,
    ):
        yield SharedServices(workspace, station, recorder)


def cpu_of(pids: Sequence[int]) -> float:
    return sum(usage(pid).cpu_seconds for pid in pids)


def upstream_end_times(shared: SharedServices) -> dict[str, float]:
    """Return when each job ended upstream (Unix time), by its reference."""
    tasks = ask(f"{shared.station}/_sandbox/tasks?limit=1000000")["tasks"]
    return {task["reference"]: task["finished_at"] for task in tasks if task["finished_at"]}


def stats(shared: SharedServices) -> Mapping[str, Any]:
    return ask(f"{shared.station}/_sandbox/stats?brief=1")


def ask(url: str) -> Mapping[str, Any]:
    return httpx.get(url, trust_env=False, timeout=30).raise_for_status().json()
