"""Samples a run with jobs in flight: resource use, and the lag of polls."""

import asyncio
import json
import os
import statistics
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import monotonic, time
from typing import Any

from sqlalchemy import func, select, text

from generation.store import Store
from generation.store.schema import jobs
from ops.bench.usage import Usage, usage

#: Seconds of the measurement.
WINDOW = float(os.environ.get("IN_FLIGHT_SECONDS", "60"))
SAMPLE_EVERY = 5
SAMPLE = 500


@dataclass(frozen=True, slots=True)
class InFlightResult:
    """One measurement."""

    lags: Sequence[float]
    looks_a_second: float
    requests_a_second: float
    #: Used cores, by process.
    cores: dict[str, float]
    #: Resident bytes at the beginning and at the end, by process.
    memory: dict[str, tuple[int, int]]
    #: Commits per second and log bytes per poll; None for SQLite.
    database: tuple[float, float] | None

    def row(self, title: str) -> str:
        def at(percent: int) -> float:
            return statistics.quantiles(self.lags, n=100)[percent - 1]

        workers = [name for name in self.cores if name.startswith("worker")]
        cores = " + ".join(f"{self.cores[name]:.2f}" for name in workers)
        memory = " + ".join("→".join(f"{b / 1e6:.0f}" for b in self.memory[n]) for n in workers)
        database = "in the workers"
        if self.database is not None:
            commits, log = self.database
            database = f"{self.cores['database']:.2f}; {commits:.0f} commits/s, {log:.0f} B a look"
        return (
            f"| {title} | {self.looks_a_second:,.0f} | {at(50):.2f} / {at(95):.2f} / {at(99):.2f}"
            f" | {cores} | {memory} | {database} | {self.cores['stub']:.2f} |"
        )


async def measure_in_flight(url: str, port: int, pids: dict[str, int]) -> InFlightResult:
    """Measure during the window that begins now."""
    store = Store(url, pool_size=1)
    try:
        before = {name: usage(pid) for name, pid in pids.items()}
        written, began = await commits_and_log(store), monotonic()
        requests = stub_log(port, [])["requests"]
        due: list[tuple[str, float]] = []
        looks_before = await count_looks(store)
        while monotonic() - began < WINDOW:
            due += await sample(store)
            await asyncio.sleep(SAMPLE_EVERY)
        took = monotonic() - began
        after = {name: usage(pid) for name, pid in pids.items()}
        looks = await count_looks(store) - looks_before
        written_after = await commits_and_log(store)
        end = time()
        await asyncio.sleep(5)
    finally:
        await store.close()
    notes = stub_log(port, [task for task, _ in due])
    lags = [lag(moment, notes["asked"][task], end) for task, moment in due if moment < end - 5]
    return InFlightResult(
        lags=lags,
        looks_a_second=looks / took,
        requests_a_second=(notes["requests"] - requests) / (took + 5),
        cores={name: cores(before[name], after[name], took) for name in pids},
        memory={n: (before[n].memory_bytes, after[n].memory_bytes) for n in pids},
        database=None
        if written is None or written_after is None
        else (
            (written_after[0] - written[0]) / took,
            (written_after[1] - written[1]) / max(looks, 1),
        ),
    )


def cores(before: Usage, after: Usage, took: float) -> float:
    return (after.cpu_seconds - before.cpu_seconds) / took


def lag(due: float, asked_at: Sequence[float], end: float) -> float:
    """Return seconds from due to polled; a missing poll counts as made at the end."""
    return max(0.0, min((moment for moment in asked_at if moment >= due - 0.01), default=end) - due)


async def sample(store: Store) -> list[tuple[str, float]]:
    """Return some tasks that are due within the next seconds, and when."""
    now = datetime.now(UTC)
    query = (
        select(jobs.c.upstream_id, jobs.c.wake_at)
        .where(
            jobs.c.wake_at >= now + timedelta(seconds=0.5),
            jobs.c.wake_at < now + timedelta(seconds=SAMPLE_EVERY),
        )
        .limit(SAMPLE)
    )
    async with store.database.reading() as connection:
        return [(task, at.timestamp()) for task, at in await connection.execute(query)]


async def count_looks(store: Store) -> int:
    """Return how often jobs were claimed: the sum of versions of jobs that only wait."""
    async with store.database.reading() as connection:
        return int(await connection.scalar(select(func.sum(jobs.c.version))) or 0)


async def commits_and_log(store: Store) -> tuple[float, float] | None:
    """Return commits and write-ahead log bytes since server start; None for SQLite."""
    if store.database.is_sqlite:
        return None
    query = text(
        "SELECT xact_commit, pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0') FROM pg_stat_database"
        " WHERE datname = current_database()"
    )
    async with store.database.reading() as connection:
        commits, log = (await connection.execute(query)).one()
    return float(commits), float(log)


def stub_log(port: int, tasks: Sequence[str]) -> dict[str, Any]:
    body = json.dumps({"tasks": tasks}).encode()
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/notes", body, timeout=60) as answer:
        return json.load(answer)
