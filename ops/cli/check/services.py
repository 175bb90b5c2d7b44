"""Findings about the database and the broker."""

import asyncio
from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta

from generation.broker import WorkerReport
from generation.queue import Nudger
from generation.settings import Settings
from generation.stations.key_health import KeyName
from generation.store import Database, Store
from ops.cli.check.finding import Finding, ok, problem, warning
from ops.cli.check.keys import configured_keys, key_findings
from ops.cli.database import DatabaseUnavailable, with_store

#: A larger clock difference makes leases and webhook signatures unreliable.
CLOCK_TOLERANCE = timedelta(seconds=5)
#: At most this many unreadable rows are named.
MAX_NAMED_ROWS = 20


def service_findings(settings: Settings) -> Iterator[Finding]:
    try:
        keys = configured_keys(settings)
        yield from with_store(settings, lambda store: store_findings(store, keys))
    except DatabaseUnavailable as error:
        yield problem("database", str(error))
    yield from asyncio.run(broker_findings(settings))


async def store_findings(store: Store, keys: Collection[KeyName]) -> list[Finding]:
    """Yield findings about a database with the right schema."""
    kind = "SQLite" if store.database.is_sqlite else "PostgreSQL"
    found = [ok("database", f"{kind} answers and has the schema this version needs")]
    if await store.keys.any_valid(datetime.now(UTC)):
        found.append(ok("API keys", "there is a valid key"))
    else:
        found.append(problem("API keys", "there is no valid key: run genq keys create NAME"))
    if not store.database.is_sqlite:
        found.append(await clock_finding(store.database))
    return [*found, *await row_findings(store), *await key_findings(store, keys)]


async def row_findings(store: Store) -> list[Finding]:
    """Report stored rows that cannot be read."""
    counts = await store.set_aside.counts()
    if not counts:
        return [ok("rows", "no unreadable rows have been found")]
    named = [
        problem(
            f"row of {each.table}",
            f"{each.row_id} cannot be read ({each.cause}): run the version of genq that wrote it,"
            " or restore the row from a backup; it is left unchanged and processed once it can be"
            " read",
        )
        for each in await store.set_aside.all(MAX_NAMED_ROWS)
    ]
    more = sum(counts.values()) - len(named)
    return named + ([problem("rows", f"{more} more unreadable rows")] if more > 0 else [])


async def clock_finding(database: Database) -> Finding:
    """Compare this machine's clock with the database server's."""
    async with database.reading() as connection:
        theirs = (await connection.exec_driver_sql("SELECT clock_timestamp()")).scalar_one()
    apart = abs(datetime.now(UTC) - theirs)
    if apart > CLOCK_TOLERANCE:
        return warning(
            "clock",
            f"{apart.total_seconds():.0f} s off the database server's: synchronize both by NTP, or "
            "receivers will reject webhooks",
        )
    return ok("clock", "matches the database server's")


async def broker_findings(settings: Settings) -> list[Finding]:
    nudger = Nudger(settings)
    try:
        fault = await nudger.fault()
        workers = await nudger.workers() if fault is None else None
    finally:
        await nudger.close()
    if fault is not None:
        reason = str(fault).rstrip(".")
        advice = f"jobs are stored but not submitted: {fault.advice}"
        return [problem("broker", f"{reason}; {advice}")]
    return [ok("broker", "answers"), *map(switched_off_finding, workers or ())]


def switched_off_finding(worker: WorkerReport) -> Finding:
    """Report a worker, and what Celery's remote control has switched off in it."""
    subject = f"worker {worker.name}"
    if not worker.switched_off:
        return ok(subject, "runs")
    parts = " and ".join(worker.switched_off)
    return warning(
        subject,
        f"{parts} are switched off by Celery's remote control: restart it to switch them on",
    )
