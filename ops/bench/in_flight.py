"""Many thousands of running jobs: how late polls are, and what they cost.

Real worker processes with default settings, a real database, and an upstream stub, all on one
machine. Lag is the time from the moment a job was due, by its row, to the arrival of its poll at
the stub.
"""

import asyncio
import os
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random
from time import sleep

from generation.job import Billed, Job, JobState
from generation.store import Store
from generation.store.jobs.rows import job_row
from generation.store.schema import jobs
from ops.bench.in_flight_sampling import InFlightResult, measure_in_flight
from ops.bench.stores import open_store
from ops.bench.workspace import GENQ, Workspace, temporary_workspace
from ops.stack.ports import free_port

#: Seconds before the measurement.
SETTLE = 20


@dataclass(frozen=True, slots=True)
class InFlightLoad:
    """The jobs in flight: an operation whose late tasks are polled every `every` seconds."""

    name: str
    provider: str
    operation: str
    dialect: str
    every: int
    #: Station speed; below 1 the intervals are longer.
    speed: float


SINGLE = InFlightLoad("single", "kling", "text2video", "kling.relay", 30, 0.5)
BATCH = InFlightLoad("batch", "midjourney", "imagine", "midjourney.proxy", 15, 2.0)
SLOW_BATCH = InFlightLoad("slow_batch", "midjourney", "imagine", "midjourney.proxy", 60, 0.5)
LOADS = {kind.name: kind for kind in (SINGLE, BATCH, SLOW_BATCH)}
#: Lower bound of inserted rows per second: polls start after all rows are inserted.
FILLED_PER_SECOND = 5000

STATIONS = """
[[stations]]
name = "stub"
url = "http://127.0.0.1:{port}"
speed = {speed}
keys = [{{ name = "main", env = "BENCH_KEY" }}]
[stations.speaks]
{provider} = {{ dialect = "{dialect}", prefix = "" }}
"""


def main() -> None:
    """Run all sizes, loads and stores, for a minute each, or those of IN_FLIGHT_ROWS.

    Rows look like `100000:single:2:PostgreSQL` or `1000000:slow_batch:2:PostgreSQL`; each runs for
    IN_FLIGHT_SECONDS.
    """
    rows = os.environ.get("IN_FLIGHT_ROWS", "").split() or [
        f"{size}:{kind}:{workers}:{store}"
        for store in ("PostgreSQL", "SQLite")
        for kind, workers in (("single", 2), ("batch", 1))
        for size in (10_000, 30_000, 100_000)
    ]
    print(
        "| in flight, looks, workers, store | looks/s | lag p50 / p95 / p99, s"
        " | cores of each worker | MB of each worker | database | stub, cores |"
    )
    print("|---|---|---|---|---|---|---|")
    for row in rows:
        size, kind, workers, store = row.split(":")
        spec = LOADS[kind]
        measured = measure(int(size), spec, int(workers), store)
        title = f"{int(size):,}, {kind.replace('_', ' ')} every {spec.every} s, {workers}, {store}"
        print(measured.row(title) if measured else f"| {title} | not installed |", flush=True)


def measure(size: int, kind: InFlightLoad, workers: int, store_name: str) -> InFlightResult | None:
    with temporary_workspace() as workspace:
        store = open_store(workspace, store_name)
        if store is None:
            return None
        first = asyncio.run(insert_running_jobs(store.url, kind, size))
        port = free_port()
        environment = settings(workspace, kind, store.url, port)
        pids = {} if store.pid is None else {"database": store.pid}
        names = [f"worker{number}" for number in range(workers)]
        with ExitStack() as stack:
            stub = ("-m", "ops.bench.upstream_stub", "--port", str(port))
            pids["stub"] = stack.enter_context(workspace.running("stub", stub, {}))
            for name in names:
                worker = workspace.running(name, (*GENQ, "worker"), environment)
                pids[name] = stack.enter_context(worker)
            for name in names:
                workspace.wait_until(lambda name=name: ready(workspace, name), name, every=0.1)
            until_first = (first - datetime.now(UTC)).total_seconds()
            sleep(max(SETTLE, until_first + SETTLE))
            return asyncio.run(measure_in_flight(store.url, port, pids))


def ready(workspace: Workspace, worker: str) -> bool:
    return "worker_ready" in workspace.log(worker).read_text(errors="replace")


def settings(workspace: Workspace, kind: InFlightLoad, url: str, port: int) -> dict[str, str]:
    stations = workspace.folder / "stations.toml"
    stations.write_text(
        STATIONS.format(port=port, speed=kind.speed, provider=kind.provider, dialect=kind.dialect)
    )
    return {
        "GENQ_DATABASE_URL": url,
        "GENQ_REDIS_URL": workspace.broker.url,
        "GENQ_STATIONS_FILE": str(stations),
        "GENQ_DATA_DIR": str(workspace.folder),
        "BENCH_KEY": "sk-bench",
    }


async def insert_running_jobs(url: str, kind: InFlightLoad, size: int) -> datetime:
    """Insert hour-old running jobs with polls spread over one interval.

    Returns the time of the first poll.
    """
    now, rng = datetime.now(UTC), Random(1)
    created_at = now - timedelta(hours=1)
    first = now + timedelta(seconds=SETTLE + size / FILLED_PER_SECOND)
    job = Job(
        id="",
        tenant="bench",
        api_key_id="key_bench",
        provider=kind.provider,
        operation=kind.operation,
        input={"prompt": "a lighthouse at dusk, slow pan", "negative_prompt": "rain " * 20},
        state=JobState.RUNNING,
        station="stub",
        key="main",
        dialect=kind.dialect,
        attempts=1,
        billed=Billed.YES,
        progress=40 if kind.provider == "midjourney" else None,
        created_at=created_at,
        updated_at=created_at,
        submitted_at=created_at,
        started_at=created_at,
        deadline=now + timedelta(hours=20),
    )
    store = Store(url)
    try:
        for begin in range(0, size, 2000):
            rows = [
                job_row(
                    replace(
                        job,
                        id=f"job_{number:026d}",
                        upstream_id=f"task-{number}",
                        wake_at=first + timedelta(seconds=rng.random() * kind.every),
                    )
                )
                for number in range(begin, min(begin + 2000, size))
            ]
            async with store.database.writing() as connection:
                await connection.execute(jobs.insert(), rows)
    finally:
        await store.close()
    return first
