"""Pages of a tenant's jobs, newest first.

Ended jobs are found by indexes of their own, one per filter. Live jobs are few and change often;
they are in none of these, so that claims stay cheap, and are searched by one index for all filters.
A filtered page is the newest of both. The query plan follows from the filters alone.

Jobs that changed after a time were created after it, or were alive at that time. Most jobs end
soon, so the latter are among the jobs that ended within an hour, or among the few that changed
late.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, TextClause, func, select, text, union_all
from ulid import ULID

from generation.job import TERMINAL, Job, JobState
from generation.store.engine.database import Database
from generation.store.engine.unreadable_rows import first_readable, read
from generation.store.jobs.metadata_index import label
from generation.store.jobs.rows import read_jobs
from generation.store.schema import ENDED, ENDED_LATE, LATE, LIVING, job_labels, jobs

Condition = ColumnElement[bool]

#: PostgreSQL would use one generic plan after some executions, as if each value were as frequent;
#: and its parallel workers take longer to start than a page takes to read.
PLANNED_ANEW_AND_ALONE = text(
    "SELECT set_config('plan_cache_mode', 'force_custom_plan', true),"
    " set_config('max_parallel_workers_per_gather', '0', true)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFilters:
    """Which jobs of a tenant to list.

    None means any. Times: `after` is inclusive, `before` exclusive.
    """

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
        filters: JobFilters,
        *,
        limit: int,
        before: str | None = None,
        after: str | None = None,
    ) -> list[Job]:
        """Return up to `limit` jobs, newest first.

        They are those right after the job `before` in the list, or right before the job `after`.
        Unreadable jobs are left out.
        """

        async def ask(limit: int) -> tuple[list[Job], int]:
            span = PageQuery(tenant, filters, limit, before, after)
            async with self._database.reading() as connection:
                query = way(span, connection.dialect.name)
                if not self._database.is_sqlite:
                    await connection.execute(PLANNED_ANEW_AND_ALONE)
                result = await read(connection, query, jobs.c.id, read_jobs)
            return result.found, len(result.unreadable)

        found = await first_readable(limit, ask)
        return found if after is None else found[::-1]


@dataclass(frozen=True, slots=True)
class PageQuery:
    """One page to be read."""

    tenant: str
    filters: JobFilters
    limit: int
    before: str | None
    after: str | None

    def first(self, query: Select[Any], by: ColumnElement[str]) -> Select[Any]:
        """Return the page's first jobs of this query, in the direction of reading."""
        order = by.desc() if self.after is None else by.asc()
        return query.order_by(order).limit(self.limit)

    def between(self, since: str | None = None, until: str | None = None) -> "IdBounds":
        """Return the limits of cursor and times as bounds of ids, which begin with a timestamp.

        `since` and `until` are further bounds.
        """
        filters = self.filters
        from_on = [since] if since else []
        if filters.created_after is not None:
            from_on.append(first_id(filters.created_after))
        before = [bound for bound in (self.before, until) if bound]
        # A job is created before it changes.
        before += [later_id(m) for m in (filters.created_before, filters.updated_before) if m]
        return IdBounds(max(from_on, default=None), self.after, min(before, default=None))

    def conditions(self, *, by_index: bool = True) -> list[Condition]:
        """Return all conditions on a row except its tenant; if wanted, without using an index."""
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
                found.append((column if by_index else func.coalesce(column, "")) == value)
        for column, since, until in (
            (jobs.c.created_at, filters.created_after, filters.created_before),
            (jobs.c.updated_at, filters.updated_after, filters.updated_before),
        ):
            # In a form that no index answers: pages are read by id.
            if since is not None:
                found.append(func.coalesce(column, since) >= since)
            if until is not None:
                found.append(func.coalesce(column, until) < until)
        return found


@dataclass(frozen=True, slots=True)
class IdBounds:
    """Ids from `since` on, after `after`, and before `before`."""

    since: str | None
    after: str | None
    before: str | None

    def on(self, by: ColumnElement[str]) -> list[Condition]:
        """Apply one bound per side: SQLite uses only one of several."""
        found: list[Condition] = []
        if self.after is not None and (self.since is None or self.after >= self.since):
            found.append(by > self.after)
        elif self.since is not None:
            found.append(by >= self.since)
        if self.before is not None:
            found.append(by < self.before)
        return found


def way(span: PageQuery, store: str) -> Select[Any]:
    """Return the query for this page, for the index that suits its filters.

    `dialect` is `sqlite` or `postgresql`.
    """
    filters, bounds = span.filters, span.between().on(jobs.c.id)
    by_kind = (filters.state, filters.provider, filters.operation, filters.station)
    if filters.metadata:
        return by_metadata(span)
    if filters.parent is None and filters.batch is None:
        if filters.updated_after is not None:
            return by_change(span, filters.updated_after, store)
        if any(by_kind):
            return in_parts(span, ListPart(ENDED, bounds, jobs.c.id))
    return span.first(select(jobs).where(*own(span), *bounds), jobs.c.id)


def by_metadata(span: PageQuery) -> Select[Any]:
    """Read along the metadata index of the first entry; the others are looked up for each job.

    The jobs' own tenant is left out: SQLite would scan all its jobs instead.
    """
    first, *others = (label(name, value) for name, value in span.filters.metadata.items())
    by = job_labels.c.job_id
    query = (
        select(jobs)
        .join(job_labels, by == jobs.c.id)
        .where(job_labels.c.tenant == span.tenant, job_labels.c.label == first)
        .where(*span.conditions(), *span.between().on(by))
    )
    for number, other in enumerate(others):
        also = job_labels.alias(f"also_{number}")
        same = (also.c.tenant == span.tenant, also.c.label == other, also.c.job_id == jobs.c.id)
        query = query.where(select(also.c.job_id).where(*same).exists())
    return span.first(query, by)


def by_change(span: PageQuery, since: datetime, store: str) -> Select[Any]:
    """Return jobs created since then, and older ones that were alive then.

    The latter are still alive, or ended soon after, or changed late.
    """
    start, changed_at = first_id(since), jobs.c.updated_at
    ordered = ListPart(ENDED, span.between(since=start).on(jobs.c.id), jobs.c.id)
    by = func.coalesce(jobs.c.id, "")
    older = [changed_at >= since, *span.between(until=start).on(by)]
    soon = ListPart(ENDED, [*older, changed_at <= since + LATE], by, by_change=True)
    late = ListPart(ENDED_LATE[store], older, by, by_change=True)
    return in_parts(span, ordered, soon, late)


@dataclass(frozen=True, slots=True)
class ListPart:
    """A part of the ended jobs, or of the live ones, with an index of its own."""

    which: TextClause
    where: Sequence[Condition]
    by: ColumnElement[str]
    #: Found by the time of the last change: no other condition may lead a planner to another index.
    by_change: bool = False

    def first(self, span: PageQuery) -> Select[Any]:
        own_conditions = own(span, by_index=not self.by_change)
        return span.first(
            select(jobs.c.id).where(self.which, *own_conditions, *self.where), self.by
        )


def in_parts(span: PageQuery, *ended: ListPart) -> Select[Any]:
    """Return the newest of the ended jobs, found by each of these parts, and of the live ones."""
    state = span.filters.state
    parts = list(ended) if state is None or state in TERMINAL else []
    if state not in TERMINAL:
        parts.append(ListPart(LIVING, span.between().on(jobs.c.id), jobs.c.id))
    found = [part.first(span).subquery() for part in parts]
    ids = union_all(*(select(part.c.id) for part in found))
    return span.first(select(jobs).where(jobs.c.id.in_(ids)), jobs.c.id)


def own(span: PageQuery, *, by_index: bool = True) -> list[Condition]:
    return [jobs.c.tenant == span.tenant, *span.conditions(by_index=by_index)]


def first_id(moment: datetime) -> str:
    """Return an id that no job created at `moment` or later is below."""
    return f"job_{ULID.from_int(milliseconds(moment) << 80)}"


def later_id(moment: datetime) -> str:
    """Return an id that every job created before `moment` is below."""
    return f"job_{ULID.from_int((milliseconds(moment) + 1) << 80)}"


def milliseconds(moment: datetime) -> int:
    return max(0, int(moment.timestamp() * 1000))
