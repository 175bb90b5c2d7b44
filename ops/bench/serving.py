"""An API process over a store, and load on it."""

import json
import shutil
import subprocess
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ops.bench.workspace import GENQ, Workspace
from ops.bench.wrk import wrk_load
from ops.stack.ports import free_port

CONNECTIONS = 64
SECONDS = 6
JOB_REQUEST: Mapping[str, Any] = {
    "provider": "kling",
    "operation": "text2video",
    "input": {"prompt": "a lighthouse at dusk, slow pan", "duration": 5},
    "webhook": {"url": "https://example.com/hook"},
}
LoadResult = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Api:
    """A running API process."""

    port: int
    pid: int

    @property
    def jobs(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1/jobs"


@contextmanager
def serving_genq(
    workspace: Workspace, url: str, command: Sequence[str] = (*GENQ, "api")
) -> Generator[Api]:
    """Run an API process over this store, or another program with the same settings."""
    port = free_port()
    environment = {
        "GENQ_DATABASE_URL": url,
        "GENQ_REDIS_URL": workspace.broker.url,
        "GENQ_STATION_URL": "http://127.0.0.1:9",
        "GENQ_STATION_KEY": "none",
        "GENQ_API_PORT": str(port),
    }
    health = f"http://127.0.0.1:{port}/healthz"
    with workspace.serving("api", command, environment, health) as pid:
        yield Api(port, pid)


def closed_load(
    folder: Path,
    urls: Sequence[str],
    key: str,
    *,
    order: bool,
    seconds: int = SECONDS,
    keyed: bool = False,
) -> LoadResult:
    """Measure maximum load, after a warm-up; with wrk if installed, because it costs least."""
    body = json.dumps(JOB_REQUEST) if order else None
    if shutil.which("wrk"):
        for lasting in (1, seconds):
            found = wrk_load(
                folder, urls, key, body, connections=CONNECTIONS, seconds=lasting, keyed=keyed
            )
        return require_success(found)
    return open_load(folder, urls, key, order=order, rate=0, keyed=keyed)


def open_load(
    folder: Path,
    urls: Sequence[str],
    key: str,
    *,
    order: bool,
    rate: float,
    keyed: bool = False,
) -> LoadResult:
    """Measure with `ops.bench.load`, after a warm-up."""
    command = [sys.executable, "-m", "ops.bench.load", *urls, "--key", key, "--rate", str(rate)]
    command += ["--connections", str(CONNECTIONS)]
    if keyed:
        command += ["--keyed"]
    if order:
        (folder / "job_request.json").write_text(json.dumps(JOB_REQUEST))
        command += ["--body", str(folder / "job_request.json")]
    subprocess.run([*command, "--seconds", "1"], check=True, stdout=subprocess.DEVNULL)
    answer = subprocess.run(
        [*command, "--seconds", str(SECONDS)], check=True, capture_output=True, text=True
    )
    return require_success(json.loads(answer.stdout))


def require_success(measured: LoadResult) -> LoadResult:
    """Return the result; exit if the server rejected requests."""
    if measured["refused"]:
        sys.exit(f"the server refused: {measured['refused']}")
    return measured
