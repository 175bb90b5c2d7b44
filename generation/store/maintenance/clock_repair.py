"""Repairs `wake_at` values written while the clock was wrong.

`wake_at` comes from the clock of the machine that set it. After a clock goes back by an hour, every
job, delivery and paused key would wait an hour longer than intended.

Rows are locked by other processes in various orders, so a batch skips locked rows, and each skipped
row is then waited for alone. So there are no deadlocks, and no row is missed.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, select, update

from generation.job import JobState
from generation.store.engine.any_of import rows_among, rows_for
from generation.store.engine.database import Database
from generation.store.jobs.claims import ClaimStore, StationKey
from generation.store.schema import ERRAND, HOLDING, PLAIN_LOOK, accounts, deliveries, jobs, turns

#: After a clock step back, rows that wait for less than this are left alone.
HARMLESS = timedelta(minutes=1)
#: Rows that are about to be looked at, searched for or delivered first never wait longer.
UNUSUAL = timedelta(minutes=15)
#: Rows of one transaction.
BATCH = 500

#: A row's primary key.
RowName = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class WakeRepair:
    """Rows of a table that wait too long, and their new values."""

    table: Table
    asleep: ColumnElement[bool]
    values: Mapping[str, Any]

    def named(self, dialect: str) -> ColumnElement[bool]:
        """Return a condition: a row is one of `rows_for` the names."""
        return rows_among(dialect, tuple(self.table.primary_key.columns), "names")


async def repair_wake_times(
    database: Database, now: datetime, lease: timedelta, *, stepped: bool
) -> int:
    """Wake rows that wait unusually long.

    After a clock step back these are nearly all, and pauses of keys and jobs end. One look, search
    or attempt comes early, which costs little. Submits in progress keep one `lease` from now. Jobs
    in a wait queue wait until their deadline on purpose. Returns how many rows were woken.
    """
    station_keys = await ClaimStore(database).station_keys()
    asleep = stuck_rows(now, lease, station_keys, stepped=stepped)
    woken = [await wake(database, waking) for waking in asleep]
    for waking in misdated_rows(now) if stepped else ():
        await wake(database, waking)
    return sum(woken)


def stuck_rows(
    now: datetime, lease: timedelta, station_keys: Collection[StationKey], *, stepped: bool
) -> Iterator[WakeRepair]:
    """Jobs and deliveries.

    Ended jobs are looked at rarely on purpose, within a limit. Jobs are searched by the indexes by
    which due ones are claimed.
    """
    late = now + (HARMLESS if stepped else UNUSUAL)
    ended = () if stepped else (JobState.EXPIRED, JobState.FAILED)
    unhurried = (JobState.SUBMITTING, *ended)
    hurried = (jobs.c.wake_at > late, jobs.c.line.is_(None), jobs.c.state.not_in(unhurried))
    leased = and_(ERRAND, jobs.c.wake_at > late, jobs.c.state == JobState.SUBMITTING)
    owed = (deliveries.c.wake_at > late) & (deliveries.c.attempts == 0)
    sooner = {"wake_at": now} | ({"not_before": None} if stepped else {})
    yield WakeRepair(jobs, and_(ERRAND, *hurried), sooner)
    for station, key in sorted(station_keys):
        station_key = (jobs.c.station == station, jobs.c.key == key)
        yield WakeRepair(jobs, and_(PLAIN_LOOK, *station_key, *hurried), sooner)
    yield WakeRepair(jobs, leased, {"wake_at": now + lease})
    yield WakeRepair(deliveries, owed, {"wake_at": now})


def misdated_rows(now: datetime) -> Iterator[WakeRepair]:
    """Return other times that a clock which was ahead has set.

    These are pauses of keys, slots of woken jobs, slots of jobs that ended in what is the future
    again, and turns of tenants.
    """
    late = now + HARMLESS
    for name in ("cool_until", "cooled_at", "probe_at", "balance_at", "full_at", "look_after"):
        wait = accounts.c[name]
        yield WakeRepair(accounts, wait > late, {name: now})
    called = jobs.c.state == JobState.QUEUED
    kept = HOLDING & (jobs.c.slot_until > late) & (called | (jobs.c.finished_at > late))
    yield WakeRepair(jobs, kept, {"slot_until": None})
    yield WakeRepair(turns, turns.c.served_at > late, {"served_at": now})


async def wake(database: Database, waking: WakeRepair) -> int:
    """Wake these rows, waiting for locks. Returns how many there were."""
    columns = tuple(waking.table.primary_key.columns)
    async with database.reading() as connection:
        found = await connection.execute(select(*columns).where(waking.asleep))
        names = [tuple(row) for row in found]
    woken = 0
    for first in range(0, len(names), BATCH):
        batch = names[first : first + BATCH]
        free = await wake_some(database, waking, batch, wait=False)
        busy = [name for name in batch if name not in free]
        woken += len(free)
        for name in busy:
            woken += len(await wake_some(database, waking, [name], wait=True))
    return woken


async def wake_some(
    database: Database, waking: WakeRepair, names: Sequence[RowName], *, wait: bool
) -> set[RowName]:
    """Wake those of these rows that still wait; without `wait`, only those that are not locked."""
    columns = tuple(waking.table.primary_key.columns)
    async with database.writing() as connection:
        dialect = connection.dialect.name
        named = waking.named(dialect)
        asleep = select(*columns).where(named, waking.asleep)
        # Not a lock that conflicts with references to the row, such as from an event of a job.
        locked = asleep.with_for_update(skip_locked=not wait, key_share=True)
        parameters = rows_for(dialect, "names", names)
        free = {tuple(row) for row in await connection.execute(locked, parameters)}
        if free:
            chosen = update(waking.table).where(named).values(waking.values)
            await connection.execute(chosen, rows_for(dialect, "names", sorted(free)))
    return free
