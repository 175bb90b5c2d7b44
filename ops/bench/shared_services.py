"""
The ground that all contenders share: a sandbox whose tasks take five seconds, a broker, a receiver.
"""

import json
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from ops.bench.usage import usage
from ops.bench.webhook_recorder import Hook, running_hook
from ops.bench.workspace import Site, site
from ops.stack.ports import free_port

TASK_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Ground:
    """What all contenders share; the station by its URL."""

    site: Site
    station: str
    hook: Hook


@contextmanager
def ground() -> Generator[Ground]:
    """A sandbox whose tasks take five seconds, a broker and a receiver."""
    port = free_port()
    sandbox = ("-m", "ops.sandbox", "--port", str(port))
    environment = {"GENQ_SANDBOX_DURATIONS": json.dumps({"kling.text2video": TASK_SECONDS})}
    station = f"http://127.0.0.1:{port}"
    with (
        site() as place,
        place.serving("sandbox", sandbox, environment, f"{station}/_sandbox/stats?brief=1"),
        running_hook() as hook,
    ):
        yield Ground(place, station, hook)


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
