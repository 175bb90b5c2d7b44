"""The event log: positions in the feed, and reading.

Events are written by many processes in transactions of any length, so neither ids nor times say in
which order they become visible. A position does: it is assigned after the commit, by one process at
a time. A reader that has read up to a position has missed nothing before it. There is no leader:
any reader assigns positions, and workers do it from time to time.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import CursorResult, Row, Select, bindparam, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from ulid import ULID

from generation.events import (
    FEED_EVENTS,
    QUEUED,
    Event,
    as_born,
    payload,
    progress_news,
)
from generation.job import Job, JobState
from generation.store.engine.database import Database
from generation.store.engine.group_commit import GroupCommit
from generation.store.engine.unreadable_rows import first_readable, read
from generation.store.jobs.rows import read_jobs
from generation.store.schema import PLACED, UNPLACED, event_feed, job_events, jobs

#: Events that get their positions in one transaction.
PLACE_BATCH = 1000
#: The position of events that are in no feed.
NOWHERE = 0

HEAD = (
    job_events.c.id,
    job_events.c.job_id,
    job_events.c.tenant,
    job_events.c.sequence,
    job_events.c.type,
    job_events.c.position,
)
WHOLE = (*HEAD, job_events.c.body)
PLACE = (
    update(job_events)
    .where(job_events.c.id == bindparam("_id"))
    .values(position=bindparam("_position"))
)


@dataclass(frozen=True, slots=True)
class EventHead:
    """The identification of one event."""

    id: str
    #: None for an event of a webhook endpoint.
    job_id: str | None
    tenant: str
    #: Within the job; 0 if there is none.
    sequence: int
    type: str
    #: Position in the feed; None while it has none.
    position: int | None


@dataclass(frozen=True, slots=True)
class EventPayload:
    """An event with its payload: the same bytes for everybody."""

    head: EventHead
    body: bytes


@dataclass(frozen=True, slots=True)
class ProgressPayload:
    """The progress of a job with its payload. It is transient and not in the log."""

    percent: int
    body: bytes


class EventStore:
    """Reads of events. Safe to share among the coroutines of one event loop."""

    def __init__(self, database: Database, *, base_url: str = "") -> None:
        self._database = database
        self._base_url = base_url
        self._placing = GroupCommit[None, tuple[int, bool]](database, self._place_batch)

    async def place(self) -> int:
        """Assign positions to everything that was committed before this call.

        Returns the last position: everything up to it can be read, and nothing will be added before
        it.
        """
        async with self._database.reading() as connection:
            last, waiting = (await connection.execute(STANDING)).one()
        done = waiting is None
        while not done:
            last, done = await self._placing(None)
        return last

    async def after(
        self, tenant: str, position: int, limit: int, types: Collection[str] = ()
    ) -> list[EventPayload]:
        """Return a tenant's events after a position, in feed order; of these types, or all."""
        query = (
            select(*WHOLE)
            .where(job_events.c.tenant == tenant, PLACED, job_events.c.position > position)
            .where(job_events.c.type.in_(types or FEED_EVENTS))
            .order_by(job_events.c.position)
        )
        return await first_readable(limit, lambda most: self._payloads(query.limit(most)))

    async def of_job(self, job_id: str, after: int = 0, limit: int = 1000) -> list[EventPayload]:
        """Return a job's events after this `sequence`, in order, with or without a position."""
        query = (
            select(*WHOLE)
            .where(job_events.c.job_id == job_id, job_events.c.sequence > after)
            .where(job_events.c.type.in_(FEED_EVENTS))
            .order_by(job_events.c.sequence)
        )
        return await first_readable(limit, lambda most: self._payloads(query.limit(most)))

    async def heads(
        self, tenants: Collection[str], after: int, until: int, limit: int
    ) -> list[EventHead]:
        """Return the first events of these tenants after `after` and up to `until`, in order."""
        query = (
            select(*HEAD)
            .where(job_events.c.tenant.in_(tenants), PLACED)
            .where(job_events.c.position > after, job_events.c.position <= until)
            .order_by(job_events.c.position)
            .limit(limit)
        )
        async with self._database.reading() as connection:
            return [EventHead(*row) for row in await connection.execute(query)]

    async def payloads_of(self, event_ids: Collection[str]) -> dict[str, EventPayload]:
        """Return these events by id, without those that are gone or cannot be read."""
        query = select(*WHOLE).where(job_events.c.id.in_(event_ids))
        payloads, _ = await self._payloads(query)
        return {each.head.id: each for each in payloads}

    async def progress(self, job_ids: Sequence[str]) -> dict[str, int]:
        """Return the progress of those of these jobs that are running and report it."""
        query = select(jobs.c.id, jobs.c.progress).where(
            jobs.c.id.in_(job_ids),
            jobs.c.state == JobState.RUNNING,
            jobs.c.progress.is_not(None),
        )
        async with self._database.reading() as connection:
            return {job_id: progress for job_id, progress in await connection.execute(query)}

    async def progress_news(self, job_ids: Sequence[str]) -> dict[str, ProgressPayload]:
        """Return the payloads of these jobs' progress, stored or not."""
        async with self._database.reading() as connection:
            found = await self._jobs(connection, job_ids)
        return {
            job_id: ProgressPayload(job.progress or 0, progress_news(job, self._base_url))
            for job_id, job in found.items()
            if job.state is JobState.RUNNING
        }

    async def place_at(self, tenant: str, moment: datetime) -> int:
        """Return a position before which this tenant has nothing from `moment` or later."""
        first = select(func.min(job_events.c.position)).where(
            job_events.c.id >= f"evt_{ULID.from_datetime(moment)}"[: len("evt_") + 10],
            job_events.c.tenant == tenant,
            PLACED,
        )
        last = await self.place()
        async with self._database.reading() as connection:
            found = (await connection.execute(first)).scalar()
        return last if found is None else found - 1

    async def _payloads(self, query: Select[*tuple[Any, ...]]) -> tuple[list[EventPayload], int]:
        """Return the payloads of these events, and how many were left out."""
        async with self._database.reading() as connection:
            result = await read(connection, query, job_events.c.id, all_rows)
            unwritten = {row.job_id for row in result.found if row.body is None}
            jobs_by_id = await self._jobs(connection, unwritten)
        payloads = [
            EventPayload(EventHead(*row[: len(HEAD)]), row.body or self._body(row, jobs_by_id))
            for row in result.found
            if row.body is not None or row.job_id in jobs_by_id
        ]
        return payloads, len(result.unreadable) + len(result.found) - len(payloads)

    async def _jobs(self, connection: AsyncConnection, job_ids: Iterable[str]) -> dict[str, Job]:
        ids = sorted(job_ids)
        if not ids:
            return {}
        query = select(jobs).where(jobs.c.id.in_(ids))
        found = (await read(connection, query, jobs.c.id, read_jobs)).found
        return {job.id: job for job in found}

    def _body(self, row: Row[Any], found: Mapping[str, Job]) -> bytes:
        """Return the payload of a `job.queued` event that was not stored."""
        return payload(row.id, QUEUED, as_born(found[row.job_id]), self._base_url)

    async def _place_batch(
        self, connection: AsyncConnection, batch: Sequence[None]
    ) -> Sequence[tuple[int, bool]]:
        """Return the last position, and whether everything committed before now has one."""
        feed = select(event_feed.c.last).with_for_update()
        last: int = (await connection.execute(feed)).scalar_one()
        # Only now: a statement sees what was committed before it began.
        ids = await self._waiting(connection)
        if ids:
            positions = [
                {"_id": event_id, "_position": place}
                for place, event_id in enumerate(ids, start=last + 1)
            ]
            await connection.execute(PLACE, positions)
            last += len(ids)
            await connection.execute(update(event_feed).values(last=last))
        return [(last, len(ids) < PLACE_BATCH)] * len(batch)

    async def _waiting(self, connection: AsyncConnection) -> list[str]:
        """Return events without a position, oldest first, none before an earlier one of its job."""
        columns = (job_events.c.id, job_events.c.job_id, job_events.c.sequence)
        oldest = select(*columns).where(UNPLACED).order_by(job_events.c.id).limit(PLACE_BATCH)
        rows = (await connection.execute(oldest)).all()
        if len(rows) == PLACE_BATCH:
            # What the limit has cut off may belong before something that it has not.
            of_theirs = select(*columns).where(
                UNPLACED, job_events.c.job_id.in_({row.job_id for row in rows})
            )
            rows = list({*rows, *(await connection.execute(of_theirs)).all()})
        return in_order((row.id, row.job_id, row.sequence) for row in rows)


STANDING = select(
    event_feed.c.last,
    select(job_events.c.id).where(UNPLACED).limit(1).scalar_subquery().label("waiting"),
)


def all_rows(found: CursorResult[Any]) -> list[Row[Any]]:
    return [*found]


def in_order(events: Iterable[tuple[str, str | None, int]]) -> list[str]:
    """Return ids in order of creation as far as clocks agree, and always in each job's `sequence`.

    An event of a slow clock comes right after the one before it.
    """
    latest: dict[str, str] = {}
    keys: list[tuple[str, int, str]] = []
    for event_id, job_id, sequence in sorted(events, key=lambda event: event[2]):
        subject = job_id or event_id
        latest[subject] = max(event_id, latest.get(subject, ""))
        keys.append((latest[subject], sequence, event_id))
    return [event_id for _, _, event_id in sorted(keys)]


def event_row(event: Event) -> dict[str, Any]:
    """Return the row to insert. Events for operators only are in no feed."""
    return {
        "id": event.id,
        "job_id": event.job_id,
        "tenant": event.tenant,
        "sequence": event.sequence,
        "type": event.type,
        "state": event.state.value if event.state else None,
        "reason": event.reason,
        "station": event.station,
        "key": event.key,
        "created_at": event.created_at,
        "body": event.body,
        "position": None if event.type in FEED_EVENTS else NOWHERE,
    }
