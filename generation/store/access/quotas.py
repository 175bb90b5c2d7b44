"""Limits of API keys, checked in the transaction that stores their jobs.

A transaction that stores jobs of limited keys first locks the keys' rows of `key_usage`, so API
processes take turns and no capacity is given twice. A refusal writes nothing, so repeated refused
requests cost no flush to disk. Jobs of keys without limits cost nothing.
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
from generation.access.quota import KeyUsage, QuotaExceeded, use_all
from generation.job import Job
from generation.store.access.api_keys import limits_of
from generation.store.engine.any_of import among, values_for
from generation.store.jobs.claiming import ClaimedUsage
from generation.store.jobs.new_job import NewJobs
from generation.store.schema import api_keys, jobs, key_usage

#: The number of keys whose usage is remembered. Beyond it all of it is forgotten.
MOST_SEEN = 10_000
#: For how long a count of unfinished jobs is used where the limit matters.
COUNTED_FOR = timedelta(seconds=2)

SAVE = (
    update(key_usage)
    .where(key_usage.c.key_id == bindparam("_key_id"))
    .values(
        whole_at=bindparam("_whole_at"), day=bindparam("_day"), jobs_today=bindparam("_jobs_today")
    )
)


@dataclass(frozen=True, slots=True)
class KnownUsage:
    """A limited key as this process last saw it."""

    limits: Limits
    usage: KeyUsage
    #: When its unfinished jobs were counted. Jobs that ended since are still in the count.
    counted_at: float

    def is_fresh(self) -> bool:
        old = monotonic() - self.counted_at
        return self.limits.max_in_flight is None or old < COUNTED_FOR.total_seconds()


class QuotaStore:
    """The limits of keys, as one process checks them."""

    def __init__(self) -> None:
        self._seen: dict[str, KnownUsage] = {}

    def usage_of(self, key_id: str) -> KeyUsage:
        """Return what this key had used when this process last read it. It may be out of date."""
        seen = self._seen.get(key_id)
        return seen.usage if seen else KeyUsage()

    async def refresh(
        self, connection: AsyncConnection, submissions: Sequence[NewJobs], *, again: bool = False
    ) -> bool:
        """Read limits and usage of these submissions' keys where they are unknown or too old.

        With `again`, read all of them. Returns whether anything differs from what was remembered.
        Nothing is locked: a later claim compares the values again. Therefore usage is read first
        and jobs are counted after it: a job that is added in between has changed the usage.
        """
        keys = {submission.jobs[0].quota_key for submission in submissions} - {None}
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

    def _knows(self, key_id: str, limits: Limits, usage: KeyUsage) -> bool:
        """Return whether that is what is remembered, apart from the jobs in flight."""
        seen = self._seen.get(key_id)
        return (
            seen is not None
            and seen.is_fresh()
            and seen.limits == limits
            and replace(seen.usage, in_flight=0) == usage
        )

    def claimable(self, submissions: Sequence[NewJobs]) -> tuple[list[NewJobs], list[ClaimedUsage]]:
        """Return the submissions that seem to be within the limits, and what they use.

        Each has one job. The usage must still be claimed: another process may have used it.
        """
        allowed: list[NewJobs] = []
        usage: dict[str, KeyUsage] = {}
        for submission in submissions:
            job = submission.jobs[0]
            if job.quota_key is not None:
                seen = self._seen.get(job.quota_key)
                if seen is None or not seen.is_fresh():
                    continue
                before = usage.get(job.quota_key, seen.usage)
                after = use_all(seen.limits, before, [job.created_at])
                if isinstance(after, QuotaExceeded):
                    continue
                usage[job.quota_key] = after
            allowed.append(submission)
        seen = self._seen
        return allowed, [
            ClaimedUsage(k, seen[k].limits, seen[k].usage, u) for k, u in usage.items()
        ]

    def remember_claimed(self, claimed: Iterable[ClaimedUsage]) -> None:
        """Remember that this usage was claimed."""
        for each in claimed:
            if seen := self._seen.get(each.key_id):
                self._seen[each.key_id] = replace(seen, usage=each.after)

    async def refused(
        self, connection: AsyncConnection, orders: Sequence[Sequence[Job]]
    ) -> Mapping[str, QuotaExceeded]:
        """Return which submissions must not be stored, by the id of their first job.

        All others have been counted. Each is of new jobs of one key, and is accepted whole or not
        at all, in the order given. Call this within the transaction that stores them.
        """
        limited = [job for order in orders for job in order if job.quota_key is not None]
        if not limited:
            return {}
        keys = sorted({job.quota_key for job in limited if job.quota_key})
        limits, usage = await lock(connection, keys)
        await count_unfinished(connection, limits, usage)
        # A commit whose answer was lost is repeated; the jobs it stored have been counted.
        dialect = connection.dialect.name
        ids = {"ids": values_for(dialect, [job.id for job in limited])}
        stored = set((await connection.execute(_stored(dialect), ids)).scalars())
        over: dict[str, QuotaExceeded] = {}
        changed: set[str] = set()
        for order in orders:
            key = order[0].quota_key
            new = [job for job in order if job.id not in stored]
            if key not in limits or not new:
                continue
            outcome = use_all(limits[key], usage[key], [job.created_at for job in new])
            if isinstance(outcome, QuotaExceeded):
                over[order[0].id] = outcome
            else:
                usage[key] = outcome
                changed.add(key)
        await save(connection, {key: usage[key] for key in sorted(changed)})
        self._remember(limits, usage)
        return over

    def _remember(self, limits: Mapping[str, Limits], usage: Mapping[str, KeyUsage]) -> None:
        if len(self._seen) > MOST_SEEN:
            self._seen.clear()
        now = monotonic()
        self._seen |= {key: KnownUsage(limits[key], each, now) for key, each in usage.items()}


@cache
def _stored(dialect: str) -> Select[Any]:
    return select(jobs.c.id).where(among(dialect, jobs.c.id, "ids"))


async def lock(
    connection: AsyncConnection, keys: Sequence[str]
) -> tuple[dict[str, Limits], dict[str, KeyUsage]]:
    """Return the keys' current limits and usage, locked until the transaction ends."""
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


def read_rows(rows: Iterable[Row[Any]]) -> tuple[dict[str, Limits], dict[str, KeyUsage]]:
    """Return limits and usage by key, without the jobs in flight."""
    limits: dict[str, Limits] = {}
    usage: dict[str, KeyUsage] = {}
    for row in rows:
        limits[row.id] = limits_of(row)
        usage[row.id] = KeyUsage(whole_at=row.whole_at, day=row.day, jobs_today=row.jobs_today)
    return limits, usage


async def count_unfinished(
    connection: AsyncConnection, limits: Mapping[str, Limits], usage: dict[str, KeyUsage]
) -> None:
    """Add the number of unfinished jobs to the usage, where it is limited."""
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


async def save(connection: AsyncConnection, usage: Mapping[str, KeyUsage]) -> None:
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
