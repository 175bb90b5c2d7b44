"""
Keys held to their limits, in the transaction that stores their jobs.

Whoever stores jobs of limited keys locks those keys' rows of `key_usage` first, so API processes
take turns and no two of them give one place away. Refusing writes nothing: a key that hammers costs
no flush to disk. Jobs whose key has no limits cost nothing at all.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from time import monotonic
from typing import Any

from sqlalchemy import Row, Select, bindparam, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from generation.access.permissions import Limits
from generation.access.quota import OverQuota, Usage, take_all
from generation.job import Job
from generation.store.access.api_keys import limits_of
from generation.store.engine.any_of import among, values_for
from generation.store.jobs.claiming import Taken
from generation.store.jobs.new_job import Birth
from generation.store.schema import api_keys, jobs, key_usage

#: The usage of so many keys is remembered at once. Beyond it all of it is forgotten.
MOST_SEEN = 10_000
#: Jobs that ended since they were counted make room after this, where the count matters.
COUNTED_FOR = timedelta(seconds=2)

SAVE = (
    update(key_usage)
    .where(key_usage.c.key_id == bindparam("_key_id"))
    .values(
        whole_at=bindparam("_whole_at"), day=bindparam("_day"), jobs_today=bindparam("_jobs_today")
    )
)


@dataclass(frozen=True, slots=True)
class Seen:
    """A limited key as this process last saw it."""

    limits: Limits
    usage: Usage
    #: When its unfinished jobs were counted. Those that ended since are still in the count.
    counted_at: float

    def is_fresh(self) -> bool:
        old = monotonic() - self.counted_at
        return self.limits.max_in_flight is None or old < COUNTED_FOR.total_seconds()


class Quotas:
    """One process's part in holding keys to their limits."""

    def __init__(self) -> None:
        self._seen: dict[str, Seen] = {}

    def usage_of(self, key_id: str) -> Usage:
        """What this key had used when this process last looked: news, not the truth."""
        seen = self._seen.get(key_id)
        return seen.usage if seen else Usage()

    async def look(
        self, connection: AsyncConnection, births: Sequence[Birth], *, again: bool = False
    ) -> bool:
        """
        Read what this process does not know of these orders' keys, or not freshly enough; `again`,
        all of it. Whether anything is other than it was remembered. Nothing is locked: whoever
        takes a place after this still compares. So usage is read first and jobs are counted then: a
        job that comes in between has changed the usage.
        """
        keys = {birth.jobs[0].quota_key for birth in births} - {None}
        asked = sorted(key for key in keys if key and (again or not self._is_fresh(key)))
        if not asked:
            return False
        dialect = connection.dialect.name
        rows = await connection.execute(_unlocked(dialect), {"keys": values_for(dialect, asked)})
        limits, usage = read_rows(rows)
        new = {key: each for key, each in usage.items() if not self._knows(key, limits[key], each)}
        await count_unfinished(connection, {key: limits[key] for key in new}, new)
        self._remember(limits, new)
        return bool(new)

    def _is_fresh(self, key_id: str) -> bool:
        seen = self._seen.get(key_id)
        return seen is not None and seen.is_fresh()

    def _knows(self, key_id: str, limits: Limits, usage: Usage) -> bool:
        """Whether that is what is remembered, but for the jobs in flight, which are fresh."""
        seen = self._seen.get(key_id)
        return (
            seen is not None
            and seen.is_fresh()
            and seen.limits == limits
            and replace(seen.usage, in_flight=0) == usage
        )

    def taking(self, births: Sequence[Birth]) -> tuple[list[Birth], list[Taken]]:
        """
        Those of these orders of one job each that are within the limits, as far as this process
        knows, and what they take. That still has to be claimed: another process may have taken it.
        """
        allowed: list[Birth] = []
        usage: dict[str, Usage] = {}
        for birth in births:
            job = birth.jobs[0]
            if job.quota_key is not None:
                seen = self._seen.get(job.quota_key)
                if seen is None or not seen.is_fresh():
                    continue
                before = usage.get(job.quota_key, seen.usage)
                after = take_all(seen.limits, before, [job.created_at])
                if isinstance(after, OverQuota):
                    continue
                usage[job.quota_key] = after
            allowed.append(birth)
        seen = self._seen
        return allowed, [Taken(k, seen[k].limits, seen[k].usage, u) for k, u in usage.items()]

    def took(self, places: Iterable[Taken]) -> None:
        """Remember that these places were taken."""
        for each in places:
            if seen := self._seen.get(each.key_id):
                self._seen[each.key_id] = replace(seen, usage=each.after)

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
        dialect = connection.dialect.name
        ids = {"ids": values_for(dialect, [job.id for job in limited])}
        stored = set((await connection.execute(_stored(dialect), ids)).scalars())
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
        self._remember(limits, usage)
        return over

    def _remember(self, limits: Mapping[str, Limits], usage: Mapping[str, Usage]) -> None:
        if len(self._seen) > MOST_SEEN:
            self._seen.clear()
        now = monotonic()
        self._seen |= {key: Seen(limits[key], each, now) for key, each in usage.items()}


@cache
def _stored(dialect: str) -> Select[Any]:
    return select(jobs.c.id).where(among(dialect, jobs.c.id, "ids"))


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
    return read_rows(await connection.execute(query))


@cache
def _unlocked(dialect: str) -> Select[Any]:
    return (
        select(api_keys, key_usage)
        .join(key_usage, key_usage.c.key_id == api_keys.c.id)
        .where(among(dialect, key_usage.c.key_id, "keys"))
    )


def read_rows(rows: Iterable[Row[Any]]) -> tuple[dict[str, Limits], dict[str, Usage]]:
    """Limits and usage by key; the jobs in flight are not counted yet."""
    limits: dict[str, Limits] = {}
    usage: dict[str, Usage] = {}
    for row in rows:
        limits[row.id] = limits_of(row)
        usage[row.id] = Usage(whole_at=row.whole_at, day=row.day, jobs_today=row.jobs_today)
    return limits, usage


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
