"""
Pages of a tenant's jobs, newest first.

Jobs that have ended are found by indexes of their own, one for each filter. Jobs that live are few
and change often; they are in none of these, so that looking at them stays cheap, and are searched
by one index for all filters. A filtered page is the newest of both. Which way is taken follows from
the filters alone, not from what a planner believes of the data.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select, true, union_all
from sqlalchemy.ext.asyncio import AsyncConnection
from ulid import ULID

from generation.job import TERMINAL, Job, JobState
from generation.store.database import Database
from generation.store.labels import label
from generation.store.rows import job_of
from generation.store.schema import job_labels, jobs

#: So many jobs are looked up one by one; where there are more, they are met by walking.
FEW = 2000

Condition = ColumnElement[bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which of a tenant's jobs to list. None means any. Times: from `after` on, until `before`."""

    state: JobState | None = None
    provider: str | None = None
    operation: str | None = None
    station: str | None = None
    #: The id of the job they follow.
    parent: str | None = None
    batch: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict[str, str])
    created_after: datetime | None = None
    created_before: datetime | None = None
    updated_after: datetime | None = None
    updated_before: datetime | None = None


class JobLists:
    """Reads pages."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(
        self,
        tenant: str,
        filters: Filters,
        *,
        limit: int,
        before: str | None = None,
        after: str | None = None,
    ) -> list[Job]:
        """
        Up to `limit` jobs, newest first: those that come right after the job `before` in the list,
        or right before the job `after`.
        """
        span = Span(tenant, filters, limit, before, after)
        async with self._database.reading() as connection:
            query = await way(connection, span)
            rows = (await connection.execute(query)).mappings().all()
        found = [job_of(dict(row)) for row in rows]
        return found if after is None else found[::-1]


@dataclass(frozen=True, slots=True)
class Span:
    """One page to be read."""

    tenant: str
    filters: Filters
    limit: int
    before: str | None
    after: str | None

    def first(self, query: Select[Any], by: ColumnElement[str]) -> Select[Any]:
        """The page's first jobs of this query, in the direction of reading."""
        order = by.desc() if self.after is None else by.asc()
        return query.order_by(order).limit(self.limit)

    def bounds(self, by: ColumnElement[str]) -> list[Condition]:
        """The cursor's and the times' limits, said of ids: they begin with the time of birth."""
        filters = self.filters
        found: list[Condition] = []
        if self.after is not None:
            found.append(by > self.after)
        if filters.created_after is not None:
            found.append(by >= first_id(filters.created_after))
        # What is older than it was changed is older than that, too.
        limits = [last_id(m) for m in (filters.created_before, filters.updated_before) if m]
        # One bound, the lowest: SQLite walks by one of several, and by any.
        if self.before is not None and all(self.before <= limit for limit in limits):
            found.append(by < self.before)
        elif limits:
            found.append(by <= min(limits))
        return found

    def conditions(self) -> list[Condition]:
        """All that a row must be, beside its tenant's."""
        filters = self.filters
        found: list[Condition] = []
        for column, value in (
            (jobs.c.state, filters.state.value if filters.state else None),
            (jobs.c.provider, filters.provider),
            (jobs.c.operation, filters.operation),
            (jobs.c.station, filters.station),
            (jobs.c.parent_id, filters.parent),
            (jobs.c.batch_id, filters.batch),
        ):
            if value is not None:
                found.append(column == value)
        # In a form that no index answers: pages are walked by id.
        changed_at = func.coalesce(jobs.c.updated_at, jobs.c.created_at)
        for column, since, until in (
            (jobs.c.created_at, filters.created_after, filters.created_before),
            (changed_at, filters.updated_after, filters.updated_before),
        ):
            if since is not None:
                found.append(column >= since)
            if until is not None:
                found.append(column < until)
        return found


async def way(connection: AsyncConnection, span: Span) -> Select[Any]:
    """The query for this page, by the index that suits its filters."""
    filters = span.filters
    if filters.metadata:
        return by_metadata(span)
    if filters.updated_after is not None:
        return await by_change(connection, span)
    by_kind = (filters.state, filters.provider, filters.operation, filters.station)
    if filters.parent is None and filters.batch is None and any(by_kind):
        return in_parts(span, ended())
    return span.first(select(jobs).where(*own(span)), jobs.c.id)


def by_metadata(span: Span) -> Select[Any]:
    """
    Along the first entry's label; the others are looked up for each job that has it. The jobs' own
    tenant is left out: SQLite would walk all jobs of it instead.
    """
    first, *others = (label(name, value) for name, value in span.filters.metadata.items())
    by = job_labels.c.job_id
    query = (
        select(jobs)
        .join(job_labels, by == jobs.c.id)
        .where(job_labels.c.tenant == span.tenant, job_labels.c.label == first)
        .where(*span.conditions(), *span.bounds(by))
    )
    for number, other in enumerate(others):
        also = job_labels.alias(f"also_{number}")
        same = (also.c.tenant == span.tenant, also.c.label == other, also.c.job_id == jobs.c.id)
        query = query.where(select(also.c.job_id).where(*same).exists())
    return span.first(query, by)


async def by_change(connection: AsyncConnection, span: Span) -> Select[Any]:
    """
    Jobs changed since a time: all that were ordered since then, and of the older ones those that
    lived then, which are few and taken by their ids.
    """
    since = span.filters.updated_after
    assert since is not None
    start = first_id(since)
    born_before = func.coalesce(jobs.c.id, "") < start  # answered by no index, or that were taken
    older = select(jobs.c.id).where(
        ended(), jobs.c.tenant == span.tenant, jobs.c.updated_at >= since, born_before
    )
    few = (await connection.execute(older.limit(FEW + 1))).scalars().all()
    if len(few) > FEW:
        return in_parts(span, ended())
    return in_parts(span, jobs.c.id >= start, jobs.c.id.in_(few))


def in_parts(span: Span, *ended_by: Condition) -> Select[Any]:
    """The newest of those that have ended, found by each of these, and of those that live."""
    state = span.filters.state
    parts = [(ended(), by) for by in ended_by] if state is None or state in TERMINAL else []
    if state not in TERMINAL:
        parts.append((jobs.c.finished_at.is_(None), true()))
    matching = select(jobs.c.id).where(*own(span))
    found = [span.first(matching.where(*part), jobs.c.id).subquery() for part in parts]
    ids = union_all(*(select(part.c.id) for part in found))
    return span.first(select(jobs).where(jobs.c.id.in_(ids)), jobs.c.id)


def own(span: Span) -> list[Condition]:
    return [jobs.c.tenant == span.tenant, *span.conditions(), *span.bounds(jobs.c.id)]


def ended() -> Condition:
    return jobs.c.finished_at.is_not(None)


def first_id(moment: datetime) -> str:
    """No job born at `moment` or later has a lower id."""
    return f"job_{ULID.from_int(milliseconds(moment) << 80)}"


def last_id(moment: datetime) -> str:
    """No job born before `moment` has a higher id."""
    return f"job_{ULID.from_int(((milliseconds(moment) + 1) << 80) - 1)}"


def milliseconds(moment: datetime) -> int:
    return max(0, int(moment.timestamp() * 1000))
