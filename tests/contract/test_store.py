"""
What every store must do. The suite runs once on SQLite and once on PostgreSQL.
"""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from generation.contract.errors import ErrorCode
from generation.contract.status import Action, Asset, AssetType
from generation.job import Job, JobError, JobState, Result, Webhook
from generation.lifecycle import request_cancel
from generation.store import JobFilters, Store, migrate, new_key, revisions
from generation.store.jobs.rows import job_row
from generation.store.schema import jobs
from generation.webhooks.delivery import DeliveryState
from tests.unit.jobs import NOON, a_job

HOOK = Webhook(url="https://example.test/hook")
LATER = NOON + timedelta(hours=1)


def later(job: Job) -> datetime:
    del job
    return LATER


def failed(job: Job) -> Job:
    error = JobError(code=ErrorCode.INTERNAL, message="no 画")
    return job.move(JobState.FAILED, NOON, error=error, finished_at=NOON, wake_at=None)


def submitting(job: Job) -> Job:
    if job.state is not JobState.QUEUED:
        return job
    return job.move(JobState.SUBMITTING, NOON, attempts=job.attempts + 1, wake_at=LATER)


async def test_a_job_comes_back_as_it_was_put_in(store: Store) -> None:
    asset = Asset(
        type=AssetType.IMAGE,
        url="https://cdn.test/猫.png?a=1&b=2",
        role="grid",
        width=1024,
        expires_at=NOON + timedelta(days=1),
    )
    job = a_job(
        JobState.SUCCEEDED,
        input={"prompt": "画一只猫", "n": 4, "nested": {"list": [1, None, True]}},
        metadata={"order": "7"},
        webhook=Webhook(url="https://example.test/", events=("job.succeeded",)),
        result=Result(
            assets=(asset,), texts=("hi",), actions=(Action("U1", "MJ::1"),), details={"seed": "1"}
        ),
        upstream_details={"model": "v7"},
        answer={"prompt": "more"},
        deadline=NOON + timedelta(hours=1, microseconds=1),
    )
    await store.jobs.insert(job)
    assert await store.jobs.get(job.id) == replace(job, sequence=1)


async def test_a_failure_comes_back_as_it_was_put_in(store: Store) -> None:
    error = JobError(code=ErrorCode.MODERATED, message="no", retryable=True, upstream_code="24")
    job = a_job(JobState.FAILED, error=error)
    await store.jobs.insert(job)
    assert await store.jobs.get(job.id) == replace(job, sequence=1)


async def test_another_tenants_job_is_not_there(store: Store) -> None:
    job = await store.jobs.insert(a_job())
    assert await store.jobs.get(job.id, "acme") is not None
    assert await store.jobs.get(job.id, "somebody else") is None
    assert await store.jobs.page("somebody else", JobFilters(), limit=10) == []


async def test_many_inserts_at_once_are_all_there(store: Store, second: Store) -> None:
    jobs = [a_job() for _ in range(300)]
    stores = [store, second]
    await asyncio.gather(*(stores[i % 2].jobs.insert(job) for i, job in enumerate(jobs)))
    assert (await store.jobs.counts())["queued"] == 300


async def test_an_insert_repeated_is_one_job(store: Store) -> None:
    job = a_job(webhook=replace(HOOK, events=("job.queued",)))
    await store.jobs.insert(job)
    await store.jobs.insert(job)
    assert (await store.jobs.counts()) == {"queued": 1}


async def test_one_bad_item_fails_alone(store: Store) -> None:
    good = [a_job() for _ in range(20)]
    bad = a_job(provider=None)
    outcomes = await asyncio.gather(
        *(store.jobs.insert(job) for job in [*good[:10], bad, *good[10:]]), return_exceptions=True
    )
    assert [isinstance(outcome, Exception) for outcome in outcomes].count(True) == 1
    assert isinstance(outcomes[10], Exception)
    assert (await store.jobs.counts())["queued"] == 20


async def test_what_a_database_refuses_is_not_repeated_in_its_error(store: Store) -> None:
    row = job_row(a_job(input={"prompt": "a face nobody else may know"})) | {"tenant": None}
    with pytest.raises(IntegrityError) as caught:
        async with store.database.writing() as connection:
            await connection.execute(jobs.insert(), row)
    assert "a face" not in str(caught.value)


async def test_forty_claims_of_one_submit_have_one_winner(store: Store, second: Store) -> None:
    job = await store.jobs.insert(a_job())
    stores = [store, second]
    changes = await asyncio.gather(
        *(stores[i % 2].jobs.change(job.id, submitting) for i in range(40))
    )
    assert sum(1 for change in changes if change and change.moved) == 1
    saved = await store.jobs.get(job.id)
    assert saved is not None
    assert (saved.state, saved.attempts) == (JobState.SUBMITTING, 1)


async def test_a_decision_meets_the_job_as_it_is(store: Store) -> None:
    job = await store.jobs.insert(a_job())
    await store.jobs.change(job.id, lambda fresh: request_cancel(fresh, NOON))
    change = await store.jobs.change(job.id, submitting)
    assert change is not None
    assert not change.moved
    assert change.after.state is JobState.CANCELED


async def test_a_decision_about_nothing(store: Store) -> None:
    assert await store.jobs.change("job_nowhere", failed) is None


async def test_an_ending_owes_a_delivery_in_the_same_transaction(store: Store) -> None:
    job = await store.jobs.insert(a_job(webhook=HOOK))
    assert await store.delivery_log.of_job(job.id) == []
    change = await store.jobs.change(job.id, failed)
    assert change is not None
    assert (change.after.sequence, change.after.version) == (2, 1)
    (delivery,) = await store.delivery_log.of_job(job.id)
    assert (delivery.event_type, delivery.state) == ("job.failed", DeliveryState.QUEUED)
    assert (delivery.wake_at, delivery.attempts, delivery.url) == (NOON, 0, HOOK.url)
    assert b'"type":"job.failed"' in delivery.body
    assert "no 画".encode() in delivery.body


async def test_a_decision_that_fails_leaves_nothing_behind(store: Store) -> None:
    job = await store.jobs.insert(a_job(webhook=HOOK))

    def broken(fresh: Job) -> Job:
        raise RuntimeError("a defect")

    good = await store.jobs.insert(a_job(webhook=HOOK))
    outcomes = await asyncio.gather(
        store.jobs.change(job.id, broken),
        store.jobs.change(good.id, failed),
        return_exceptions=True,
    )
    assert isinstance(outcomes[0], RuntimeError)
    assert await store.jobs.get(job.id) == job
    assert await store.delivery_log.of_job(job.id) == []
    assert len(await store.delivery_log.of_job(good.id)) == 1


async def test_events_are_numbered_within_the_job(store: Store) -> None:
    hook = replace(HOOK, events=("job.queued", "job.failed"))
    job = await store.jobs.insert(a_job(webhook=hook))
    await store.jobs.change(job.id, submitting)
    await store.jobs.change(job.id, failed)
    deliveries = await store.delivery_log.of_job(job.id)
    assert [d.event_type for d in deliveries] == ["job.queued", "job.failed"]
    assert b'"sequence":1' in deliveries[0].body
    assert b'"sequence":3' in deliveries[1].body


async def test_a_page_walks_every_job_once_newest_first(store: Store) -> None:
    jobs = [await store.jobs.insert(a_job()) for _ in range(25)]
    seen: list[str] = []
    before: str | None = None
    while page := await store.jobs.page("acme", JobFilters(), limit=10, before=before):
        seen += [job.id for job in page]
        before = page[-1].id
    assert seen == [job.id for job in reversed(jobs)]


async def test_a_page_is_filtered(store: Store) -> None:
    await store.jobs.insert(a_job())
    failure = await store.jobs.insert(a_job(JobState.FAILED, provider="suno", operation="music"))
    for filters in (
        JobFilters(state=JobState.FAILED),
        JobFilters(provider="suno"),
        JobFilters(operation="music"),
    ):
        assert [job.id for job in await store.jobs.page("acme", filters, limit=9)] == [failure.id]


async def test_keys_are_found_until_they_are_revoked(store: Store) -> None:
    secret = new_key()
    assert not await store.keys.any_valid(NOON)
    key = await store.keys.add("acme", secret, "whsec_1", NOON)
    assert await store.keys.find(secret) == key
    assert secret not in repr(await store.keys.all())
    assert await store.keys.find(new_key()) is None
    await store.keys.touch([key.id], LATER)
    assert (await store.keys.all())[0].last_used_at == LATER
    assert await store.keys.revoke(key.id, LATER)
    assert not await store.keys.revoke(key.id, LATER)
    assert await store.keys.find(secret) is None
    assert not await store.keys.any_valid(NOON)


async def test_a_short_key_is_refused(store: Store) -> None:
    with pytest.raises(ValueError, match="at least 24 characters"):
        await store.keys.add("acme", "short", "whsec_1", NOON)


async def test_the_schema_is_what_the_code_needs(store: Store) -> None:
    assert (await revisions(store.database)).match


def test_migrating_twice_changes_nothing(store_url: str) -> None:
    migrate(store_url)
    migrate(store_url)
