"""
Jobs and deliveries that a clock has left asleep, on both kinds of database.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from generation.job import Job, JobState
from generation.stations.key_health import KeyHealth
from generation.store import Store
from generation.store.maintenance.clock_repair import repair_wake_times
from generation.store.stations.key_health import last_served, served
from tests.contract.test_store import HOOK
from tests.services.waiting import wait_for_async
from tests.unit.jobs import NOON, a_job

HOUR = timedelta(hours=1)
LEASE = timedelta(seconds=20)
SOON = timedelta(seconds=30)


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
    count = await repair_wake_times(store.database, NOON, LEASE, stepped=True)

    async def wake_at(job_id: str) -> object:
        job = await store.jobs.get(job_id)
        assert job is not None
        return job.wake_at

    assert count == 4
    assert await wake_at(running) == NOON
    assert await wake_at(queued) == NOON
    assert await wake_at(on_the_wire) == NOON + LEASE, "its worker may live: it keeps a lease"
    assert await wake_at(soon) == NOON + LEASE
    assert await wake_at(expired) == NOON
    assert await wake_at(done) is None


async def test_a_worker_that_begins_wakes_only_who_sleeps_for_unusually_long(store: Store) -> None:
    await store.jobs.insert(a_job(JobState.EXPIRED, wake_at=NOON + HOUR))  # rarely, on purpose
    waits = (timedelta(minutes=5), HOUR)
    jobs = [await store.jobs.insert(a_job(wake_at=NOON + w, not_before=NOON + w)) for w in waits]
    assert await repair_wake_times(store.database, NOON, LEASE, stepped=False) == 1
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
    await repair_wake_times(store.database, NOON, LEASE, stepped=True)
    assert len(await store.deliveries.claim(NOON, 10, NOON)) == 1


async def test_so_is_a_key_that_was_called_too_fast(store: Store) -> None:
    def cool(account: KeyHealth) -> KeyHealth:
        return replace(account, cool_until=NOON + HOUR, probe_at=NOON + LEASE)

    await store.accounts.change(("sandbox", "main"), cool)
    await repair_wake_times(store.database, NOON, LEASE, stepped=True)
    account = (await store.accounts.all())["sandbox", "main"]
    assert account.cool_until == NOON
    assert account.probe_at == NOON + LEASE


async def test_lines_are_left_alone_and_calls_are_taken_back(store: Store) -> None:
    in_line = await store.jobs.insert(a_job(line="relay/main", wake_at=NOON + HOUR))
    held: dict[str, Any] = {"station": "relay", "key": "main", "slot_until": NOON + HOUR}
    called = await store.jobs.insert(a_job(wake_at=NOON + HOUR, **held))
    assert await repair_wake_times(store.database, NOON, LEASE, stepped=True) == 1
    assert await store.jobs.get(in_line.id) == in_line
    woken = await store.jobs.get(called.id)
    assert woken is not None
    assert (woken.wake_at, woken.slot_until) == (NOON, None), "no place is kept for an hour"


async def test_an_expired_job_and_whose_turn_it_was_are_put_right_as_well(store: Store) -> None:
    expired = await store.jobs.insert(a_job(JobState.EXPIRED, wake_at=NOON + 2 * HOUR))
    async with store.database.writing() as connection:
        await served(connection, [(("relay", "main"), "acme")], NOON + HOUR)
    await repair_wake_times(store.database, NOON, LEASE, stepped=True)
    woken = await store.jobs.get(expired.id)
    assert woken is not None
    assert woken.wake_at == NOON
    async with store.database.reading() as connection:
        turns = await last_served(connection, ("relay", "main"), ["acme"])
    assert turns == {"acme": NOON}, "or its jobs would come after everybody else's for an hour"


async def test_a_place_of_a_job_that_ended_in_the_future_is_given_back(store: Store) -> None:
    later = NOON + HOUR
    wrong, right = [
        await store.jobs.insert(
            a_job(JobState.CANCELED, finished_at=ended, slot_until=later, wake_at=None)
        )
        for ended in (NOON + HOUR / 2, NOON)
    ]
    await repair_wake_times(store.database, NOON, LEASE, stepped=True)
    given_back, kept = [await store.jobs.get(job.id) for job in (wrong, right)]
    assert given_back and kept
    assert (given_back.slot_until, kept.slot_until) == (None, later)


async def test_nobody_is_stuck_in_a_circle_with_a_batch_of_changes(
    store: Store, second: Store
) -> None:
    """
    A batch locks one job and, later, another; between the two everybody is woken. Whoever waited
    for the one while holding the other would have one of both thrown out as a deadlock.
    """
    if store.database.is_sqlite:
        pytest.skip("SQLite has one writer: nobody holds anything while another one does")
    jobs = [await store.jobs.insert(a_job(wake_at=NOON + HOUR)) for _ in range(3)]
    async with second.database.writing() as connection:
        (first, *_) = await second.jobs.change_within(connection, [(jobs[2].id, keeps_waiting)])
        rousing = asyncio.create_task(repair_wake_times(store.database, NOON, LEASE, stepped=True))
        await wait_for_async(lambda: woken(store, jobs[0].id), SOON, "the first of them woken")
        await second.jobs.change_within(connection, [(jobs[0].id, keeps_waiting)])
        assert first is not None
    await rousing
    assert await woken(store, jobs[2].id), "it was passed over, and is not forgotten"


def keeps_waiting(job: Job) -> Job:
    """Something else becomes of it; it sleeps on."""
    return job.keep(NOON, reason="waiting")


async def woken(store: Store, job_id: str) -> bool:
    job = await store.jobs.get(job_id)
    return job is not None and job.wake_at == NOON
