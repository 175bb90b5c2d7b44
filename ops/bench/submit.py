"""The submit path: jobs per second that one API process stores durably.

Compared with the baseline (same server, nothing stored) and the plain stack; also latency at a
steady rate, and reads per second. Then jobs with idempotency keys and limits (`claiming`). All run
on the same store and broker, in turn, several times; the ratios within each round count.
"""

import json
import shutil
import statistics
import urllib.request
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from ops.bench import claiming
from ops.bench.serving import CONNECTIONS, LoadResult, closed_load, open_load, serving_genq
from ops.bench.stores import added_key, stores
from ops.bench.workspace import Workspace, temporary_workspace
from ops.stack.ports import free_port

ROUNDS = 3
RATE = 500
READ = 200


@dataclass(frozen=True, slots=True)
class SubmitRound:
    """All variants, measured one right after the other."""

    baseline: LoadResult
    genq: LoadResult
    plain: LoadResult
    #: genq at `RATE` jobs per second, and its reads.
    steady: LoadResult
    reads: LoadResult

    def ratio(self, to: str) -> float:
        return self.genq["per_second"] / getattr(self, to)["per_second"]


def main() -> None:
    """Measure on SQLite and, if installed, on PostgreSQL; print a table."""
    by = "wrk" if shutil.which("wrk") else "ops.bench.load"
    print(f"Closed loops by {by}, {CONNECTIONS} connections; the steady rate by ops.bench.load.\n")
    print(
        "| store | baseline | genq jobs/s | plain | genq / baseline | genq / plain"
        f" | median, p99 at {RATE}/s | reads/s |"
    )
    print("|---|---|---|---|---|---|---|---|")
    with temporary_workspace() as workspace:
        for store in stores(workspace):
            show(store.name, measure(workspace, store.url))
    claiming.main()


def show(name: str, rounds: list[SubmitRound]) -> None:
    def median(side: str, field: str) -> float:
        return statistics.median(getattr(round_, side)[field] for round_ in rounds)

    def ratios(to: str, form: str) -> str:
        return ", ".join(format(round_.ratio(to), form) for round_ in rounds)

    print(
        f"| {name} | {median('baseline', 'per_second'):,.0f} | {median('genq', 'per_second'):,.0f}"
        f" | {median('plain', 'per_second'):,.0f} | {ratios('baseline', '.0%')}"
        f" | {ratios('plain', '.1f')} | {median('steady', 'median'):.1f},"
        f" {median('steady', 'p99'):.1f} ms | {median('reads', 'per_second'):,.0f} |",
        flush=True,
    )


def measure(workspace: Workspace, url: str) -> list[SubmitRound]:
    key, folder = added_key(url), workspace.folder
    plain = {"PLAIN_DATABASE_URL": plain_url(url), "PLAIN_REDIS_URL": workspace.broker.url}
    rounds: list[SubmitRound] = []
    for _ in range(ROUNDS):
        with serving_genq(workspace, url, ["-m", "ops.bench.baseline"]) as api:
            baseline = closed_load(folder, [api.jobs], key, order=True)
        with serving_genq(workspace, url) as api:
            jobs = api.jobs
            ours = closed_load(folder, [jobs], key, order=True)
            steady = open_load(folder, [jobs], key, order=True, rate=RATE)
            reads = closed_load(
                folder, [f"{jobs}/{i}" for i in newest(jobs, key)], key, order=False
            )
        workspace.broker.flushall()
        with serving_plain(workspace, plain) as jobs:
            theirs = closed_load(folder, [jobs], key, order=True)
        workspace.broker.flushall()
        rounds.append(SubmitRound(baseline, ours, theirs, steady, reads))
    return rounds


@contextmanager
def serving_plain(workspace: Workspace, environment: Mapping[str, str]) -> Generator[str]:
    """Run the plain stack; yield the URL of its jobs."""
    port = free_port()
    command = ["-m", "uvicorn", "ops.bench.plain:app", "--no-access-log", f"--port={port}"]
    address = f"http://127.0.0.1:{port}"
    with workspace.serving("plain", command, environment, f"{address}/healthz"):
        yield f"{address}/v1/jobs"


def newest(jobs: str, key: str) -> list[str]:
    """Return the ids of the jobs to read."""
    ids: list[str] = []
    address = f"{jobs}?limit=100"
    while len(ids) < READ:
        request = urllib.request.Request(address, headers={"authorization": f"Bearer {key}"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            page = json.load(answer)
        ids += [job["id"] for job in page["data"]]
        address = f"{jobs}?limit=100&cursor={page['next_cursor']}"
    return ids


def plain_url(url: str) -> str:
    """Return a database URL for the plain stack, apart from genq's file."""
    return url.replace("bench.db", "plain.db")
