"""Claims due jobs, so that no other process takes them.

There are two kinds. Plain looks at upstream tasks are nearly all of them: they are claimed per key
of a station, and only as many as the key has free looks, so the due tasks of a station that hangs
block no others. Every other step is an errand. Each kind has a partial index of its own.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ARRAY,
    CursorResult,
    Select,
    String,
    TextClause,
    bindparam,
    func,
    or_,
    select,
    tuple_,
    type_coerce,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from generation.job import Job, JobState
from generation.store.engine.database import Database
from generation.store.engine.unreadable_rows import postpone, read
from generation.store.jobs.rows import LEAN_COLUMNS, LOOK_COLUMNS, read_jobs
from generation.store.schema import ERRAND, PLAIN_LOOK, Instant, jobs

#: Returns when a due job is processed next if this claim does not come back.
NextWake = Callable[[Job], datetime | None]
#: A station and one of its keys.
StationKey = tuple[str, str]

#: States in which there may be something new upstream.
WAKEABLE = (
    JobState.RUNNING,
    JobState.AWAITING_INPUT,
    JobState.IN_DOUBT,
    JobState.EXPIRED,
    JobState.FAILED,
)
#: States in which the upstream may have a task whose id is unknown.
UNANSWERED = (JobState.SUBMITTING, JobState.IN_DOUBT)

#: SQLite's write lock goes to whoever asks at the right moment. A process that took it again at
#: once would starve all others.
COURTESY = timedelta(seconds=0.02)

MOVED: Mapping[Any, Any] = {
    "version": jobs.c.version + 1,
    "looked_at": bindparam("_now", type_=Instant()),
}
#: One row at a time, for SQLite: its statements cost next to nothing.
MOVE_ONE = (
    update(jobs).where(jobs.c.id == bindparam("_id")).values(wake_at=bindparam("_wake_at"), **MOVED)
)
#: All in one statement, for PostgreSQL.
GIVEN = (
    func.unnest(bindparam("_ids", type_=ARRAY(String)), bindparam("_wakes", type_=ARRAY(Instant)))
    .table_valued("id", "wake_at", name="given")
    .render_derived()
)
MOVE_ALL = (
    update(jobs)
    .where(jobs.c.id == GIVEN.c.id)
    .values(wake_at=type_coerce(GIVEN.c.wake_at, Instant), **MOVED)
)


class ClaimStore:
    """Claims of due jobs. Claimed jobs lack columns that no look reads, however large."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def due_steps(
        self, now: datetime, limit: int, next_wake: NextWake, *, skip_queued: bool = False
    ) -> list[Job]:
        """Claim up to `limit` jobs that need more than a look, the longest due first.

        Each `wake_at` moves on in the same transaction: no other process gets them before then.
        They have their new version, and otherwise their old values: `wake_at` is when they were
        due. With `skip_queued`, queued jobs are left alone until their deadline.
        """
        query = due(ERRAND, now, limit)
        if skip_queued:
            query = query.where(or_(jobs.c.state != JobState.QUEUED, jobs.c.deadline <= now))
        return await self._claim([query], now, next_wake)

    async def looks(
        self, now: datetime, rooms: Mapping[StationKey, int], next_wake: NextWake
    ) -> list[Job]:
        """Claim jobs to look at, for each key no more than it has free looks.

        May be called again at once while there are more.
        """
        queries = [
            of_station_key(due(PLAIN_LOOK, now, room), station_key)
            for station_key, room in rooms.items()
            if room
        ]
        claimed = await self._claim(queries, now, next_wake)
        if claimed and self._database.is_sqlite:
            await asyncio.sleep(COURTESY.total_seconds())
        return claimed

    async def overdue(
        self, now: datetime, station_keys: Iterable[StationKey], limit: int, next_wake: NextWake
    ) -> list[Job]:
        """Claim jobs past their deadline whose keys are not looked at.

        Their station is down, or their key is gone from the settings.
        """
        late = due(PLAIN_LOOK, now, limit).where(
            jobs.c.deadline <= now, jobs.c.state != JobState.EXPIRED
        )
        return await self._claim(
            [of_station_key(late, station_key) for station_key in station_keys], now, next_wake
        )

    async def station_keys(self) -> set[StationKey]:
        """Return the keys with any job to look at, with one index step for each."""
        station_key = tuple_(jobs.c.station, jobs.c.key)
        query = (
            select(jobs.c.station, jobs.c.key)
            .where(PLAIN_LOOK, jobs.c.wake_at.is_not(None))
            .order_by(jobs.c.station, jobs.c.key)
            .limit(1)
        )
        found: list[StationKey] = [("", "")]
        async with self._database.reading() as connection:
            while row := (await connection.execute(query.where(station_key > found[-1]))).first():
                found.append((row.station, row.key))
        return set(found[1:])

    async def keep(self, job_ids: Sequence[str], until: datetime) -> None:
        """Renew the lease of this process's submits in progress."""
        claimed_jobs = (jobs.c.id.in_(job_ids), jobs.c.state == JobState.SUBMITTING)
        # In the order in which changes lock them, to avoid deadlocks.
        locked = select(jobs.c.id).where(*claimed_jobs).order_by(jobs.c.id).with_for_update()
        async with self._database.writing() as connection:
            await connection.execute(locked)
            await connection.execute(update(jobs).where(*claimed_jobs).values(wake_at=until))

    async def wake(self, job_id: str, now: datetime, apart: timedelta) -> bool:
        """Make a worker look at a job soon: now, or `apart` after its last claim if that is later.

        Looks stay that far apart, however often this is called; a job that is looked at sooner
        anyway is unchanged. Returns False if there is no such job to look at.
        """
        query = select(jobs.c.wake_at, jobs.c.looked_at).where(
            jobs.c.id == job_id, jobs.c.state.in_(WAKEABLE), jobs.c.wake_at.is_not(None)
        )
        async with self._database.reading() as connection:
            row = (await connection.execute(query)).first()
        if row is None:
            return False
        at = now if row.looked_at is None else max(now, row.looked_at + apart)
        if row.wake_at <= at:
            return True
        sooner = update(jobs).where(
            jobs.c.id == job_id, jobs.c.state.in_(WAKEABLE), jobs.c.wake_at > at
        )
        async with self._database.writing() as connection:
            await connection.execute(sooner.values(wake_at=at))
        return True

    async def name(self, job_id: str, upstream_id: str) -> None:
        """Store what may be the upstream id of a job whose submit was not answered.

        Ignored for other jobs.
        """
        unanswered = (jobs.c.id == job_id, jobs.c.state.in_(UNANSWERED))
        async with self._database.reading() as connection:
            if (await connection.execute(select(jobs.c.id).where(*unanswered))).first() is None:
                return
        async with self._database.writing() as connection:
            named = update(jobs).where(*unanswered).values(named_id=upstream_id)
            await connection.execute(named)

    async def _claim(
        self, queries: Sequence[Select[Any]], now: datetime, next_wake: NextWake
    ) -> list[Job]:
        if self._database.is_sqlite:
            queries = await self._promising(queries)
        if not queries:
            return []
        claimed: list[Job] = []
        async with self._database.writing() as connection:
            for query in queries:
                result = await read(connection, query, jobs.c.id, read_claimed)
                claimed += result.found
                await postpone(connection, jobs, result.unreadable, now)
            if claimed:
                await self._move(connection, claimed, now, next_wake)
        return claimed

    async def _move(
        self,
        connection: AsyncConnection,
        claimed: Sequence[Job],
        now: datetime,
        next_wake: NextWake,
    ) -> None:
        ids, wakes = [job.id for job in claimed], [next_wake(job) for job in claimed]
        if self._database.is_sqlite:
            rows = [
                {"_id": job_id, "_wake_at": wake, "_now": now}
                for job_id, wake in zip(ids, wakes, strict=True)
            ]
            await connection.execute(MOVE_ONE, rows)
            return
        await connection.execute(MOVE_ALL, {"_ids": ids, "_wakes": wakes, "_now": now})

    async def _promising(self, queries: Sequence[Select[Any]]) -> list[Select[Any]]:
        """Return those that find anything, asked without SQLite's only write lock."""
        found: list[Select[Any]] = []
        async with self._database.reading() as connection:
            for query in queries:
                due = query.with_only_columns(jobs.c.id).limit(1)
                if (await connection.execute(due)).first() is not None:
                    found.append(query)
        return found


def read_claimed(found: CursorResult[Any]) -> list[Job]:
    """Return claimed jobs with the version that the claim gives them."""
    return read_jobs(found, newer=1)


def due(kind: TextClause, now: datetime, limit: int) -> Select[Any]:
    return (
        select(*(LOOK_COLUMNS if kind is PLAIN_LOOK else LEAN_COLUMNS))
        .where(kind, jobs.c.wake_at <= now)
        .order_by(jobs.c.wake_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )


def of_station_key(query: Select[Any], station_key: StationKey) -> Select[Any]:
    return query.where(jobs.c.station == station_key[0], jobs.c.key == station_key[1])
