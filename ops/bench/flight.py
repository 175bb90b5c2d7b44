"""
Jobs in flight: how late looks are, and what they cost, with many thousands of running jobs.

Real worker processes with the default settings, a real database, and a stub for the upstream, all
on one machine. Lag is measured at the upstream's door: from the moment a job was due, as its row
said, to the moment the request about it arrived.
"""

import asyncio
import os
import sys
import tempfile
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from time import monotonic, sleep

from generation.job import Billed, Job, JobState
from generation.store import Store, migrate
from generation.store.rows import job_row
from generation.store.schema import jobs
from ops.bench.watching import Flight, watched
from ops.stack.broker import BrokerProcess, local_broker
from ops.stack.keeper import Keeper, kill_group
from ops.stack.ports import free_port
from tests.services.postgres import Cluster
from tests.services.postgres_installation import PostgresUnavailable, installation

#: Before it is measured, in seconds.
SETTLE = 20
START_SECONDS = 60


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
    `100000:single:2:PostgreSQL`, for FLIGHT_SECONDS.
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
        spec = SINGLE if kind == "single" else BATCH
        measured = measure(int(size), spec, int(workers), store)
        title = f"{int(size):,}, {kind} every {spec.every} s, {workers}, {store}"
        print(measured.row(title) if measured else f"| {title} | not installed |", flush=True)


def measure(size: int, kind: Kind, workers: int, store: str) -> Flight | None:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        keeper = stack.enter_context(Keeper())
        broker = stack.enter_context(BrokerProcess(local_broker(folder / "b", os.environ), keeper))
        url = f"sqlite+aiosqlite:///{folder}/bench.db"
        database: int | None = None
        if store == "PostgreSQL":
            try:
                found = stack.enter_context(installation(os.environ))
            except PostgresUnavailable:
                return None
            cluster = stack.enter_context(Cluster(found, "flight", keeper, durable=True))
            url = cluster.create_database("bench")
            database = cluster.pid
        migrate(url)
        asyncio.run(fill(url, kind, size))
        port = free_port()
        command = ["-m", "ops.bench.stub", "--port", str(port)]
        pids = {"stub": stack.enter_context(running(folder, keeper, "stub", command, {}))}
        if database is not None:
            pids["database"] = database
        for number in range(workers):
            name = f"worker{number}"
            environment = settings(folder, kind, url, broker.url, port)
            worker = ["-c", "from ops.cli import main; main()", "worker"]
            pids[name] = stack.enter_context(running(folder, keeper, name, worker, environment))
        for number in range(workers):
            wait_for(folder / f"worker{number}.log", "worker_ready")
        sleep(SETTLE)
        return asyncio.run(watched(url, port, pids))


def settings(folder: Path, kind: Kind, url: str, broker: str, port: int) -> dict[str, str]:
    stations = folder / "stations.toml"
    stations.write_text(
        STATIONS.format(port=port, speed=kind.speed, provider=kind.provider, dialect=kind.dialect)
    )
    return {
        "GENQ_DATABASE_URL": url,
        "GENQ_REDIS_URL": broker,
        "GENQ_STATIONS_FILE": str(stations),
        "GENQ_DATA_DIR": str(folder),
        "BENCH_KEY": "sk-bench",
    }


async def fill(url: str, kind: Kind, size: int) -> None:
    """Running jobs, an hour old, whose next looks are spread over one interval."""
    now, dice = datetime.now(UTC), Random(1)
    born = now - timedelta(hours=1)
    first = now + timedelta(seconds=SETTLE)
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
        progress=40 if kind is BATCH else None,
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
                        wake_at=first + timedelta(seconds=dice.random() * kind.every),
                    )
                )
                for number in range(begin, min(begin + 2000, size))
            ]
            async with store.database.writing() as connection:
                await connection.execute(jobs.insert(), rows)
    finally:
        await store.close()


@contextmanager
def running(
    folder: Path, keeper: Keeper, name: str, command: Sequence[str], environment: dict[str, str]
) -> Generator[int]:
    """One process, by its id, for as long as the block lasts."""
    with (folder / f"{name}.log").open("ab") as log:
        process = keeper.launch(
            [sys.executable, *command], output=log, env={**os.environ, **environment}
        )
    try:
        yield process.pid
    finally:
        kill_group(process.pid)
        process.wait()
        keeper.release(process.pid)


def wait_for(log: Path, words: str) -> None:
    deadline = monotonic() + START_SECONDS
    while words not in log.read_text(errors="replace"):
        if monotonic() > deadline:
            sys.exit(f"the worker did not start:\n{log.read_text(errors='replace')[-2000:]}")
        sleep(0.1)
