"""
Webhooks: deliveries a second of one worker process against a plain loop over httpx, how soon after
an ending its first attempt arrives, and what a receiver that hangs costs the others.
"""

import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from ulid import ULID

from generation.errors import ErrorCode
from generation.job import Job, JobError, JobState, Webhook
from generation.store import Store, migrate, new_key
from generation.webhooks.signature import new_secret
from ops.bench.submit import plain_url, wait_for_answer
from ops.stack.broker import BrokerProcess, local_broker
from ops.stack.keeper import Keeper, kill_group
from ops.stack.ports import free_port
from tests.services.postgres import Cluster
from tests.services.postgres_installation import PostgresUnavailable, installation

BACKLOG = 4000
PAIRS = 3
EVENTS_A_SECOND = 200
LOAD_SECONDS = 10
PATIENCE_SECONDS = 90
RECEIVERS = 50
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Place:
    """Where one series is measured."""

    folder: Path
    keeper: Keeper
    broker: BrokerProcess
    store_url: str
    receiver: str


def main() -> None:
    """Measure on SQLite and, where it is installed, on PostgreSQL; print a table."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        keeper = stack.enter_context(Keeper())
        broker = stack.enter_context(BrokerProcess(local_broker(folder / "b", os.environ), keeper))
        receiver = stack.enter_context(receiving(folder, keeper))
        place = Place(folder, keeper, broker, f"sqlite+aiosqlite:///{folder}/bench.db", receiver)
        print(
            "| store | genq deliveries/s | plain deliveries/s | ratio, pair by pair"
            " | CPU a delivery genq / plain | event to attempt p50 / p95 | beside a hung one p95 |"
        )
        print("|---|---|---|---|---|---|---|")
        measure("SQLite", place)
        try:
            found = stack.enter_context(installation(os.environ))
        except PostgresUnavailable:
            return
        cluster = stack.enter_context(Cluster(found, "bench", keeper, durable=True))
        measure("PostgreSQL", replace(place, store_url=cluster.create_database("bench")))


def measure(name: str, place: Place) -> None:
    migrate(place.store_url)
    ours: list[Mapping[str, float]] = []
    plain: list[Mapping[str, float]] = []
    for _ in range(PAIRS):
        ours.append(backlog(place))
        plain.append(plain_backlog(place))
    calm = at_a_pace(place, [f"{place.receiver}/hook"])
    others = [f"{place.receiver}/{number}" for number in range(1, RECEIVERS)]
    beside = at_a_pace(place, [f"http://localhost:{port_of(place.receiver)}/hang", *others])
    ratios = ", ".join(
        f"{our['rate'] / their['rate']:.1f}" for our, their in zip(ours, plain, strict=True)
    )
    print(
        f"| {name} | {middle(ours, 'rate'):,.0f} | {middle(plain, 'rate'):,.0f} | {ratios}"
        f" | {middle(ours, 'cpu') * 1000:.2f} / {middle(plain, 'cpu') * 1000:.2f} ms"
        f" | {calm['late_p50'] * 1000:.0f} / {calm['late_p95'] * 1000:.0f} ms"
        f" | {beside['late_p95'] * 1000:.0f} ms of {beside['count']:.0f} |",
        flush=True,
    )


def middle(runs: list[Mapping[str, float]], name: str) -> float:
    return statistics.median(run[name] for run in runs)


def backlog(place: Place) -> Mapping[str, float]:
    """A worker that starts with so many deliveries due: their rate, and CPU seconds for each."""
    asyncio.run(ended(place.store_url, [f"{place.receiver}/hook"], BACKLOG, timedelta()))
    counted(place.receiver)
    with working(place) as worker:
        already = when(place, 1)["count"]
        cpu = cpu_seconds(worker)
        all_of_them = when(place, BACKLOG)
        cpu = cpu_seconds(worker) - cpu
    seconds = all_of_them["last"] - all_of_them["first"]
    return {"rate": all_of_them["count"] / seconds, "cpu": cpu / (BACKLOG - already)}


def plain_backlog(place: Place) -> Mapping[str, float]:
    answer = subprocess.run(
        [
            *(sys.executable, "-m", "ops.bench.plain_deliveries"),
            *(f"{place.receiver}/hook", str(BACKLOG)),
        ],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PLAIN_DATABASE_URL": plain_url(place.store_url)},
    )
    took = json.loads(answer.stdout)
    counted(place.receiver)
    return {"rate": BACKLOG / took["seconds"], "cpu": took["cpu"] / BACKLOG}


def at_a_pace(place: Place, urls: list[str]) -> Mapping[str, float]:
    """Events at an even pace, told to these URLs in turn, beside a running worker."""
    with working(place):
        sleep(3)
        counted(place.receiver)
        events = EVENTS_A_SECOND * LOAD_SECONDS
        every = timedelta(seconds=1 / EVENTS_A_SECOND)
        asyncio.run(ended(place.store_url, urls, events, every))
        hung = sum(1 for number in range(events) if urls[number % len(urls)].endswith("/hang"))
        return when(place, events - hung)


async def ended(store_url: str, urls: list[str], count: int, every: timedelta) -> None:
    """So many jobs that end, one `every` so often (all together where that is nothing)."""
    store = Store(store_url)
    key = await store.keys.add("bench", new_key(), new_secret(), datetime.now(UTC))
    jobs = [new_job(key.id, urls[number % len(urls)]) for number in range(count)]
    await asyncio.gather(*(store.jobs.insert(job) for job in jobs))
    began = monotonic()
    ending: list[asyncio.Task[Any]] = []
    for number, job in enumerate(jobs):
        wait = began + number * every.total_seconds() - monotonic()
        if wait > 0:
            await asyncio.sleep(wait)
        ending.append(asyncio.create_task(store.jobs.change(job.id, failed)))
    await asyncio.gather(*ending)
    await store.close()


def new_job(key_id: str, url: str) -> Job:
    now = datetime.now(UTC)
    return Job(
        id=f"job_{ULID()}",
        tenant="bench",
        api_key_id=key_id,
        provider="kling",
        operation="text2video",
        input={"prompt": "a lighthouse at dusk, slow pan"},
        webhook=Webhook(url=url),
        created_at=now,
        updated_at=now,
        deadline=now + timedelta(hours=1),
    )


def failed(job: Job) -> Job:
    error = JobError(code=ErrorCode.UPSTREAM_FAILED, message="no")
    now = datetime.now(UTC)
    return job.move(JobState.FAILED, now, error=error, finished_at=now, wake_at=None)


@contextmanager
def receiving(folder: Path, keeper: Keeper) -> Generator[str]:
    """A receiver of its own process, by its URL."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with (folder / "receiver.log").open("ab") as log:
        process = keeper.launch(
            [sys.executable, "-m", "ops.bench.receiver", str(port)], output=log, env=os.environ
        )
    wait_for_answer(url, process, folder / "receiver.log")
    yield url
    kill_group(process.pid)
    process.wait()
    keeper.release(process.pid)


@contextmanager
def working(place: Place) -> Generator[int]:
    """A worker process, by its id."""
    environment = {
        "GENQ_DATABASE_URL": place.store_url,
        "GENQ_REDIS_URL": place.broker.url,
        "GENQ_STATION_URL": "http://127.0.0.1:9",
        "GENQ_STATION_KEY": "none",
        "GENQ_WEBHOOK_ALLOW_HTTP": "true",
        "GENQ_WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8,::1/128",
        "GENQ_WEBHOOK_ALLOWED_PORTS": "any",
        "GENQ_LOG_LEVEL": "WARNING",
    }
    with (place.folder / "worker.log").open("ab") as log:
        process = place.keeper.launch(
            [sys.executable, "-c", "from ops.cli import main; main()", "worker"],
            output=log,
            env={**os.environ, **environment},
        )
    try:
        yield process.pid
    finally:
        kill_group(process.pid)
        process.wait()
        place.keeper.release(process.pid)


def cpu_seconds(process_id: int) -> float:
    fields = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_A_SECOND


def counted(receiver: str, path: str = "/anew") -> Mapping[str, float]:
    with urllib.request.urlopen(receiver + path, timeout=10) as answer:
        return json.load(answer)


def when(place: Place, count: int) -> Mapping[str, float]:
    """What the receiver has counted, once that is so many."""
    deadline = monotonic() + PATIENCE_SECONDS
    while (so_far := counted(place.receiver, "/"))["count"] < count:
        if monotonic() > deadline:
            break
        sleep(0.02)
    return so_far


def port_of(url: str) -> str:
    return url.rpartition(":")[2]
