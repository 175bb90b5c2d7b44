"""The record of one job, read in one transaction."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from generation.explain import AttemptSummary, DeliverySummary, JobHistory, RecordedMove
from generation.store.engine.database import Database
from generation.store.engine.unreadable_rows import read_one
from generation.store.jobs.rows import read_jobs
from generation.store.schema import deliveries, delivery_attempts, job_events, jobs
from generation.webhooks.delivery import DeliveryState

#: The most events, or deliveries, that are read; the latest are kept.
MOST = 1000


class HistoryStore:
    """Reads what explanations are made of."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of_job(self, job_id: str, tenant: str) -> JobHistory | None:
        """Return the record; None if the tenant has no such job."""
        query = select(jobs).where(jobs.c.id == job_id, jobs.c.tenant == tenant)
        async with self._database.reading() as connection:
            job = await read_one(connection, query, jobs.c.id, read_jobs)
            if job is None:
                return None
            moves = await moves_of(connection, job_id)
            return JobHistory(job, moves, await tellings_of(connection, job_id))


async def moves_of(connection: AsyncConnection, job_id: str) -> tuple[RecordedMove, ...]:
    events = job_events.c
    query = (
        select(
            events.id,
            events.sequence,
            events.type,
            events.state,
            events.reason,
            events.station,
            events.key,
            events.created_at.label("at"),
        )
        .where(events.job_id == job_id)
        .order_by(events.sequence.desc())
        .limit(MOST)
    )
    rows = (await connection.execute(query)).mappings().all()
    return tuple(RecordedMove(**row) for row in reversed(rows))


async def tellings_of(connection: AsyncConnection, job_id: str) -> tuple[DeliverySummary, ...]:
    query = (
        select(
            *(
                deliveries.c[name]
                for name in DeliverySummary.__dataclass_fields__
                if name != "attempt_log"
            )
        )
        .where(deliveries.c.job_id == job_id)
        .order_by(deliveries.c.id.desc())
        .limit(MOST)
    )
    rows = (await connection.execute(query)).mappings().all()
    tries = await attempts_of_deliveries(connection, [row["id"] for row in rows])
    return tuple(delivery_summary(dict(row), tries[row["id"]]) for row in reversed(rows))


async def attempts_of_deliveries(
    connection: AsyncConnection, delivery_ids: Sequence[str]
) -> defaultdict[str, list[AttemptSummary]]:
    """Return the attempts of these deliveries, in order."""
    query = (
        select(delivery_attempts)
        .where(delivery_attempts.c.delivery_id.in_(delivery_ids))
        .order_by(delivery_attempts.c.delivery_id, delivery_attempts.c.number)
    )
    found: defaultdict[str, list[AttemptSummary]] = defaultdict(list)
    for row in await connection.execute(query):
        made = AttemptSummary(
            number=row.number, at=row.started_at, status=row.status, detail=row.detail
        )
        found[row.delivery_id].append(made)
    return found


def delivery_summary(row: dict[str, Any], tries: Sequence[AttemptSummary]) -> DeliverySummary:
    row["state"] = DeliveryState(row["state"])
    return DeliverySummary(**row, attempt_log=tuple(tries))
