"""Job lists among a million jobs: the time of a page for each filter, and its query plan.

One tenant has all jobs, the worst case. Pages are read at the top and at random positions.
"""

import asyncio
import random
import re
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from time import perf_counter
from typing import Any

from sqlalchemy import Select, text

from generation.job import JobState
from generation.store import JobFilters, Store
from generation.store.jobs.list import PageQuery, way
from ops.bench.million_jobs import BATCH, COUNT, END, PARENT, START, TENANT, fill, job_id
from ops.bench.stores import stores
from ops.bench.workspace import temporary_workspace

LIMIT = 51
RUNS = 60

LISTS: Mapping[str, JobFilters] = {
    "none": JobFilters(),
    "state=succeeded (95 %)": JobFilters(state=JobState.SUCCEEDED),
    "state=failed (3 %)": JobFilters(state=JobState.FAILED),
    "state=running (0.5 %)": JobFilters(state=JobState.RUNNING),
    "state=in_doubt (none)": JobFilters(state=JobState.IN_DOUBT),
    "provider=kling (50 %)": JobFilters(provider="kling"),
    "provider=luma (0.1 %)": JobFilters(provider="luma"),
    "provider=runway (none)": JobFilters(provider="runway"),
    "operation=imagine (30 %)": JobFilters(operation="imagine"),
    "station=backup (0.01 %)": JobFilters(station="backup"),
    "provider=suno, state=failed (0.15 %)": JobFilters(provider="suno", state=JobState.FAILED),
    "created_after, a day ago": JobFilters(created_after=END - timedelta(days=1)),
    "created_before, 20 days ago": JobFilters(created_before=END - timedelta(days=20)),
    "updated_after, a minute ago": JobFilters(updated_after=END - timedelta(minutes=1)),
    "updated_after, 20 days ago": JobFilters(updated_after=END - timedelta(days=20)),
    "updated_after, 20 days ago, state=failed": JobFilters(
        updated_after=END - timedelta(days=20), state=JobState.FAILED
    ),
    "updated_after, an hour ago, provider=luma": JobFilters(
        updated_after=END - timedelta(hours=1), provider="luma"
    ),
    "updated_before, 20 days ago": JobFilters(updated_before=END - timedelta(days=20)),
    "metadata.customer (200 jobs)": JobFilters(metadata={"customer": "42"}),
    "metadata.customer, state=failed": JobFilters(
        metadata={"customer": "42"}, state=JobState.FAILED
    ),
    "parent": JobFilters(parent=PARENT),
    "batch": JobFilters(batch=BATCH),
}


@dataclass(frozen=True, slots=True)
class Timing:
    """Milliseconds and query plan of one list on one store."""

    median: float
    p95: float
    plan: str


def main() -> None:
    """Measure on SQLite and, if installed, on PostgreSQL; print a table and the plans."""
    with temporary_workspace() as workspace:
        show({store.name: measure(store.url) for store in stores(workspace)})


def measure(url: str) -> dict[str, Timing]:
    began = perf_counter()
    asyncio.run(fill(url))
    print(f"{COUNT:,} jobs in {perf_counter() - began:.0f} s", flush=True)
    return asyncio.run(timings(url))


async def timings(url: str) -> dict[str, Timing]:
    store = Store(url)
    try:
        return {name: await timing(store, filters) for name, filters in LISTS.items()}
    finally:
        await store.close()


async def timing(store: Store, filters: JobFilters) -> Timing:
    rng = random.Random(1)
    took: list[float] = []
    for run in range(RUNS):
        before = job_id(rng.randrange(COUNT)) if run % 2 else None
        began = perf_counter()
        await store.jobs.page(TENANT, filters, limit=LIMIT, before=before)
        took.append((perf_counter() - began) * 1000)
    p95 = statistics.quantiles(took, n=20)[18]
    return Timing(statistics.median(took), p95, await plan(store, filters))


async def plan(store: Store, filters: JobFilters) -> str:
    """Return the indexes used for the first page."""
    async with store.database.reading() as connection:
        query = way(PageQuery(TENANT, filters, LIMIT, None, None), connection.dialect.name)
        explain = "EXPLAIN QUERY PLAN " if store.database.is_sqlite else "EXPLAIN "
        lines = await connection.execute(text(explain + written(query, connection.dialect)))
        steps = [str(row[-1]) for row in lines]
    return " + ".join(index(line) for line in steps if INDEX.search(line))


#: An index, as both planners print it.
INDEX = re.compile(r"(?:using|Index Scan on|INDEX) (\w+)(.*)")


def index(line: str) -> str:
    """Return the index in a line of a plan, on SQLite with its condition."""
    found = INDEX.search(line)
    assert found is not None
    asked = found[2] if "INDEX" in line else ""
    return found[1] + asked


def written(query: Select[Any], dialect: Any) -> str:
    return str(query.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))


def show(measured: Mapping[str, Mapping[str, Timing]]) -> None:
    stores = list(measured)
    print("| filter |" + "".join(f" {store}: median / p95 |" for store in stores))
    print("|---|" + "---|" * len(stores))
    for name in LISTS:
        cells = (measured[store][name] for store in stores)
        print(f"| {name} |" + "".join(f" {c.median:.1f} / {c.p95:.1f} ms |" for c in cells))
    for store in stores:
        print(f"\nPlans on {store}:")
        for name in LISTS:
            print(f"  {name}: {measured[store][name].plan}")
    late = worst([each for store in stores for each in measured[store].values()])
    print(f"\nThe slowest p95 is {late:.1f} ms; jobs span {(END - START).days} days.")


def worst(all_timings: Sequence[Timing]) -> float:
    return max(each.p95 for each in all_timings)
