"""
Jobs on disk: born, changed, read. They are claimed in `generation.store.claims`.

Every change is read, decided and written in one transaction with the row locked, so a decision
never meets a job that somebody else has moved; and with it, in the same transaction, go the move's
event and the deliveries it owes.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Table, bindparam, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection
from ulid import ULID

from generation.events import Event, event_of, wants
from generation.job import Job, JobState, Webhook
from generation.quota import OverQuota
from generation.store import tallies
from generation.store.database import Database
from generation.store.events import event_row
from generation.store.group_commit import GroupCommit
from generation.store.quotas import Quotas
from generation.store.rows import MUTABLE, job_of, job_row, mutable_row
from generation.store.schema import deliveries, job_events, jobs
from generation.tally import counted
from generation.webhooks.delivery import Delivery, DeliveryState

#: Given the job as it is now, the job as it shall be; the same object for "no change".
Decide = Callable[[Job], Job]
#: Reads what decisions about these locked jobs depend on, before they are taken.
Prepare = Callable[[AsyncConnection, Mapping[str, Job]], Awaitable[None]]

UPDATE = (
    update(jobs)
    .where(jobs.c.id == bindparam("_id"))
    .values({name: bindparam(name) for name in MUTABLE})
)


@dataclass(frozen=True, slots=True)
class Change:
    """A job before and after a decision. The same object twice where nothing changed."""

    before: Job
    after: Job

    @property
    def moved(self) -> bool:
        return self.before.state is not self.after.state


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which of a tenant's jobs to list. None means any."""

    state: JobState | None = None
    provider: str | None = None
    operation: str | None = None


class JobStore:
    """All access to jobs. Safe to share among the coroutines of one event loop."""

    def __init__(self, database: Database, *, base_url: str = "") -> None:
        self._database = database
        self._base_url = base_url
        #: Holds limited keys to their limits.
        self.quotas = Quotas()
        self._inserting = GroupCommit(database, self._insert_batch)
        self._changing = GroupCommit(database, self.change_within, limit=200)

    async def insert(self, job: Job) -> Job:
        """
        Make a job durable. On return the row and its first event are on disk. Raises `OverQuota`
        where the limits of its `quota_key` do not allow it now.
        """
        outcome = await self._inserting(job)
        if isinstance(outcome, OverQuota):
            raise outcome
        return outcome

    async def change(self, job_id: str, decide: Decide) -> Change | None:
        """
        Apply a decision to the job as it is on disk now. None where there is no such job. `decide`
        may be called again should the transaction fail, and must not do anything but decide.
        """
        return await self._changing((job_id, decide))

    async def get(self, job_id: str, tenant: str | None = None) -> Job | None:
        """The job, or None where there is none, or none of this tenant's."""
        query = select(jobs).where(jobs.c.id == job_id)
        if tenant is not None:
            query = query.where(jobs.c.tenant == tenant)
        async with self._database.reading() as connection:
            row = (await connection.execute(query)).mappings().first()
        return job_of(dict(row)) if row else None

    async def page(
        self, tenant: str, filters: Filters, *, limit: int, before: str | None = None
    ) -> list[Job]:
        """A tenant's jobs, newest first, beginning after the job `before`."""
        query = select(jobs).where(jobs.c.tenant == tenant).order_by(jobs.c.id.desc()).limit(limit)
        if before is not None:
            query = query.where(jobs.c.id < before)
        for column, value in (
            (jobs.c.state, filters.state),
            (jobs.c.provider, filters.provider),
            (jobs.c.operation, filters.operation),
        ):
            if value is not None:
                query = query.where(column == value)
        async with self._database.reading() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [job_of(dict(row)) for row in rows]

    async def counts(self) -> dict[str, int]:
        """How many jobs there are in each state."""
        query = select(jobs.c.state, func.count()).group_by(jobs.c.state)
        async with self._database.reading() as connection:
            return {state: count for state, count in await connection.execute(query)}

    async def _insert_batch(
        self, connection: AsyncConnection, batch: Sequence[Job]
    ) -> Sequence[Job | OverQuota]:
        refused = await self.quotas.refused(connection, batch)
        taken = [job for job in batch if job.id not in refused] if refused else batch
        if not taken:
            return [refused[job.id] for job in batch]
        born = await self._bear(connection, taken)
        if not refused:
            return born
        by_id = {job.id: job for job in born}
        return [refused.get(job.id) or by_id[job.id] for job in batch]

    async def _bear(self, connection: AsyncConnection, taken: Sequence[Job]) -> list[Job]:
        events = [event_of(None, job, self._base_url) for job in taken]
        born = [replace(job, sequence=1) for job in taken]
        rows = [job_row(job) for job in born]
        inserted = await connection.execute(insert_once(connection, jobs), rows)
        await self._tell(connection, list(zip(born, events, strict=True)))
        repeated = len(born) == 1 and inserted.rowcount == 0  # a repetition always comes alone
        await tallies.add(connection, counted(() if repeated else ((None, job) for job in born)))
        return born

    async def change_within(
        self,
        connection: AsyncConnection,
        batch: Sequence[tuple[str, Decide]],
        prepare: Prepare | None = None,
    ) -> list[Change | None]:
        """The changes of `change`, in a transaction of the caller's."""
        ids = sorted({job_id for job_id, _ in batch})
        query = select(jobs).where(jobs.c.id.in_(ids)).order_by(jobs.c.id).with_for_update()
        rows = (await connection.execute(query)).mappings()
        current = {row["id"]: job_of(dict(row)) for row in rows}
        if prepare is not None:
            await prepare(connection, current)
        changes: list[Change | None] = []
        told: list[tuple[Job, Event | None]] = []
        changed: dict[str, Job] = {}
        for job_id, decide in batch:
            before = current.get(job_id)
            if before is None:
                changes.append(None)
                continue
            after = decide(before)
            if after is not before:
                event = event_of(before, after, self._base_url)
                after = replace(
                    after,
                    version=before.version + 1,
                    sequence=before.sequence + (event is not None),
                )
                told.append((after, event))
                current[job_id] = changed[job_id] = after
            changes.append(Change(before, after))
        if changed:
            rows_written = [{"_id": job.id, **mutable_row(job)} for job in changed.values()]
            await connection.execute(UPDATE, rows_written)
            await self._tell(connection, told)
            moves = ((change.before, change.after) for change in changes if change)
            await tallies.add(connection, counted(moves))
        return changes

    async def _tell(
        self, connection: AsyncConnection, moves: Sequence[tuple[Job, Event | None]]
    ) -> None:
        """Write the events of these moves and the deliveries their jobs asked for."""
        events = [event for _, event in moves if event is not None]
        owed = [
            delivery_row(first_delivery(job, job.webhook, event))
            for job, event in moves
            if event is not None and job.webhook is not None and wants(job, event.type)
        ]
        if events:
            rows = [event_row(event) for event in events]
            await connection.execute(insert_once(connection, job_events), rows)
        if owed:
            await connection.execute(insert_once(connection, deliveries), owed)


def insert_once(connection: AsyncConnection, table: Table) -> Any:
    """
    An insert that leaves a row of the same id alone: a commit whose answer was lost is repeated.
    """
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    return dialect.insert(table).on_conflict_do_nothing()


def first_delivery(job: Job, webhook: Webhook, event: Event) -> Delivery:
    return Delivery(
        id=f"dlv_{ULID()}",
        event_id=event.id,
        event_type=event.type,
        job_id=job.id,
        tenant=job.tenant,
        api_key_id=job.api_key_id,
        url=webhook.url,
        body=event.body or b"",
        state=DeliveryState.QUEUED,
        attempts=0,
        version=0,
        wake_at=event.created_at,
        last_status=None,
        last_error="",
        last_response="",
        created_at=event.created_at,
        finished_at=None,
    )


def delivery_row(delivery: Delivery) -> dict[str, Any]:
    return {column.name: getattr(delivery, column.name) for column in deliveries.c} | {
        "state": delivery.state.value
    }
