"""A soak test: jobs arrive steadily for twenty minutes, each running five seconds.

Memory of the processes and delay of webhooks must not grow.
"""

import os
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import monotonic, sleep

from ops.bench.deployment import GenqDeployment, running_genq, submit_jobs
from ops.bench.shared_services import SharedServices, running_services, upstream_end_times
from ops.bench.usage import usage

MINUTES = int(os.environ.get("SOAK_MINUTES", "20"))
#: Jobs per second.
JOBS_A_SECOND = int(os.environ.get("SOAK_JOBS", "20"))
#: Seconds per row of the table.
ROW_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Stretch:
    """Two minutes of the test."""

    jobs: int
    memory: Mapping[str, int]


def main() -> None:
    """Measure; print a row for every two minutes."""
    with running_services() as shared, running_genq(shared) as genq:
        stretches = [stretch(shared, genq) for _ in range(MINUTES * 60 // ROW_SECONDS)]
        ordered = sum(each.jobs for each in stretches)
        shared.workspace.wait_until(lambda: len(shared.recorder.received) == ordered, "worker")
        report(stretches, lags(shared, len(stretches)))


def stretch(shared: SharedServices, genq: GenqDeployment) -> Stretch:
    """Submit jobs every second for one row and read the memory at its end."""
    began, ordered = monotonic(), 0
    for second in range(ROW_SECONDS):
        submit_jobs(genq, shared.recorder.url, JOBS_A_SECOND)
        ordered += JOBS_A_SECOND
        sleep(max(0.0, began + second + 1 - monotonic()))
    return Stretch(ordered, {name: usage(pid).memory_bytes for name, pid in genq.pids.items()})


def lags(shared: SharedServices, rows: int) -> list[list[float]]:
    """Return seconds from upstream end to webhook, by row, in order of the webhooks."""
    ended = upstream_end_times(shared)
    received = sorted(shared.recorder.received.items(), key=lambda each: each[1])
    late = [at - ended[job] for job, at in received if job in ended]
    size = len(late) // rows
    return [late[row * size : (row + 1) * size] for row in range(rows)]


def report(stretches: Sequence[Stretch], late: Sequence[Sequence[float]]) -> None:
    print("| minute | jobs | API, MB | worker, MB | end to webhook, median / p99 (s) |")
    print("|---|---|---|---|---|")
    for number, (each, lag) in enumerate(zip(stretches, late, strict=True), 1):
        p99 = statistics.quantiles(lag, n=100)[98]
        print(
            f"| {number * ROW_SECONDS // 60} | {each.jobs:,} | {each.memory['api'] / 1e6:.0f}"
            f" | {each.memory['worker'] / 1e6:.0f} | {statistics.median(lag):.2f} / {p99:.2f} |",
            flush=True,
        )
