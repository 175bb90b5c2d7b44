"""
Jobs and deliveries that a clock has left asleep, on both kinds of database.
"""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from generation.account import Account
from generation.job import Job, JobState
from generation.store import Store
from generation.store.sleepers import rouse
from tests.contract.test_store import HOOK
from tests.unit.jobs import NOON, a_job

HOUR = timedelta(hours=1)
LEASE = timedelta(seconds=20)


@pytest.fixture
async def store(store_url: str) -> AsyncIterator[Store]:
    store = Store(store_url)
    yield store
    await store.close()


async def test_whoever_sleeps_an_hour_too_long_is_woken(store: Store) -> None:
    async def put(state: JobState, **changes: object) -> str:
        return (await store.jobs.insert(a_job(state, **changes))).id

    running = await put(JobState.RUNNING, wake_at=NOON + HOUR)
    queued = await put(JobState.QUEUED, wake_at=NOON + HOUR, not_before=NOON + HOUR)
    on_the_wire = await put(JobState.SUBMITTING, wake_at=NOON + HOUR)
    soon = await put(JobState.RUNNING, wake_at=NOON + LEASE)
    expired = await put(JobState.EXPIRED, wake_at=NOON + HOUR)
    done = await put(JobState.FAILED, wake_at=None)
    woken = await rouse(store.database, NOON, LEASE, stepped=True)

    async def wake_at(job_id: str) -> object:
        job = await store.jobs.get(job_id)
        assert job is not None
        return job.wake_at

    assert woken == 3
    assert await wake_at(running) == NOON
    assert await wake_at(queued) == NOON
    assert await wake_at(on_the_wire) == NOON + LEASE, "its worker may live: it keeps a lease"
    assert await wake_at(soon) == NOON + LEASE
    assert await wake_at(expired) == NOON + HOUR, "it is looked at rarely on purpose"
    assert await wake_at(done) is None


async def test_a_worker_that_begins_wakes_only_who_sleeps_for_unusually_long(store: Store) -> None:
    waits = (timedelta(minutes=5), HOUR)
    jobs = [await store.jobs.insert(a_job(wake_at=NOON + w, not_before=NOON + w)) for w in waits]
    assert await rouse(store.database, NOON, LEASE, stepped=False) == 1
    soon, late = [await store.jobs.get(job.id) for job in jobs]
    assert soon and late
    assert (soon.wake_at, late.wake_at) == (NOON + waits[0], NOON)
    assert late.not_before == NOON + HOUR, "an upstream may have asked for that"


async def test_so_is_what_is_owed_to_a_caller(store: Store) -> None:
    job = await store.jobs.insert(a_job(JobState.RUNNING, webhook=HOOK))

    def fail(fresh: Job) -> Job:
        return fresh.move(JobState.FAILED, NOON + HOUR, wake_at=None, finished_at=NOON + HOUR)

    await store.jobs.change(job.id, fail)
    assert await store.deliveries.claim(NOON, 10, NOON) == []
    await rouse(store.database, NOON, LEASE, stepped=True)
    assert len(await store.deliveries.claim(NOON, 10, NOON)) == 1


async def test_so_is_a_key_that_was_called_too_fast(store: Store) -> None:
    def cool(account: Account) -> Account:
        return replace(account, cool_until=NOON + HOUR, probe_at=NOON + LEASE)

    await store.accounts.change(("sandbox", "main"), cool)
    await rouse(store.database, NOON, LEASE, stepped=True)
    account = (await store.accounts.all())["sandbox", "main"]
    assert account.cool_until == NOON
    assert account.probe_at == NOON + LEASE


async def test_lines_are_left_alone_and_calls_are_taken_back(store: Store) -> None:
    in_line = await store.jobs.insert(a_job(line="relay/main", wake_at=NOON + HOUR))
    held: dict[str, Any] = {"station": "relay", "key": "main", "slot_until": NOON + HOUR}
    called = await store.jobs.insert(a_job(wake_at=NOON + HOUR, **held))
    assert await rouse(store.database, NOON, LEASE, stepped=True) == 1
    assert await store.jobs.get(in_line.id) == in_line
    woken = await store.jobs.get(called.id)
    assert woken is not None
    assert (woken.wake_at, woken.slot_until) == (NOON, None), "no place is kept for an hour"
