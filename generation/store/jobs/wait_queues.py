"""Wait queues, read through their index: one step per queue or tenant, however many jobs wait."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, TextClause, and_, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from generation.job import Job
from generation.stations.fair_turns import by_turn, place
from generation.stations.wait_queue import keys_of
from generation.store.engine.database import Database
from generation.store.schema import IN_LINE, jobs
from generation.store.stations import key_health as accounts

Condition = ColumnElement[bool] | TextClause
#: The number of jobs that are moved at once from a queue that no longer exists.
SENT_BACK = 500


class QueueStore:
    """Queries of wait queues."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def lines(self) -> list[str]:
        """Return the queues with any job."""
        async with self._database.reading() as connection:
            return await lines(connection)

    async def position(self, job: Job) -> int | None:
        """Return the job's position in its queue, 1 being next; None if it is in none.

        It is an estimate: the order depends on which of the queue's keys has a free slot first.
        """
        if job.line is None:
            return None
        in_line = and_(IN_LINE, jobs.c.line == job.line)
        before = or_(
            jobs.c.priority > job.priority,
            and_(jobs.c.priority == job.priority, jobs.c.id < job.id),
        )
        own = select(func.count()).where(in_line, jobs.c.tenant == job.tenant, before)
        others = select(jobs.c.tenant, func.count()).where(in_line).group_by(jobs.c.tenant)
        async with self._database.reading() as connection:
            ahead = int((await connection.execute(own)).scalar() or 0)
            counts = {tenant: count for tenant, count in await connection.execute(others)}
            first_key = keys_of(job.line)[0]
            served = await accounts.last_served(connection, first_key, list(counts))
        turn = by_turn([*counts, job.tenant], served)
        mine = turn.index(job.tenant)
        counts.pop(job.tenant, None)
        return place(ahead, counts, {tenant: turn.index(tenant) < mine for tenant in counts})

    async def send_back(self, line: str, now: datetime) -> None:
        """Make some of the jobs in this queue look for another one."""
        some = select(jobs.c.id).where(IN_LINE, jobs.c.line == line).limit(SENT_BACK)
        async with self._database.writing() as connection:
            ids = (await connection.execute(some.with_for_update(skip_locked=True))).scalars().all()
            if ids:
                moved = update(jobs).where(jobs.c.id.in_(ids), IN_LINE)
                await connection.execute(moved.values(line=None, wake_at=now))


async def lines(connection: AsyncConnection) -> list[str]:
    return await distinct(connection, jobs.c.line, IN_LINE)


async def tenants(connection: AsyncConnection, among: Iterable[str]) -> list[str]:
    """Return every tenant with a job in these queues."""
    found: set[str] = set()
    for line in among:
        found |= set(await distinct(connection, jobs.c.tenant, IN_LINE, jobs.c.line == line))
    return sorted(found)


async def first_of(
    connection: AsyncConnection, among: Sequence[str], tenant: str, count: int
) -> list[str]:
    """Return the ids of a tenant's first jobs in these queues, by priority, then by age."""
    found: list[tuple[int, str]] = []
    for line in among:
        query = (
            select(jobs.c.priority, jobs.c.id)
            .where(IN_LINE, jobs.c.line == line, jobs.c.tenant == tenant)
            .order_by(jobs.c.priority.desc(), jobs.c.id)
            .limit(count)
        )
        found += [(-priority, job_id) for priority, job_id in await connection.execute(query)]
    return [job_id for _, job_id in sorted(found)[:count]]


async def distinct(connection: AsyncConnection, column: Any, *conditions: Condition) -> list[str]:
    """Return the values of an index's leading column, each found by one step through the index."""

    def least(*more: Condition) -> Any:
        query = select(column).where(*conditions, *more).order_by(column).limit(1)
        return query.scalar_subquery()

    found = select(least().label("value")).cte("found", recursive=True)
    found = found.union_all(select(least(column > found.c.value)).where(found.c.value.is_not(None)))
    query = select(found.c.value).where(found.c.value.is_not(None))
    return list((await connection.execute(query)).scalars())
