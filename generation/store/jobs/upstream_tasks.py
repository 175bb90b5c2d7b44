"""Which jobs have which upstream tasks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from generation.store.engine.any_of import among, values_for
from generation.store.engine.database import Database
from generation.store.engine.group_commit import GroupRead
from generation.store.schema import jobs

#: The most jobs of one task that are read.
MOST_HOLDERS = 1000


@dataclass(frozen=True, slots=True)
class TaskHolder:
    """A job, and its task at its station."""

    job_id: str
    tenant: str
    provider: str
    parent_id: str | None
    station: str | None
    key: str | None
    upstream_id: str | None
    #: When the upstream accepted it.
    started_at: datetime | None


COLUMNS = (
    jobs.c.id,
    jobs.c.tenant,
    jobs.c.provider,
    jobs.c.parent_id,
    jobs.c.station,
    jobs.c.key,
    jobs.c.upstream_id,
    jobs.c.started_at,
)


class UpstreamTasks:
    """Queries of upstream tasks, each answered from an index."""

    def __init__(self, database: Database) -> None:
        self._holding = GroupRead(database, holders_of)
        self._database = database

    async def holders(self, upstream_id: str) -> list[TaskHolder]:
        """Return the jobs that have a task with this id, at any station."""
        return await self._holding(upstream_id)

    async def accepted(self, job_ids: Sequence[str]) -> list[TaskHolder]:
        """Return those of these jobs whose submit was accepted."""
        async with self._database.reading() as connection:
            dialect = connection.dialect.name
            query = select(*COLUMNS).where(
                among(dialect, jobs.c.id, "ids"), jobs.c.started_at.is_not(None)
            )
            rows = await connection.execute(query, {"ids": values_for(dialect, job_ids)})
            return [TaskHolder(*row) for row in rows]


async def holders_of(
    connection: AsyncConnection, upstream_ids: Sequence[str]
) -> list[list[TaskHolder]]:
    dialect = connection.dialect.name
    values = {"ids": values_for(dialect, set(upstream_ids))}
    rows = await connection.execute(held(dialect), values)
    found = [TaskHolder(*row) for row in rows]
    return [[each for each in found if each.upstream_id == name] for name in upstream_ids]


def held(dialect: str) -> Select[*tuple[Any, ...]]:
    """The index is partial: the query must contain its condition literally."""
    return (
        select(*COLUMNS)
        .where(jobs.c.upstream_id.is_not(None), among(dialect, jobs.c.upstream_id, "ids"))
        .limit(MOST_HOLDERS)
    )
