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
import urllib.request
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice
from time import monotonic, sleep, time
from typing import Any

from ulid import ULID

from generation.contract.errors import ErrorCode
from generation.job import Job, JobError, JobState, Webhook
from generation.logs import configure_logging
from generation.queue import celery_app
from generation.settings import Settings
from generation.stations.station import Stations
from generation.store import Store, new_key
from generation.webhooks.signature import new_secret
from ops.bench.site import GENQ, Site, site
from ops.bench.stores import stores
from ops.bench.submit import plain_url
from ops.bench.usage import usage
from ops.stack.ports import free_port
from worker.context import WorkerContext
from worker.webhooks.delivery import DeliveryPipeline

BACKLOG = 4000
PAIRS = 3
EVENTS_A_SECOND = 200
LOAD_SECONDS = 10
PATIENCE_SECONDS = 90
RECEIVERS = 50


@dataclass(frozen=True, slots=True)
class Place:
    """Where one series is measured."""

    site: Site
    store_url: str
    receiver: str


def main() -> None:
    """Measure on SQLite and, where it is installed, on PostgreSQL; print a table."""
    with site() as ground, receiving(ground) as receiver:
        print(
            "| store | genq deliveries/s | plain deliveries/s | ratio, pair by pair"
            " | CPU a delivery genq / plain | commit to attempt p50 / p95 | beside a hung one p95 |"
        )
        print("|---|---|---|---|---|---|---|")
        for store in stores(ground):
            measure(store.name, Place(ground, store.url, receiver))


def measure(name: str, place: Place) -> None:
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
    asyncio.run(backlogged(place.store_url, f"{place.receiver}/hook"))
    counted(place.receiver)
    with working(place) as worker:
        already = when(place, 1)["count"]
        cpu = usage(worker).cpu_seconds
        all_of_them = when(place, BACKLOG)
        cpu = usage(worker).cpu_seconds - cpu
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
    """
    A worker that learns of endings at an even pace and tells these URLs in turn: how long after the
    commit each first attempt came.
    """
    counted(place.receiver)
    committed = asyncio.run(learned_and_told(place, urls))
    told = [job_id for job_id, (url, _) in committed.items() if not url.endswith("/hang")]
    came = counted(place.receiver, "/jobs")
    late = [came[job_id] - committed[job_id][1] for job_id in told if job_id in came]
    return {
        "late_p50": statistics.median(late),
        "late_p95": statistics.quantiles(late, n=20)[18],
        "count": len(late),
    }


async def learned_and_told(place: Place, urls: list[str]) -> Mapping[str, tuple[str, float]]:
    """By job: who is told of it, and when its ending was committed."""
    known: dict[str, Any] = {
        "_env_file": None,
        "database_url": place.store_url,
        "redis_url": place.site.broker.url,
        "webhook_allow_http": True,
        "webhook_allowed_networks": "127.0.0.0/8,::1/128",
        "webhook_allowed_ports": "any",
        "log_level": "WARNING",
    }
    settings = Settings(**known)
    configure_logging(settings)
    context = WorkerContext(settings, Stations(()), celery_app(settings), "bench")
    deliveries = DeliveryPipeline(context)
    jobs = await born(context.store, urls, EVENTS_A_SECOND * LOAD_SECONDS)
    running = asyncio.create_task(deliveries.run())
    committed: dict[str, tuple[str, float]] = {}

    async def end(job: Job, url: str) -> None:
        await context.save(job.id, failed)
        committed[job.id] = (url, time())

    began = monotonic()
    ending: list[asyncio.Task[None]] = []
    for number, (job, url) in enumerate(jobs):
        wait = began + number / EVENTS_A_SECOND - monotonic()
        await asyncio.sleep(max(0.0, wait))
        ending.append(asyncio.create_task(end(job, url)))
    await asyncio.gather(*ending)
    told = {job_id for job_id, (url, _) in committed.items() if not url.endswith("/hang")}
    give_up_at = monotonic() + PATIENCE_SECONDS
    while not told <= (await asyncio.to_thread(counted, place.receiver, "/jobs")).keys():
        if monotonic() > give_up_at:
            break
        await asyncio.sleep(0.2)
    context.is_stopping = True
    await deliveries.drain()
    await running
    await context.sender.aclose()
    await context.store.close()
    return committed


async def backlogged(store_url: str, url: str) -> None:
    """So many jobs that have ended, and nobody was told."""
    store = Store(store_url)
    jobs = await born(store, [url], BACKLOG)
    await asyncio.gather(*(store.jobs.change(job.id, failed) for job, _ in jobs))
    await store.close()


async def born(store: Store, urls: list[str], count: int) -> list[tuple[Job, str]]:
    """So many jobs, each with the URL of its webhook."""
    key = await store.keys.add("bench", new_key(), new_secret(), datetime.now(UTC))
    pairs = [(new_job(key.id, url), url) for url in islice(cycle(urls), count)]
    await asyncio.gather(*(store.jobs.insert(job) for job, _ in pairs))
    return pairs


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
def receiving(ground: Site) -> Generator[str]:
    """A receiver of its own process, by its URL."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with ground.serving("receiver", ("-m", "ops.bench.receiver", str(port)), {}, url):
        yield url


@contextmanager
def working(place: Place) -> Generator[int]:
    """A worker process, by its id."""
    environment = {
        "GENQ_DATABASE_URL": place.store_url,
        "GENQ_REDIS_URL": place.site.broker.url,
        "GENQ_STATION_URL": "http://127.0.0.1:9",
        "GENQ_STATION_KEY": "none",
        "GENQ_WEBHOOK_ALLOW_HTTP": "true",
        "GENQ_WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8,::1/128",
        "GENQ_WEBHOOK_ALLOWED_PORTS": "any",
        "GENQ_LOG_LEVEL": "WARNING",
    }
    with place.site.running("worker", (*GENQ, "worker"), environment) as pid:
        yield pid


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
