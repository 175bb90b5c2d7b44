"""
The log of events, on both stores: nothing lost, nothing twice, whoever writes and however long.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, text
from ulid import ULID

from generation.contract.status import Accepted
from generation.events import Event, new_event_id
from generation.job import Job, JobState, Webhook
from generation.lifecycle import begin_submit, started
from generation.store import EventPayload, Store
from generation.store.events import event_row
from generation.store.schema import job_events
from tests.unit.jobs import NOON, a_job, at
from tests.unit.webhooks.endpoints import an_endpoint

HOOK = Webhook(url="https://example.test/hook")


@pytest.fixture
async def store(store_url: str) -> AsyncIterator[Store]:
    store = Store(store_url)
    yield store
    await store.close()


@pytest.fixture
async def second(store_url: str) -> AsyncIterator[Store]:
    """The same database, as another process sees it."""
    store = Store(store_url)
    yield store
    await store.close()


def submitting(job: Job) -> Job:
    return begin_submit(job, at(1), station="s", key="k", dialect="kling.relay")


def running(job: Job) -> Job:
    return started(job, Accepted("up_1"), at(2))


def canceled(job: Job) -> Job:
    return job.move(JobState.CANCELED, NOON, finished_at=NOON, wake_at=None)


def an_event(job: Job, sequence: int) -> Event:
    """As a worker would write it, by hand."""
    return Event(
        id=new_event_id(),
        job_id=job.id,
        tenant=job.tenant,
        sequence=sequence,
        type="job.started",
        state=JobState.RUNNING,
        reason="",
        created_at=datetime.now(UTC),
        body=b"{}",
    )


def types(events: list[EventPayload]) -> list[str]:
    return [event.head.type for event in events]


async def read_all(store: Store, tenant: str = "acme", limit: int = 7) -> list[EventPayload]:
    """The feed from its beginning, page by page."""
    found: list[EventPayload] = []
    place = 0
    await store.events.place()
    while page := await store.events.after(tenant, place, limit):
        found += page
        place = page[-1].head.position or 0
    return found


async def test_the_feed_has_what_callers_are_told_in_order(store: Store) -> None:
    job = await store.jobs.insert(a_job())
    for move in (submitting, running, canceled):
        await store.jobs.change(job.id, move)
    feed = await read_all(store)
    assert types(feed) == ["job.queued", "job.started", "job.canceled"]
    assert [event.head.position for event in feed] == [1, 2, 3]
    assert [event.head.sequence for event in feed] == [1, 3, 4]
    assert await store.events.of_job(job.id) == feed
    assert types(await store.events.of_job(job.id, after=3)) == ["job.canceled"]
    assert types(await store.events.after("acme", 0, 9, ["job.started"])) == ["job.started"]
    assert await read_all(store, "somebody else") == []
    assert await store.events.payloads_of([feed[0].head.id]) == {feed[0].head.id: feed[0]}


async def test_a_birth_that_was_not_written_down_is_told_the_same_later(store: Store) -> None:
    """What is stored for who asked is what is made for who did not."""
    asked = replace(HOOK, events=("job.queued", "job.canceled"))
    life = (submitting, running, canceled)
    job = await store.jobs.insert(a_job(webhook=asked, metadata={"order": "7"}))
    (stored,) = await store.delivery_log.of_job(job.id)
    for move in life:
        await store.jobs.change(job.id, move)
    async with store.database.writing() as connection:
        await connection.execute(text("UPDATE job_events SET body = NULL WHERE sequence = 1"))
    (born, *_) = await store.events.of_job(job.id)
    assert json.loads(born.body) == json.loads(stored.body)


async def test_what_happened_to_no_job_is_in_the_feed_too(store: Store) -> None:
    event = replace(
        an_event(a_job(), 0), job_id=None, state=None, type="endpoint.disabled", body=b"{1}"
    )
    async with store.database.writing() as connection:
        await connection.execute(insert(job_events), [event_row(event)])
    assert [told.body for told in await read_all(store)] == [b"{1}"]


async def test_a_long_transaction_appears_behind_what_was_read(
    postgres_url: str,
) -> None:
    """
    A writer with an older id that commits later: a reader by id would never see it. Only where
    there are several writers at once.
    """
    store, other = Store(postgres_url), Store(postgres_url)
    try:
        job, quick = await store.jobs.insert(a_job()), await store.jobs.insert(a_job())
        seen = await read_all(store)
        old = an_event(job, 2)
        async with other.database.writing() as connection:
            await connection.execute(insert(job_events), [event_row(old)])
            await store.jobs.change(quick.id, canceled)
            last = await store.events.place()
            seen += await store.events.after("acme", seen[-1].head.position or 0, 10)
            assert seen[-1].head.position == last
            assert old.id < seen[-1].head.id, "its id comes first"
            assert old.id not in {event.head.id for event in seen}
        await store.events.place()
        (late,) = await store.events.after("acme", last, 10)
        assert late.head.id == old.id
    finally:
        await store.close()
        await other.close()


async def test_readers_miss_nothing_and_see_nothing_twice(store_url: str) -> None:
    """Writers with transactions of uneven length, and readers that follow, in many processes."""
    writers = [Store(store_url) for _ in range(4)]
    readers = [Store(store_url) for _ in range(3)]
    jobs = [await writers[0].jobs.insert(a_job()) for _ in range(4)]
    written = {event.head.id for event in await read_all(writers[0])}
    done = asyncio.Event()

    async def write(store: Store, job: Job) -> None:
        for sequence in range(2, 32, 3):
            events = [an_event(job, sequence + n) for n in range(3)]
            async with store.database.writing() as connection:
                for event in events:
                    await connection.execute(insert(job_events), [event_row(event)])
                    await asyncio.sleep(0.001 * (hash(event.id) % 5))
            written.update(event.id for event in events)

    async def follow(store: Store) -> list[EventPayload]:
        found: list[EventPayload] = []
        place = 0
        while True:
            finished = done.is_set()
            await store.events.place()
            page = await store.events.after("acme", place, 5)
            found += page
            place = page[-1].head.position or 0 if page else place
            if finished and not page:
                return found

    try:
        following = [asyncio.create_task(follow(store)) for store in readers]
        await asyncio.gather(*(write(*pair) for pair in zip(writers, jobs, strict=True)))
        done.set()
        for feed in await asyncio.gather(*following):
            assert len(feed) == len(written) == 4 + 4 * 30
            assert {event.head.id for event in feed} == written
            assert [event.head.position for event in feed] == list(range(1, len(feed) + 1))
            for job in jobs:
                sequences = [e.head.sequence for e in feed if e.head.job_id == job.id]
                assert sequences == sorted(sequences)
    finally:
        for store in (*writers, *readers):
            await store.close()


async def test_more_than_one_transaction_can_place(store: Store, second: Store) -> None:
    """A worker that comes after a long night of nobody reading."""
    job = await store.jobs.insert(a_job())
    events = [an_event(job, sequence) for sequence in range(2, 2302)]
    async with store.database.writing() as connection:
        await connection.execute(insert(job_events), [event_row(event) for event in events])
    assert await asyncio.gather(store.events.place(), second.events.place()) == [2301, 2301]
    found = await read_all(second, limit=1000)
    assert [event.head.sequence for event in found] == list(range(1, 2302))


async def test_heads_are_of_the_tenants_that_were_asked_for(store: Store) -> None:
    for tenant in ("acme", "bull", "cat"):
        await store.jobs.insert(a_job(tenant=tenant))
    last = await store.events.place()
    heads = await store.events.heads(["acme", "cat"], 0, last, 10)
    assert [head.tenant for head in heads] == ["acme", "cat"]
    assert await store.events.heads(["acme", "cat"], heads[0].position or 0, last - 1, 10) == []


async def test_a_time_has_a_place(store: Store) -> None:
    await store.jobs.insert(a_job(id=f"job_{ULID()}"))
    before = datetime.now(UTC) - timedelta(hours=1)
    assert await store.events.place_at("acme", before) == 0
    assert await store.events.place_at("acme", datetime.now(UTC) + timedelta(hours=1)) == 1


async def test_progress_is_written_for_who_asked_and_not_too_often(store: Store) -> None:
    hook = replace(HOOK, events=("job.progress", "job.canceled"))
    born = datetime.now(UTC)
    job = await store.jobs.insert(a_job(JobState.RUNNING, webhook=hook, updated_at=born))
    other = await store.jobs.insert(a_job(JobState.RUNNING, updated_at=born))
    for milliseconds, progress in ((600, 10), (900, 20), (1500, 20), (2100, 30)):
        then = born + timedelta(milliseconds=milliseconds)
        for each in (job, other):
            await store.jobs.change(
                each.id, lambda fresh, p=progress, t=then: fresh.keep(t, progress=p)
            )
    told = [json.loads(event.body) for event in (await store.events.of_job(job.id))[1:]]
    assert [event["type"] for event in told] == ["job.progress"] * 2
    assert [event["data"]["progress"] for event in told] == [10, 30]
    assert types(await store.events.of_job(other.id)) == ["job.queued"]
    deliveries = await store.delivery_log.of_job(job.id)
    assert [delivery.event_type for delivery in deliveries] == ["job.progress"] * 2


async def test_progress_is_written_for_an_endpoint_that_asked(store: Store) -> None:
    await store.endpoints.add(an_endpoint(events=("job.progress",), metadata={"of": "them"}))
    born = datetime.now(UTC)
    theirs = await store.jobs.insert(
        a_job(JobState.RUNNING, metadata={"of": "them"}, updated_at=born)
    )
    other = await store.jobs.insert(a_job(JobState.RUNNING, updated_at=born))
    for job in (theirs, other):
        then = born + timedelta(seconds=1)
        await store.jobs.change(job.id, lambda fresh, t=then: fresh.keep(t, progress=40))
    assert types(await store.events.of_job(theirs.id)) == ["job.queued", "job.progress"]
    assert types(await store.events.of_job(other.id)) == ["job.queued"]
    (delivery,) = await store.delivery_log.of_job(theirs.id)
    assert delivery.event_type == "job.progress"


async def test_the_feed_is_read_by_its_index(store: Store) -> None:
    query = (
        "SELECT id FROM job_events WHERE tenant = 'acme' AND position > 0 AND position > 12"
        " AND type IN ('job.failed') ORDER BY position LIMIT 10"
    )
    waiting = "SELECT id FROM job_events WHERE position IS NULL LIMIT 1"
    async with store.database.reading() as connection:
        if store.database.is_sqlite:
            explain = "EXPLAIN QUERY PLAN "
        else:
            explain = "EXPLAIN "
            await connection.execute(text("SET LOCAL enable_seqscan = off"))
        plans = [
            str((await connection.execute(text(explain + each))).all()) for each in (query, waiting)
        ]
    assert "ix_job_events_feed" in plans[0]
    assert "ix_job_events_unplaced" in plans[1]
