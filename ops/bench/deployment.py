"""A genq deployment for benchmarks: one API, one default worker, PostgreSQL."""

import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import httpx

from ops.bench.shared_services import SharedServices
from ops.bench.stores import added_key, open_store
from ops.bench.workspace import GENQ
from ops.stack.ports import free_port

PROMPT = "a lighthouse at dusk, slow pan"
#: Limit of jobs per request.
BATCH = 100
STATIONS = """
[[stations]]
name = "sandbox"
url = "{url}"
speed = {speed}
keys = [{{ name = "main", env = "BENCH_STATION_KEY" }}]
[stations.speaks]
kling = {{ dialect = "kling.relay" }}
"""
#: The station's speed setting: a Kling video usually takes two minutes.
SPEED = 24


@dataclass(frozen=True, slots=True)
class GenqDeployment:
    """A deployment that has completed a job."""

    api: str
    key: str
    pids: Mapping[str, int]
    database: int


@contextmanager
def running_genq(shared: SharedServices) -> Generator[GenqDeployment]:
    """Run API, worker and PostgreSQL during the block."""
    workspace = shared.workspace
    store = open_store(workspace, "PostgreSQL")
    if store is None or store.pid is None:
        sys.exit("PostgreSQL is not installed")
    stations = workspace.folder / "stations.toml"
    stations.write_text(STATIONS.format(url=shared.station, speed=SPEED))
    port = free_port()
    environment = {
        "GENQ_DATABASE_URL": store.url,
        "GENQ_REDIS_URL": workspace.broker.url,
        "GENQ_STATIONS_FILE": str(stations),
        "GENQ_API_PORT": str(port),
        "GENQ_WEBHOOK_ALLOW_HTTP": "true",
        "GENQ_WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8",
        "GENQ_WEBHOOK_ALLOWED_PORTS": "any",
        "BENCH_STATION_KEY": "sk-bench",
    }
    address = f"http://127.0.0.1:{port}"
    # The API does not start without a valid key.
    key = added_key(store.url)
    with (
        workspace.serving("api", (*GENQ, "api"), environment, f"{address}/healthz") as api,
        workspace.running("worker", (*GENQ, "worker"), environment) as worker,
    ):
        genq = GenqDeployment(address, key, {"api": api, "worker": worker}, store.pid)
        shared.recorder.received.clear()
        submit_jobs(genq, shared.recorder.url, 1)
        workspace.wait_until(lambda: bool(shared.recorder.received), "worker")
        shared.recorder.received.clear()
        yield genq


def submit_jobs(genq: GenqDeployment, webhook_url: str, count: int) -> None:
    """Submit this many jobs, a hundred per request."""
    body = {
        "provider": "kling",
        "operation": "text2video",
        "input": {"prompt": PROMPT},
        "webhook": {"url": webhook_url},
    }
    headers = {"authorization": f"Bearer {genq.key}"}
    with httpx.Client(trust_env=False, headers=headers) as client:
        for first in range(0, count, BATCH):
            batch = {"jobs": [body] * min(BATCH, count - first)}
            client.post(f"{genq.api}/v1/jobs/batch", json=batch, timeout=60).raise_for_status()
