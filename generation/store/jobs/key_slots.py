"""Claims that respect the limits of station keys, and wake-ups of waiting jobs.

A claim locks the job, then the keys it may take, counts what they hold, and decides. A wake-up
locks one key and takes only jobs that nobody else has locked. So there are no deadlocks, and the
slots of a key are counted by one process at a time.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from generation.job import Job, JobState
from generation.stations.fair_turns import by_turn, in_turn
from generation.stations.key_capacity import CALLED_AT_ONCE, Capacity
from generation.stations.key_health import KeyHealth, KeyName, RetryWaits
from generation.stations.station import Key
from generation.stations.wait_queue import is_awaited
from generation.store.engine.database import Database
from generation.store.engine.group_commit import GroupCommit
from generation.store.engine.unreadable_rows import UnreadableRow, postpone, read
from generation.store.jobs import wait_queues as queues
from generation.store.jobs.rows import read_jobs
from generation.store.jobs.store import Change, JobStore, readable
from generation.store.jobs.update import save
from generation.store.schema import jobs
from generation.store.stations import key_health as accounts

Capacities = Mapping[KeyName, Capacity]


class SubmitPlan(Protocol):
    """A claim of one job."""

    @property
    def now(self) -> datetime: ...

    def wanted(self, job: Job) -> Mapping[KeyName, Key]:
        """Returns the keys whose capacity matters to this job; none if it has no limits."""
        ...

    def decide(self, job: Job, capacities: Capacities) -> Job:
        """Decides like `Decide`. It takes from the key's `Capacity` what it uses."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class WakeUp:
    """A wake-up of jobs that wait for one key."""

    name: KeyName
    key: Key
    #: The queues that wait for it.
    lines: Sequence[str]
    #: Returns a job as it is once it was woken.
    called: Callable[[Job], Job]
    now: datetime
    retry_waits: RetryWaits
    most: int = CALLED_AT_ONCE
    #: The model that is blocked in these queues at this key, if any: one job tries again.
    subject: str | None = None


class SubmitStore:
    """Claims and wake-ups. Safe to share among the coroutines of one event loop."""

    def __init__(self, database: Database, jobs: JobStore) -> None:
        self._database = database
        self._jobs = jobs
        self._claiming = GroupCommit(database, self._claim_batch, limit=200)

    async def claim(self, job_id: str, plan: SubmitPlan) -> Change | None:
        """Like `JobStore.change`, for a decision that may take a slot of a key.

        With several processes deciding at once, no key ever gets more than its limits.
        """
        return readable(await self._claiming((job_id, plan)))

    async def call(self, call: WakeUp) -> list[Job]:
        """Reserve slots for as many waiting jobs as the key can take, in turn.

        A woken job is nudged, or found by the next tick, and is then claimed.
        """
        if not await self._has_room(call):
            return []
        async with self._database.writing() as connection:
            account = await accounts.locked_alone(connection, call.name, wait=False)
            if account is None:
                return []  # another process is calling
            capacity = await self._capacity(connection, call, account)
            chosen = await self._chosen(connection, call, capacity)
            if not chosen:
                return []
            called = [call.called(job).evolve(version=job.version + 1) for job in chosen]
            capacity.call(called, call.now, call.retry_waits)
            await save(connection, zip(chosen, called, strict=True))
            if capacity.touched:
                await accounts.write(connection, [capacity.account])
            given = [(call.name, job.tenant) for job in called]
            await accounts.served(connection, given, call.now)
        return called

    async def _has_room(self, call: WakeUp) -> bool:
        """Return whether the key seems to have a free slot, without a lock: mostly it has none."""
        async with self._database.reading() as connection:
            account = await accounts.known(connection, call.name)
            known = account or KeyHealth.of(call.name)
            capacity = await self._capacity(connection, call, known)
        if account is None:
            async with self._database.writing() as connection:
                await accounts.insert_locked(connection, call.name)
        return capacity.to_call(call.now, call.most, call.subject) > 0

    async def _capacity(
        self, connection: AsyncConnection, call: WakeUp, account: KeyHealth
    ) -> Capacity:
        held, called = await accounts.places(connection, call.name, call.now)
        return Capacity(call.key, account, held, called)

    async def _chosen(
        self, connection: AsyncConnection, call: WakeUp, capacity: Capacity
    ) -> list[Job]:
        """Return the next jobs in turn, locked, without those that are locked elsewhere.

        A trial goes to another job than the one that failed last, if there is one.
        """
        count = capacity.to_call(call.now, call.most, call.subject)
        if count == 0:
            return []
        failed = capacity.refused_last(call.subject)
        spare = count + (failed is not None)
        tenants = await queues.tenants(connection, call.lines)
        served = await accounts.last_served(connection, call.name, tenants)
        waiting = {
            tenant: await queues.first_of(connection, call.lines, tenant, spare)
            for tenant in by_turn(tenants, served)[:spare]
        }
        in_order = in_turn(waiting, spare)
        chosen = sorted(in_order, key=lambda job_id: job_id == failed)[:count]
        query = (
            select(jobs)
            .where(jobs.c.id.in_(chosen), jobs.c.line.in_(call.lines))
            .where(jobs.c.state == JobState.QUEUED)
            .with_for_update(skip_locked=True)
        )
        result = await read(connection, query, jobs.c.id, read_jobs)
        await postpone(connection, jobs, result.unreadable, call.now)  # or it would stay the next
        found = {job.id: job for job in result.found}
        return [found[job_id] for job_id in chosen if job_id in found]

    async def _claim_batch(
        self, connection: AsyncConnection, batch: Sequence[tuple[str, SubmitPlan]]
    ) -> list[Change | UnreadableRow | None]:
        capacities: dict[KeyName, Capacity] = {}
        now = max(plan.now for _, plan in batch)

        async def prepare(connection: AsyncConnection, current: Mapping[str, Job]) -> None:
            wanted: dict[KeyName, Key] = {}
            for job_id, plan in batch:
                if (job := current.get(job_id)) is not None:
                    wanted |= plan.wanted(job)
            if wanted:
                capacities.update(await self._locked(connection, wanted, now))

        def deciding(plan: SubmitPlan) -> Callable[[Job], Job]:
            return lambda job: plan.decide(job, capacities)

        decisions = [(job_id, deciding(plan)) for job_id, plan in batch]
        changes = await self._jobs.change_within(connection, decisions, prepare)
        if capacities:
            await self._settle(connection, capacities, changes, now)
        return changes

    async def _locked(
        self, connection: AsyncConnection, wanted: Mapping[KeyName, Key], now: datetime
    ) -> dict[KeyName, Capacity]:
        found = await accounts.locked(connection, wanted)
        waiting = await queues.lines(connection)
        return {
            account.name: Capacity(
                wanted[account.name],
                account,
                *await accounts.places(connection, account.name, now),
                has_line=is_awaited(account, waiting, now),
            )
            for account in found
        }

    async def _settle(
        self,
        connection: AsyncConnection,
        capacities: Capacities,
        changes: Sequence[Change | UnreadableRow | None],
        now: datetime,
    ) -> None:
        touched = [capacity.account for capacity in capacities.values() if capacity.touched]
        await accounts.write(connection, touched)
        given = [
            ((job.station or "", job.key or ""), job.tenant)
            for change in changes
            if isinstance(change, Change)
            and change.moved
            and (job := change.after).state is JobState.SUBMITTING
        ]
        limited = [each for each in given if each[0] in capacities]
        await accounts.served(connection, limited, now)
