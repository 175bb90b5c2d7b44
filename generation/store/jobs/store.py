"""Jobs in the database: inserted, changed, read.

Claims are in `generation.store.jobs.claims`.

Every change is read, decided and written in one transaction with the row locked, so a decision
never applies to an outdated job. The move's event and its deliveries are written in the same
transaction.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from generation.counters import counted
from generation.events import Event, event_of
from generation.job import Job, JobState
from generation.store import counters as tallies
from generation.store.access.quotas import QuotaStore
from generation.store.engine.any_of import among, values_for
from generation.store.engine.database import Database
from generation.store.engine.group_commit import GroupCommit, GroupRead
from generation.store.engine.insert_once import insert_once
from generation.store.engine.unreadable_rows import UnreadableRow, read, read_one
from generation.store.events import event_row
from generation.store.jobs.idempotency import IdempotencyKey, KeyScope
from generation.store.jobs.insert import JobInserter
from generation.store.jobs.list import JobLists
from generation.store.jobs.new_job import InsertResult, NewJobs
from generation.store.jobs.rows import read_jobs
from generation.store.jobs.update import save
from generation.store.jobs.upstream_tasks import UpstreamTasks
from generation.store.schema import idempotency_keys, job_events, jobs
from generation.store.webhooks.outbox import write_deliveries
from generation.store.webhooks.progress_subscribers import ProgressSubscribers

#: Returns the job as it shall be, given the current one; the same object for "no change".
Decide = Callable[[Job], Job]
#: Reads what decisions about these locked jobs depend on, before they are made.
Prepare = Callable[[AsyncConnection, Mapping[str, Job]], Awaitable[None]]


Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Change:
    """A job before and after a decision. The same object twice if nothing changed."""

    before: Job
    after: Job

    @property
    def moved(self) -> bool:
        return self.before.state is not self.after.state


class JobStore:
    """Statements about jobs. Safe to share among the coroutines of one event loop."""

    def __init__(self, database: Database, *, base_url: str = "") -> None:
        self._database = database
        self._base_url = base_url
        #: Checks the limits of API keys.
        self.quotas = QuotaStore()
        self._inserter = JobInserter(database, base_url, self.quotas, self._write_events)
        self._progress_subscribers = ProgressSubscribers()
        self._getting = GroupRead(database, get_batch)
        self._changing = GroupCommit(database, self.change_within, limit=200)
        #: Reads a page of a tenant's jobs.
        self.page = JobLists(database).page
        self.tasks = UpstreamTasks(database)

    async def insert(self, job: Job) -> Job:
        """Store a job.

        On return its row and first event are on disk.

        Raises `QuotaExceeded` if the limits of its `quota_key` do not allow it now.
        """
        return (await self.place([job])).jobs[0]

    async def place(self, new: Sequence[Job], key: IdempotencyKey | None = None) -> InsertResult:
        """Store jobs together, all or none, or return those of an earlier submission with this key.

        Raises `KeyReused` if that was a different request, `KeyBusy` if another process keeps
        storing one, and `QuotaExceeded` like `insert`.
        """
        return await self._inserter.place(NewJobs(new, key))

    async def earlier_result(self, key: IdempotencyKey, now: datetime) -> InsertResult | None:
        """Return the jobs of an earlier submission with this key.

        Raises `KeyReused` if it was another.
        """
        return await self._inserter.earlier_result(key, now)

    async def change(self, job_id: str, decide: Decide) -> Change | None:
        """Apply a decision to the current job.

        Returns None if there is no such job.

        `decide` may be called again if the transaction fails, and must do nothing but decide.
        """
        return readable(await self._changing((job_id, decide)))

    async def get(self, job_id: str, tenant: str | None = None) -> Job | None:
        """Return the job; None if there is none, or the tenant has none.

        Like every read or change of one job it raises `UnreadableRow` if its row cannot be read.
        """
        job = await self._getting(job_id)
        if isinstance(job, UnreadableRow):
            # Another tenant must not learn that the job exists, even if it cannot be read.
            if tenant is not None and not await self._is_of(job_id, tenant):
                return None
            raise job
        return job if job and tenant in {None, job.tenant} else None

    async def _is_of(self, job_id: str, tenant: str) -> bool:
        query = select(jobs.c.id).where(jobs.c.id == job_id, jobs.c.tenant == tenant)
        async with self._database.reading() as connection:
            return (await connection.execute(query)).first() is not None

    async def named(self, client_id: str, tenant: str) -> Job | None:
        """Return the tenant's job of this name, or None."""
        key = idempotency_keys
        query = (
            select(jobs)
            .join(key, key.c.job_id == jobs.c.id)
            .where(key.c.tenant == tenant, key.c.scope == KeyScope.CLIENT_ID.value)
            .where(key.c.key == client_id)
        )
        async with self._database.reading() as connection:
            return await read_one(connection, query, jobs.c.id, read_jobs)

    async def ended(self, job_ids: Sequence[str]) -> list[Job]:
        """Return those of these jobs that have ended and can be read."""
        query = select(jobs).where(jobs.c.id.in_(job_ids), jobs.c.finished_at.is_not(None))
        async with self._database.reading() as connection:
            return (await read(connection, query, jobs.c.id, read_jobs)).found

    async def counts(self) -> dict[str, int]:
        """Return the number of jobs in each state."""
        query = select(jobs.c.state, func.count()).group_by(jobs.c.state)
        async with self._database.reading() as connection:
            return {state: count for state, count in await connection.execute(query)}

    async def change_within(
        self,
        connection: AsyncConnection,
        batch: Sequence[tuple[str, Decide]],
        prepare: Prepare | None = None,
    ) -> list[Change | UnreadableRow | None]:
        """Apply the changes of `change` within the caller's transaction."""
        dialect = connection.dialect.name
        ids = {"ids": values_for(dialect, {job_id for job_id, _ in batch})}
        result = await read(connection, _locking(dialect), jobs.c.id, read_jobs, ids)
        current = {job.id: job for job in result.found}
        if any(job.state is JobState.RUNNING for job in current.values()):
            await self._progress_subscribers.refresh(connection)
        if prepare is not None:
            await prepare(connection, current)
        changes: list[Change | UnreadableRow | None] = []
        recorded: list[tuple[Job, Event | None]] = []
        changed: dict[str, tuple[Job, Job]] = {}
        for job_id, decide in batch:
            before = current.get(job_id)
            if before is None:
                changes.append(missing(job_id, result.unreadable))
                continue
            after = decide(before)
            if after is not before:
                watched = self._progress_subscribers.want(after)
                event = event_of(before, after, self._base_url, watched=watched)
                after = after.evolve(
                    version=before.version + 1,
                    sequence=before.sequence + (event is not None),
                )
                recorded.append((after, event))
                current[job_id] = after
                changed[job_id] = (changed.get(job_id, (before,))[0], after)
            changes.append(Change(before, after))
        if changed:
            await save(connection, changed.values())
            await self._write_events(connection, recorded)
            moves = ((c.before, c.after) for c in changes if isinstance(c, Change))
            await tallies.add(connection, counted(moves))
        return changes

    async def _write_events(
        self, connection: AsyncConnection, moves: Sequence[tuple[Job, Event | None]]
    ) -> None:
        """Write the events of these moves, and their deliveries."""
        events = [(job, event) for job, event in moves if event is not None]
        if events:
            rows = [event_row(event) for _, event in events]
            await connection.execute(insert_once(connection, job_events), rows)
            await write_deliveries(connection, events, self._base_url)


async def get_batch(
    connection: AsyncConnection, ids: Sequence[str]
) -> list[Job | UnreadableRow | None]:
    dialect = connection.dialect.name
    wanted = {"ids": values_for(dialect, set(ids))}
    result = await read(connection, _by_ids(dialect), jobs.c.id, read_jobs, wanted)
    found = {job.id: job for job in result.found}
    return [found.get(job_id) or missing(job_id, result.unreadable) for job_id in ids]


def missing(job_id: str, unreadable: Sequence[str]) -> UnreadableRow | None:
    """Return the answer for a job that was not found."""
    return UnreadableRow(jobs.name, job_id) if job_id in unreadable else None


def readable(answer: Answer | UnreadableRow) -> Answer:
    """Return the answer. Raises `UnreadableRow` if it is one."""
    if isinstance(answer, UnreadableRow):
        raise answer
    return answer


@cache
def _by_ids(dialect: str) -> Select[Any]:
    return select(jobs).where(among(dialect, jobs.c.id, "ids"))


@cache
def _locking(dialect: str) -> Select[Any]:
    """Return the same query with locks in one order, so that there are no deadlocks."""
    return _by_ids(dialect).order_by(jobs.c.id).with_for_update()
