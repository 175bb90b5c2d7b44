"""
Whole lives: two thousand jobs that take five seconds upstream, from the order to the webhook, at
genq and at what people would build without it. All against the same sandbox, one after the other.
"""

import asyncio
import os
import statistics
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from time import monotonic, sleep
from typing import Any

from ops.bench.deployment import PROMPT, running_genq, submit_jobs
from ops.bench.shared_services import (
    TASK_SECONDS,
    SharedServices,
    cpu_of,
    running_services,
    stats,
    upstream_end_times,
)
from ops.bench.usage import usage

JOBS = int(os.environ.get("END_TO_END_JOBS", "2000"))
#: A contender that has not told of every job by then has not finished.
TIMEOUT_SECONDS = 180
SAMPLE_SECONDS = 1
#: A warm-up that has not come back is sent again after so many questions, ten seconds.
WARM_AGAIN = 10


@dataclass(frozen=True, slots=True)
class Contender:
    """A way to see jobs through: the processes it is made of, and how jobs are given to it."""

    name: str
    module: str = ""
    command: Sequence[str] = ()
    jobs: int = JOBS


@dataclass(frozen=True, slots=True)
class EndToEndResult:
    """One measurement."""

    name: str
    jobs: int
    received: int
    seconds: float
    lags: Sequence[float]
    looks: int
    #: Of its own processes, and of the broker and the database it has.
    cpu_seconds: float
    services_cpu_seconds: float
    #: The most its own processes had resident together.
    peak_bytes: int

    def row(self) -> str:
        done = max(1, self.received)
        lags = sorted(self.lags)
        p99 = lags[min(len(lags) - 1, len(lags) * 99 // 100)] if lags else 0
        median = statistics.median(lags) if lags else 0
        received = (
            f"{self.received:,}"
            if self.received == self.jobs
            else f"{self.received:,} of {self.jobs:,}"
        )
        return (
            f"| {self.name} | {received} | {self.received / self.seconds:.0f} | {median:.2f} / {p99:.2f}"
            f" | {self.looks / done:.1f} | {self.cpu_seconds / done * 1000:.1f}"
            f" | {self.services_cpu_seconds / done * 1000:.1f}"
            f" | {self.peak_bytes / 1e6:.0f} |"
        )


CELERY = ("-m", "celery", "-A")
CONTENDERS = (
    Contender(
        "Celery, prefork, `time.sleep`, 16 processes",
        "ops.bench.sleeping",
        (*CELERY, "ops.bench.sleeping:app", "worker", "--concurrency=16", "--loglevel=WARNING"),
        jobs=max(1, JOBS // 10),
    ),
    Contender(
        "Celery, 100 threads, `time.sleep`",
        "ops.bench.sleeping",
        (
            *(*CELERY, "ops.bench.sleeping:app", "worker", "--pool=threads"),
            *("--concurrency=100", "--loglevel=WARNING"),
        ),
    ),
    Contender(
        "Celery, `self.retry(countdown=1)`, 4 processes",
        "ops.bench.retrying",
        (*CELERY, "ops.bench.retrying:app", "worker", "--concurrency=4", "--loglevel=WARNING"),
    ),
    Contender(
        "taskiq, a coroutine a job, 2 processes",
        "ops.bench.coroutines",
        (
            *("-m", "taskiq", "worker", "ops.bench.coroutines:broker", "--workers", "2"),
            *("--max-async-tasks", "2000", "--log-level", "WARNING"),
        ),
    ),
)


def main() -> None:
    """Measure all; print a table."""
    print(
        "| | told | jobs/s | done to told, median / p99 (s) | looks a job | CPU ms a job |"
        " broker and database | peak MB |"
    )
    print("|---|---|---|---|---|---|---|---|")
    with running_services() as shared:
        for contender in CONTENDERS:
            print(measure_contender(shared, contender).row(), flush=True)
            shared.workspace.broker.flushall()
        print(measure_genq(shared).row(), flush=True)


def measure_contender(shared: SharedServices, contender: Contender) -> EndToEndResult:
    environment = {
        "BENCH_STATION": shared.station,
        "BENCH_HOOK": shared.recorder.url,
        "BENCH_REDIS_URL": shared.workspace.broker.url,
    }
    os.environ.update(environment)
    module = import_module(contender.module)
    with shared.workspace.running(contender.module, contender.command, environment) as pid:
        warm_up(shared, module, contender)
        names = [f"{contender.name} {number}" for number in range(contender.jobs)]
        return run_jobs(shared, contender, [pid], [], lambda: send_jobs(module, names))


def warm_up(shared: SharedServices, module: Any, contender: Contender) -> None:
    """See one job through. What is sent before a Celery worker has bound its queue is lost."""
    shared.recorder.received.clear()
    asked = 0

    def received() -> bool:
        nonlocal asked
        if shared.recorder.received:
            return True
        if asked % WARM_AGAIN == 0:
            send_jobs(module, [f"warm-up {asked}"])
        asked += 1
        return False

    shared.workspace.wait_until(received, contender.module)
    # The others that were sent have not come through yet, or never will.
    sleep(2 * TASK_SECONDS if asked > WARM_AGAIN else 0)
    shared.recorder.received.clear()


def send_jobs(module: Any, names: Sequence[str]) -> None:
    """Hand these jobs over, as its framework does it."""
    if hasattr(module, "broker"):
        asyncio.run(send_taskiq_jobs(module, names))
        return
    for name in names:
        module.generate.delay(name, PROMPT)


async def send_taskiq_jobs(module: Any, names: Sequence[str]) -> None:
    await module.broker.startup()
    for name in names:
        await module.generate.kiq(name, PROMPT)
    await module.broker.shutdown()


def measure_genq(shared: SharedServices) -> EndToEndResult:
    """genq: one API, one worker with the default settings, PostgreSQL."""
    with running_genq(shared) as genq:
        return run_jobs(
            shared,
            Contender("genq, one API, one worker, PostgreSQL"),
            list(genq.pids.values()),
            [genq.database],
            lambda: submit_jobs(genq, shared.recorder.url, JOBS),
        )


def run_jobs(
    shared: SharedServices,
    contender: Contender,
    pids: Sequence[int],
    services: Sequence[int],
    begin: Callable[[], None],
) -> EndToEndResult:
    """Let it see its jobs through, and look at what it uses meanwhile."""
    services = [*services, shared.workspace.broker.pid or 0]
    before, services_before = cpu_of(pids), cpu_of(services)
    looks_before = stats(shared)["looks"]
    began = monotonic()
    giving = threading.Thread(target=begin, daemon=True)
    giving.start()
    peak = 0
    while len(shared.recorder.received) < contender.jobs and monotonic() < began + TIMEOUT_SECONDS:
        peak = max(peak, sum(usage(pid).memory_bytes for pid in pids))
        sleep(SAMPLE_SECONDS)
    seconds = monotonic() - began
    giving.join()
    received = dict(shared.recorder.received)
    ended = upstream_end_times(shared)
    return EndToEndResult(
        name=contender.name,
        jobs=contender.jobs,
        received=len(received),
        seconds=seconds,
        lags=[at - ended[job] for job, at in received.items() if job in ended],
        looks=stats(shared)["looks"] - looks_before,
        cpu_seconds=cpu_of(pids) - before,
        services_cpu_seconds=cpu_of(services) - services_before,
        peak_bytes=peak,
    )
