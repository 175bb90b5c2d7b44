"""Webhook deliveries: throughput, delay, and the effect of a receiver that hangs.

Compares deliveries per second of one worker process with a plain loop over httpx, and measures the
delay from the end of a job to its first attempt.
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
from ops.bench.stores import stores
from ops.bench.submit import plain_url
from ops.bench.usage import usage
from ops.bench.workspace import GENQ, Workspace, temporary_workspace
from ops.stack.ports import free_port
from worker.context import WorkerContext
from worker.webhooks.delivery import DeliveryPipeline

BACKLOG = 4000
PAIRS = 3
EVENTS_A_SECOND = 200
LOAD_SECONDS = 10
TIMEOUT_SECONDS = 90
RECEIVERS = 50


@dataclass(frozen=True, slots=True)
class DeliverySetup:
    """What one series is measured with."""

    workspace: Workspace
    store_url: str
    receiver: str


def main() -> None:
    """Measure on SQLite and, if installed, on PostgreSQL; print a table."""
    with temporary_workspace() as workspace, receiving(workspace) as receiver:
        print(
            "| store | genq deliveries/s | plain deliveries/s | ratio, pair by pair"
            " | CPU a delivery genq / plain | commit to attempt p50 / p95 | beside a hung one p95 |"
        )
        print("|---|---|---|---|---|---|---|")
        for store in stores(workspace):
            measure(store.name, DeliverySetup(workspace, store.url, receiver))


def measure(name: str, setup: DeliverySetup) -> None:
    ours: list[Mapping[str, float]] = []
    plain: list[Mapping[str, float]] = []
    for _ in range(PAIRS):
        ours.append(backlog(setup))
        plain.append(plain_backlog(setup))
    calm = at_steady_rate(setup, [f"{setup.receiver}/hook"])
    others = [f"{setup.receiver}/{number}" for number in range(1, RECEIVERS)]
    beside = at_steady_rate(setup, [f"http://localhost:{port_of(setup.receiver)}/hang", *others])
    ratios = ", ".join(
        f"{our['rate'] / their['rate']:.1f}" for our, their in zip(ours, plain, strict=True)
    )
    print(
        f"| {name} | {median(ours, 'rate'):,.0f} | {median(plain, 'rate'):,.0f} | {ratios}"
        f" | {median(ours, 'cpu') * 1000:.2f} / {median(plain, 'cpu') * 1000:.2f} ms"
        f" | {calm['late_p50'] * 1000:.0f} / {calm['late_p95'] * 1000:.0f} ms"
        f" | {beside['late_p95'] * 1000:.0f} ms of {beside['count']:.0f} |",
        flush=True,
    )


def median(runs: list[Mapping[str, float]], name: str) -> float:
    return statistics.median(run[name] for run in runs)


def backlog(setup: DeliverySetup) -> Mapping[str, float]:
    """Start a worker with a backlog; return deliveries per second and CPU seconds per delivery."""
    asyncio.run(insert_backlog(setup.store_url, f"{setup.receiver}/hook"))
    counted(setup.receiver)
    with working(setup) as worker:
        already = wait_for_count(setup, 1)["count"]
        cpu = usage(worker).cpu_seconds
        all_of_them = wait_for_count(setup, BACKLOG)
        cpu = usage(worker).cpu_seconds - cpu
    seconds = all_of_them["last"] - all_of_them["first"]
    return {"rate": all_of_them["count"] / seconds, "cpu": cpu / (BACKLOG - already)}


def plain_backlog(setup: DeliverySetup) -> Mapping[str, float]:
    answer = subprocess.run(
        [
            *(sys.executable, "-m", "ops.bench.plain_deliveries"),
            *(f"{setup.receiver}/hook", str(BACKLOG)),
        ],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PLAIN_DATABASE_URL": plain_url(setup.store_url)},
    )
    took = json.loads(answer.stdout)
    counted(setup.receiver)
    return {"rate": BACKLOG / took["seconds"], "cpu": took["cpu"] / BACKLOG}


def at_steady_rate(setup: DeliverySetup, urls: list[str]) -> Mapping[str, float]:
    """End jobs at a steady rate, with these webhook URLs in turn.

    Returns percentiles of the seconds from commit to first attempt.
    """
    counted(setup.receiver)
    committed = asyncio.run(end_jobs_at_rate(setup, urls))
    notified = [job_id for job_id, (url, _) in committed.items() if not url.endswith("/hang")]
    came = counted(setup.receiver, "/jobs")
    late = [came[job_id] - committed[job_id][1] for job_id in notified if job_id in came]
    return {
        "late_p50": statistics.median(late),
        "late_p95": statistics.quantiles(late, n=20)[18],
        "count": len(late),
    }


async def end_jobs_at_rate(
    setup: DeliverySetup, urls: list[str]
) -> Mapping[str, tuple[str, float]]:
    """Return, by job, its webhook URL and the time its end was committed."""
    known: dict[str, Any] = {
        "_env_file": None,
        "database_url": setup.store_url,
        "redis_url": setup.workspace.broker.url,
        "webhook_allow_http": True,
        "webhook_allowed_networks": "127.0.0.0/8,::1/128",
        "webhook_allowed_ports": "any",
        "log_level": "WARNING",
    }
    settings = Settings(**known)
    configure_logging(settings)
    context = WorkerContext(settings, Stations(()), celery_app(settings), "bench")
    deliveries = DeliveryPipeline(context)
    jobs = await insert_jobs(context.store, urls, EVENTS_A_SECOND * LOAD_SECONDS)
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
    notified = {job_id for job_id, (url, _) in committed.items() if not url.endswith("/hang")}
    give_up_at = monotonic() + TIMEOUT_SECONDS
    while not notified <= (await asyncio.to_thread(counted, setup.receiver, "/jobs")).keys():
        if monotonic() > give_up_at:
            break
        await asyncio.sleep(0.2)
    context.is_stopping = True
    await deliveries.drain()
    await running
    await context.sender.aclose()
    await context.store.close()
    return committed


async def insert_backlog(store_url: str, url: str) -> None:
    """Insert ended jobs whose webhooks are due."""
    store = Store(store_url)
    jobs = await insert_jobs(store, [url], BACKLOG)
    await asyncio.gather(*(store.jobs.change(job.id, failed) for job, _ in jobs))
    await store.close()


async def insert_jobs(store: Store, urls: list[str], count: int) -> list[tuple[Job, str]]:
    """Insert this many jobs; return each with the URL of its webhook."""
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
def receiving(workspace: Workspace) -> Generator[str]:
    """Run a receiver process; yield its URL."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with workspace.serving("receiver", ("-m", "ops.bench.receiver", str(port)), {}, url):
        yield url


@contextmanager
def working(setup: DeliverySetup) -> Generator[int]:
    """Run a worker process; yield its pid."""
    environment = {
        "GENQ_DATABASE_URL": setup.store_url,
        "GENQ_REDIS_URL": setup.workspace.broker.url,
        "GENQ_STATION_URL": "http://127.0.0.1:9",
        "GENQ_STATION_KEY": "none",
        "GENQ_WEBHOOK_ALLOW_HTTP": "true",
        "GENQ_WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8,::1/128",
        "GENQ_WEBHOOK_ALLOWED_PORTS": "any",
        "GENQ_LOG_LEVEL": "WARNING",
    }
    with setup.workspace.running("worker", (*GENQ, "worker"), environment) as pid:
        yield pid


def counted(receiver: str, path: str = "/anew") -> Mapping[str, float]:
    with urllib.request.urlopen(receiver + path, timeout=10) as answer:
        return json.load(answer)


def wait_for_count(setup: DeliverySetup, count: int) -> Mapping[str, float]:
    """Return the receiver's counts once it has counted this many."""
    deadline = monotonic() + TIMEOUT_SECONDS
    while (so_far := counted(setup.receiver, "/"))["count"] < count:
        if monotonic() > deadline:
            break
        sleep(0.02)
    return so_far


def port_of(url: str) -> str:
    return url.rpartition(":")[2]
