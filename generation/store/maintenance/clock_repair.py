"""
What a clock has left asleep.

`wake_at` is read off the clock of the machine that set it. A clock that goes back by an hour leaves
every job, every delivery and every key that was called too fast waiting an hour longer than anybody
meant.

Rows are locked by many who are busy with other things, each in an order of its own, so nobody here
waits for a row while it holds another: a batch passes over what is locked, and each row that was
passed over is then waited for alone. So nobody is stuck in a circle, and nobody is forgotten.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, select, update

from generation.job import JobState
from generation.store.engine.any_of import rows_among, rows_for
from generation.store.engine.database import Database
from generation.store.jobs.claims import ClaimStore, Lane
from generation.store.schema import ERRAND, HOLDING, PLAIN_LOOK, accounts, deliveries, jobs, turns

#: After a clock was seen to go back, whoever waits for less than this is left to wait.
HARMLESS = timedelta(minutes=1)
#: Nobody who is about to be looked at, searched for or told for the first time waits for longer.
UNUSUAL = timedelta(minutes=15)
#: Rows of one transaction.
BATCH = 500

#: A row's primary key.
RowName = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Waking:
    """Rows of a table that sleep too long, and what they become."""

    table: Table
    asleep: ColumnElement[bool]
    values: Mapping[str, Any]

    def named(self, dialect: str) -> ColumnElement[bool]:
        """Whether a row is one of `rows_for` the names."""
        return rows_among(dialect, tuple(self.table.primary_key.columns), "names")


async def rouse(database: Database, now: datetime, lease: timedelta, *, stepped: bool) -> int:
    """
    Wake whoever sleeps for unusually long; after a step back of the clock, nearly everybody, and
    forget what patience keys and jobs were asked for. One look, search or attempt comes early,
    which costs little. Submits on the wire keep one `lease` from now. Whoever stands in a line
    sleeps until the deadline on purpose, and is called. Returns how many were woken.
    """
    lanes = await ClaimStore(database).lanes()
    asleep = sleepers(now, lease, lanes, stepped=stepped)
    woken = [await wake(database, waking) for waking in asleep]
    for waking in misled(now) if stepped else ():
        await wake(database, waking)
    return sum(woken)


def sleepers(
    now: datetime, lease: timedelta, lanes: Collection[Lane], *, stepped: bool
) -> Iterator[Waking]:
    """
    Jobs and deliveries. Jobs that have ended are looked at rarely on purpose, but not ever more so.
    Jobs are searched as they are claimed, by the indexes of those that are due.
    """
    late = now + (HARMLESS if stepped else UNUSUAL)
    ended = () if stepped else (JobState.EXPIRED, JobState.FAILED)
    unhurried = (JobState.SUBMITTING, *ended)
    hurried = (jobs.c.wake_at > late, jobs.c.line.is_(None), jobs.c.state.not_in(unhurried))
    leased = and_(ERRAND, jobs.c.wake_at > late, jobs.c.state == JobState.SUBMITTING)
    owed = (deliveries.c.wake_at > late) & (deliveries.c.attempts == 0)
    sooner = {"wake_at": now} | ({"not_before": None} if stepped else {})
    yield Waking(jobs, and_(ERRAND, *hurried), sooner)
    for station, key in sorted(lanes):
        lane = (jobs.c.station == station, jobs.c.key == key)
        yield Waking(jobs, and_(PLAIN_LOOK, *lane, *hurried), sooner)
    yield Waking(jobs, leased, {"wake_at": now + lease})
    yield Waking(deliveries, owed, {"wake_at": now})


def misled(now: datetime) -> Iterator[Waking]:
    """
    What else was written down by a clock that was ahead: how long keys are to be left alone, places
    kept for jobs that were called, places of jobs that ended in what is the future again, and whose
    turn it was.
    """
    late = now + HARMLESS
    for name in ("cool_until", "cooled_at", "probe_at", "balance_at", "full_at", "look_after"):
        wait = accounts.c[name]
        yield Waking(accounts, wait > late, {name: now})
    called = jobs.c.state == JobState.QUEUED
    kept = HOLDING & (jobs.c.slot_until > late) & (called | (jobs.c.finished_at > late))
    yield Waking(jobs, kept, {"slot_until": None})
    yield Waking(turns, turns.c.served_at > late, {"served_at": now})


async def wake(database: Database, waking: Waking) -> int:
    """Wake these, however busy others are with them. Returns how many there were."""
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
    database: Database, waking: Waking, names: Sequence[RowName], *, wait: bool
) -> set[RowName]:
    """
    Wake those of these that are still asleep; without `wait`, only those that nobody has locked.
    """
    columns = tuple(waking.table.primary_key.columns)
    async with database.writing() as connection:
        dialect = connection.dialect.name
        named = waking.named(dialect)
        asleep = select(*columns).where(named, waking.asleep)
        # Not a lock against whoever only refers to the row, as an event of a job does.
        locked = asleep.with_for_update(skip_locked=not wait, key_share=True)
        theirs = rows_for(dialect, "names", names)
        free = {tuple(row) for row in await connection.execute(locked, theirs)}
        if free:
            chosen = update(waking.table).where(named).values(waking.values)
            await connection.execute(chosen, rows_for(dialect, "names", sorted(free)))
    return free
