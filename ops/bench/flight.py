"""
Jobs in flight: how late looks are, and what they cost, with many thousands of running jobs.

Real worker processes with the default settings, a real database, and a stub for the upstream, all
on one machine. Lag is measured at the upstream's door: from the moment a job was due, as its row
said, to the moment the request about it arrived.
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
from ops.bench.site import GENQ, Site, site
from ops.bench.stores import the_store
from ops.bench.watching import Flight, watched
from ops.stack.ports import free_port

#: Before it is measured, in seconds.
SETTLE = 20


@dataclass(frozen=True, slots=True)
class Kind:
    """What is in flight: an operation whose late tasks are looked at every `every` seconds."""

    name: str
    provider: str
    operation: str
    dialect: str
    every: int
    #: A station this much slower than usual has intervals that much longer.
    speed: float


SINGLE = Kind("single", "kling", "text2video", "kling.relay", 30, 0.5)
BATCH = Kind("batch", "midjourney", "imagine", "midjourney.proxy", 15, 2.0)
SLOW_BATCH = Kind("slow_batch", "midjourney", "imagine", "midjourney.proxy", 60, 0.5)
KINDS = {kind.name: kind for kind in (SINGLE, BATCH, SLOW_BATCH)}
#: Rows that are stored in a second, at least: the first looks are due once all of them are there.
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
    """
    All sizes, kinds and stores, for a minute each; or those of FLIGHT_ROWS, as
    `100000:single:2:PostgreSQL` or `1000000:slow_batch:2:PostgreSQL`, for FLIGHT_SECONDS.
    """
    rows = os.environ.get("FLIGHT_ROWS", "").split() or [
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
        spec = KINDS[kind]
        measured = measure(int(size), spec, int(workers), store)
        title = f"{int(size):,}, {kind.replace('_', ' ')} every {spec.every} s, {workers}, {store}"
        print(measured.row(title) if measured else f"| {title} | not installed |", flush=True)


def measure(size: int, kind: Kind, workers: int, store_name: str) -> Flight | None:
    with site() as ground:
        store = the_store(ground, store_name)
        if store is None:
            return None
        first = asyncio.run(fill(store.url, kind, size))
        port = free_port()
        environment = settings(ground, kind, store.url, port)
        pids = {} if store.pid is None else {"database": store.pid}
        names = [f"worker{number}" for number in range(workers)]
        with ExitStack() as stack:
            stub = ("-m", "ops.bench.stub", "--port", str(port))
            pids["stub"] = stack.enter_context(ground.running("stub", stub, {}))
            for name in names:
                worker = ground.running(name, (*GENQ, "worker"), environment)
                pids[name] = stack.enter_context(worker)
            for name in names:
                ground.wait_until(lambda name=name: ready(ground, name), name, every=0.1)
            until_first = (first - datetime.now(UTC)).total_seconds()
            sleep(max(SETTLE, until_first + SETTLE))
            return asyncio.run(watched(store.url, port, pids))


def ready(ground: Site, worker: str) -> bool:
    return "worker_ready" in ground.log(worker).read_text(errors="replace")


def settings(ground: Site, kind: Kind, url: str, port: int) -> dict[str, str]:
    stations = ground.folder / "stations.toml"
    stations.write_text(
        STATIONS.format(port=port, speed=kind.speed, provider=kind.provider, dialect=kind.dialect)
    )
    return {
        "GENQ_DATABASE_URL": url,
        "GENQ_REDIS_URL": ground.broker.url,
        "GENQ_STATIONS_FILE": str(stations),
        "GENQ_DATA_DIR": str(ground.folder),
        "BENCH_KEY": "sk-bench",
    }


async def fill(url: str, kind: Kind, size: int) -> datetime:
    """
    Running jobs, an hour old, whose next looks are spread over one interval; when the first is due.
    """
    now, jitter = datetime.now(UTC), Random(1)
    born = now - timedelta(hours=1)
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
        created_at=born,
        updated_at=born,
        submitted_at=born,
        started_at=born,
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
                        wake_at=first + timedelta(seconds=jitter.random() * kind.every),
                    )
                )
                for number in range(begin, min(begin + 2000, size))
            ]
            async with store.database.writing() as connection:
                await connection.execute(jobs.insert(), rows)
    finally:
        await store.close()
    return first
