"""Removes what is old enough: ended jobs with all their rows, events, deliveries, expired keys.

Each call removes one small batch in a transaction of its own, oldest first. Several processes may
do so at once: they skip each other's rows.
"""

from datetime import datetime

from sqlalchemy import Column, Select, Table, and_, delete, exists, not_, or_, select
from ulid import ULID

from generation.job import TERMINAL
from generation.store.engine.database import Database
from generation.store.engine.unreadable_rows import not_recorded
from generation.store.schema import deliveries, idempotency_keys, job_events, jobs
from generation.webhooks.delivery import DeliveryState

#: Rows removed at once: few enough for SQLite's one writer to be free again soon.
BATCH = 200

_ENDED = [state.value for state in sorted(TERMINAL)]


class Retention:
    """Removes old rows. Safe to share among the coroutines of one event loop."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def prune_jobs(self, before: datetime, now: datetime, limit: int = BATCH) -> int:
        """Remove jobs that ended before this time, with their events and deliveries.

        Returns how many.

        Never removes a job that is unfinished, in doubt, still checked for a late success, has
        pending deliveries, is followed by an unfinished job, or has a valid idempotency key.
        """
        following = jobs.alias("following")
        needed = or_(
            exists().where(
                deliveries.c.job_id == jobs.c.id, deliveries.c.state == DeliveryState.QUEUED.value
            ),
            exists().where(following.c.parent_id == jobs.c.id, following.c.state.not_in(_ENDED)),
            exists().where(
                idempotency_keys.c.job_id == jobs.c.id, idempotency_keys.c.expires_at > now
            ),
        )
        old = and_(
            not_recorded(jobs),
            jobs.c.finished_at < before,
            jobs.c.state.in_(_ENDED),
            jobs.c.wake_at.is_(None),
            not_(needed),
        )
        return await self._remove(
            jobs, select(jobs.c.id).where(old).order_by(jobs.c.finished_at).limit(limit)
        )

    async def prune_events(self, before: datetime, limit: int = BATCH) -> int:
        """Remove events from before this time, except those of unfinished jobs.

        Returns how many.
        """
        living = exists().where(jobs.c.id == job_events.c.job_id, jobs.c.state.not_in(_ENDED))
        old = and_(
            not_recorded(job_events),
            job_events.c.id < first_id("evt", before),
            job_events.c.position.is_not(None),
            not_(living),
        )
        return await self._remove(
            job_events, select(job_events.c.id).where(old).order_by(job_events.c.id).limit(limit)
        )

    async def prune_deliveries(self, before: datetime, limit: int = BATCH) -> int:
        """Remove deliveries that ended before this time. Returns how many."""
        old = and_(
            not_recorded(deliveries),
            deliveries.c.id < first_id("dlv", before),
            deliveries.c.finished_at < before,
            deliveries.c.state != DeliveryState.QUEUED.value,
        )
        return await self._remove(
            deliveries, select(deliveries.c.id).where(old).order_by(deliveries.c.id).limit(limit)
        )

    async def _remove(self, table: Table, old: Select[str]) -> int:
        if self._database.is_sqlite:
            async with self._database.reading() as connection:
                if (await connection.execute(old.limit(1))).first() is None:
                    return 0  # without the write lock, which SQLite has only one of
        key: Column[str] = table.c.id
        mine = old.with_for_update(skip_locked=True, of=table)
        async with self._database.writing() as connection:
            return (await connection.execute(delete(table).where(key.in_(mine)))).rowcount


def first_id(kind: str, moment: datetime) -> str:
    """Return an id that no id of this kind created at `moment` or later is below."""
    return f"{kind}_{str(ULID.from_datetime(moment))[:10]}"
