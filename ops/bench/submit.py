"""
The submit path: orders a second that one API process makes durable, between the floor (the same
server, storing nothing) and the plain stack; how late it is at a steady rate; and reads a second.
Then orders with an Idempotency-Key, orders of a key with limits, and both, beside plain ones.

All run on the same store and broker, in turn, several times; what counts is each turn's ratios.
"""

import json
import shutil
import statistics
import urllib.request
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from ops.bench import claiming
from ops.bench.serving import CONNECTIONS, Measured, closed, loaded, serving_genq
from ops.bench.stores import added_key, stores
from ops.bench.workspace import Site, site
from ops.stack.ports import free_port

TURNS = 3
RATE = 500
READ = 200


@dataclass(frozen=True, slots=True)
class Turn:
    """All of them, measured one right after the other."""

    floor: Measured
    genq: Measured
    plain: Measured
    #: genq at `RATE` orders a second, and its reads.
    steady: Measured
    reads: Measured

    def ratio(self, to: str) -> float:
        return self.genq["per_second"] / getattr(self, to)["per_second"]


def main() -> None:
    """Measure on SQLite and, where it is installed, on PostgreSQL; print a table."""
    by = "wrk" if shutil.which("wrk") else "ops.bench.load"
    print(f"Closed loops by {by}, {CONNECTIONS} connections; the steady rate by ops.bench.load.\n")
    print(
        "| store | floor | genq orders/s | plain | genq / floor | genq / plain"
        f" | median, p99 at {RATE}/s | reads/s |"
    )
    print("|---|---|---|---|---|---|---|---|")
    with site() as ground:
        for store in stores(ground):
            show(store.name, measure(ground, store.url))
    claiming.main()


def show(name: str, turns: list[Turn]) -> None:
    def median(side: str, field: str) -> float:
        return statistics.median(getattr(turn, side)[field] for turn in turns)

    def ratios(to: str, form: str) -> str:
        return ", ".join(format(turn.ratio(to), form) for turn in turns)

    print(
        f"| {name} | {median('floor', 'per_second'):,.0f} | {median('genq', 'per_second'):,.0f}"
        f" | {median('plain', 'per_second'):,.0f} | {ratios('floor', '.0%')}"
        f" | {ratios('plain', '.1f')} | {median('steady', 'median'):.1f},"
        f" {median('steady', 'p99'):.1f} ms | {median('reads', 'per_second'):,.0f} |",
        flush=True,
    )


def measure(ground: Site, url: str) -> list[Turn]:
    key, folder = added_key(url), ground.folder
    plain = {"PLAIN_DATABASE_URL": plain_url(url), "PLAIN_REDIS_URL": ground.broker.url}
    turns: list[Turn] = []
    for _ in range(TURNS):
        with serving_genq(ground, url, ["-m", "ops.bench.baseline"]) as api:
            floor = closed(folder, [api.jobs], key, order=True)
        with serving_genq(ground, url) as api:
            jobs = api.jobs
            ours = closed(folder, [jobs], key, order=True)
            steady = loaded(folder, [jobs], key, order=True, rate=RATE)
            reads = closed(folder, [f"{jobs}/{i}" for i in newest(jobs, key)], key, order=False)
        ground.broker.flushall()
        with serving_plain(ground, plain) as jobs:
            theirs = closed(folder, [jobs], key, order=True)
        ground.broker.flushall()
        turns.append(Turn(floor, ours, theirs, steady, reads))
    return turns


@contextmanager
def serving_plain(ground: Site, environment: Mapping[str, str]) -> Generator[str]:
    """The plain stack, by the URL of its jobs."""
    port = free_port()
    command = ["-m", "uvicorn", "ops.bench.plain:app", "--no-access-log", f"--port={port}"]
    address = f"http://127.0.0.1:{port}"
    with ground.serving("plain", command, environment, f"{address}/healthz"):
        yield f"{address}/v1/jobs"


def newest(jobs: str, key: str) -> list[str]:
    """The ids of as many jobs as are read."""
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
    """The plain stack writes beside genq, not into its file."""
    return url.replace("bench.db", "plain.db")
