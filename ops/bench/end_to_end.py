"""Complete jobs, from submission to webhook, at genq and at what people would build without it.

By default two thousand jobs that take five seconds upstream. All contenders use the same sandbox,
one after the other.
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
#: A contender that has not sent all webhooks by then counts as unfinished.
TIMEOUT_SECONDS = 180
SAMPLE_SECONDS = 1
#: An unfinished warm-up job is sent again after this many polls (ten seconds).
WARM_AGAIN = 10


@dataclass(frozen=True, slots=True)
class Contender:
    """A way to run jobs: its processes, and how it receives jobs."""

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
    #: CPU of its own processes, and of its broker and database.
    cpu_seconds: float
    services_cpu_seconds: float
    #: Peak resident memory of its own processes together.
    peak_bytes: int

    def row(self) -> str:
        completed = max(1, self.received)
        lags = sorted(self.lags)
        p99 = lags[min(len(lags) - 1, len(lags) * 99 // 100)] if lags else 0
        median = statistics.median(lags) if lags else 0
        received = (
            f"{self.received:,}"
            if self.received == self.jobs
            else f"{self.received:,} of {self.jobs:,}"
        )
        return (
            f"| {self.name} | {received} | {self.received / self.seconds:.0f}"
            f" | {median:.2f} / {p99:.2f}"
            f" | {self.looks / completed:.1f} | {self.cpu_seconds / completed * 1000:.1f}"
            f" | {self.services_cpu_seconds / completed * 1000:.1f}"
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
    """Measure all contenders; print a table."""
    print(
        "| | webhooks | jobs/s | end to webhook, median / p99 (s) | polls a job | CPU ms a job |"
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
    """Complete one job. Messages sent before a Celery worker has bound its queue are lost."""
    shared.recorder.received.clear()
    polls = 0

    def received() -> bool:
        nonlocal polls
        if shared.recorder.received:
            return True
        if polls % WARM_AGAIN == 0:
            send_jobs(module, [f"warm-up {polls}"])
        polls += 1
        return False

    shared.workspace.wait_until(received, contender.module)
    # Let repeated warm-up jobs finish; lost ones never will.
    sleep(2 * TASK_SECONDS if polls > WARM_AGAIN else 0)
    shared.recorder.received.clear()


def send_jobs(module: Any, names: Sequence[str]) -> None:
    """Submit these jobs the way the framework does it."""
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
    """Measure genq: one API, one default worker, PostgreSQL."""
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
    start_jobs: Callable[[], None],
) -> EndToEndResult:
    """Run the contender's jobs and sample its resource use."""
    services = [*services, shared.workspace.broker.pid or 0]
    before, services_before = cpu_of(pids), cpu_of(services)
    looks_before = stats(shared)["looks"]
    began = monotonic()
    sender = threading.Thread(target=start_jobs, daemon=True)
    sender.start()
    peak = 0
    while len(shared.recorder.received) < contender.jobs and monotonic() < began + TIMEOUT_SECONDS:
        peak = max(peak, sum(usage(pid).memory_bytes for pid in pids))
        sleep(SAMPLE_SECONDS)
    seconds = monotonic() - began
    sender.join()
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
