"""
Keys held to their limits, in the transaction that stores their jobs.

Whoever stores jobs of limited keys locks those keys' rows of `key_usage` first, so API processes
take turns and no two of them give one place away. Refusing writes nothing: a key that hammers costs
no flush to disk. Jobs whose key has no limits cost nothing at all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from generation.access import Limits
from generation.job import Job
from generation.quota import OverQuota, Usage, take_all
from generation.store.keys import limits_of
from generation.store.schema import api_keys, jobs, key_usage

#: The usage of so many keys is remembered at once. Beyond it all of it is forgotten.
MOST_SEEN = 10_000

SAVE = (
    update(key_usage)
    .where(key_usage.c.key_id == bindparam("_key_id"))
    .values(
        whole_at=bindparam("_whole_at"), day=bindparam("_day"), jobs_today=bindparam("_jobs_today")
    )
)


class Quotas:
    """One process's part in holding keys to their limits."""

    def __init__(self) -> None:
        #: What each limited key had used when this process last looked: news, not the truth.
        self.seen: dict[str, Usage] = {}

    async def refused(
        self, connection: AsyncConnection, orders: Sequence[Sequence[Job]]
    ) -> Mapping[str, OverQuota]:
        """
        Which of these orders, of new jobs of one key each, must not be stored, by the id of their
        first job; all others have been counted. They are taken in the order given, each whole or
        not at all. To be called within the transaction that stores them.
        """
        limited = [job for order in orders for job in order if job.quota_key is not None]
        if not limited:
            return {}
        keys = sorted({job.quota_key for job in limited if job.quota_key})
        limits, usage = await lock(connection, keys)
        await count_unfinished(connection, limits, usage)
        # A commit whose answer was lost is repeated; what it stored has been counted.
        there = select(jobs.c.id).where(jobs.c.id.in_([job.id for job in limited]))
        stored = set((await connection.execute(there)).scalars())
        over: dict[str, OverQuota] = {}
        changed: set[str] = set()
        for order in orders:
            key = order[0].quota_key
            new = [job for job in order if job.id not in stored]
            if key not in limits or not new:
                continue
            outcome = take_all(limits[key], usage[key], [job.created_at for job in new])
            if isinstance(outcome, OverQuota):
                over[order[0].id] = outcome
            else:
                usage[key] = outcome
                changed.add(key)
        await save(connection, {key: usage[key] for key in sorted(changed)})
        self._remember(usage)
        return over

    def _remember(self, usage: Mapping[str, Usage]) -> None:
        if len(self.seen) > MOST_SEEN:
            self.seen.clear()
        self.seen.update(usage)


async def lock(
    connection: AsyncConnection, keys: Sequence[str]
) -> tuple[dict[str, Limits], dict[str, Usage]]:
    """The keys' limits as they are now, and what is used of them; nobody else's until the end."""
    query = (
        select(api_keys, key_usage)
        .join(key_usage, key_usage.c.key_id == api_keys.c.id)
        .where(key_usage.c.key_id.in_(keys))
        .order_by(key_usage.c.key_id)
        .with_for_update(of=key_usage)
    )
    rows = (await connection.execute(query)).all()
    limits = {row.id: limits_of(row) for row in rows}
    return limits, {
        row.id: Usage(whole_at=row.whole_at, day=row.day, jobs_today=row.jobs_today) for row in rows
    }


async def count_unfinished(
    connection: AsyncConnection, limits: Mapping[str, Limits], usage: dict[str, Usage]
) -> None:
    """Add to the usage how many jobs are unfinished, where that is limited."""
    counted = [key for key, each in limits.items() if each.max_in_flight is not None]
    if not counted:
        return
    query = (
        select(jobs.c.quota_key, func.count())
        .where(jobs.c.quota_key.in_(counted), jobs.c.finished_at.is_(None))
        .group_by(jobs.c.quota_key)
    )
    for key, count in await connection.execute(query):
        usage[key] = replace(usage[key], in_flight=count)


async def save(connection: AsyncConnection, usage: Mapping[str, Usage]) -> None:
    if usage:
        rows = [
            {
                "_key_id": key,
                "_whole_at": each.whole_at,
                "_day": each.day,
                "_jobs_today": each.jobs_today,
            }
            for key, each in usage.items()
        ]
        await connection.execute(SAVE, rows)
