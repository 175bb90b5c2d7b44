"""Batches: jobs that were submitted together. A batch consists of its jobs and has no row."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from generation.job import TERMINAL
from generation.store.engine.database import Database
from generation.store.schema import jobs


@dataclass(frozen=True, slots=True)
class Batch:
    """The jobs of a batch, counted."""

    id: str
    created_at: datetime
    #: The number of jobs in each state that occurs.
    counts: Mapping[str, int]

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def done(self) -> bool:
        return set(self.counts) <= TERMINAL


class BatchStore:
    """Reads batches. Their jobs are inserted with `JobStore.place`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, batch_id: str, tenant: str) -> Batch | None:
        """Return the batch; None if the tenant has no such batch."""
        query = (
            select(jobs.c.state, func.count(), func.min(jobs.c.created_at))
            .where(jobs.c.batch_id == batch_id, jobs.c.tenant == tenant)
            .group_by(jobs.c.state)
        )
        async with self._database.reading() as connection:
            rows = [
                (state, count, created_at)
                for state, count, created_at in await connection.execute(query)
            ]
        if not rows:
            return None
        counts = {state: count for state, count, _ in sorted(rows)}
        return Batch(batch_id, min(created_at for _, _, created_at in rows), counts)

    async def unfinished(self, batch_id: str, tenant: str) -> list[str]:
        """Return the ids of its unfinished jobs."""
        query = select(jobs.c.id).where(
            jobs.c.batch_id == batch_id, jobs.c.tenant == tenant, jobs.c.finished_at.is_(None)
        )
        async with self._database.reading() as connection:
            return list((await connection.execute(query)).scalars())
