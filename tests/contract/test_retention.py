"""
What is removed and what is erased, on both stores: never anything that somebody still needs.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, insert, select, text, update
from sqlalchemy.schema import Table
from ulid import ULID

from generation.contract.errors import ErrorCode
from generation.contract.status import Asset, AssetType
from generation.job import Billed, Job, JobError, JobState, Result, Webhook
from generation.settings import Settings
from generation.store import StillNeeded, Store
from generation.store.events import event_row
from generation.store.schema import deliveries, idempotency_keys, job_events, job_labels, jobs
from generation.webhooks.delivery import DeliveryState
from tests.contract.test_events import an_event
from tests.unit.jobs import a_job
from worker.maintenance import SETTLED, chores, is_trusted

NOW = datetime.now(UTC)
LONG_AGO = NOW - timedelta(days=100)
CUTOFF = NOW - timedelta(days=90)
HOOK = Webhook(url="https://example.test/hook?token=private")
ASSET = Asset(type=AssetType.IMAGE, url="https://cdn.test/private.png")


@pytest.fixture
async def store(store_url: str) -> AsyncIterator[Store]:
    store = Store(store_url)
    yield store
    await store.close()


def an_old_job(state: JobState = JobState.FAILED, **changes: Any) -> Job:
    """A job that ended, or was last heard of, a hundred days ago."""
    ended = {} if state in {JobState.RUNNING, JobState.IN_DOUBT} else {"finished_at": LONG_AGO}
    known: dict[str, Any] = {"wake_at": None, "created_at": LONG_AGO, "updated_at": LONG_AGO}
    return a_job(state, **(known | ended | {"id": job_id_of(LONG_AGO)} | changes))


def job_id_of(moment: datetime) -> str:
    return f"job_{ULID.from_datetime(moment)}"


async def rows(store: Store, table: Table) -> int:
    async with store.database.reading() as connection:
        return (await connection.execute(select(func.count()).select_from(table))).scalar_one()


async def kept(store: Store, job: Job) -> bool:
    return await store.jobs.get(job.id) is not None


async def test_a_finished_job_goes_with_all_that_is_its(store: Store) -> None:
    old = await store.jobs.insert(an_old_job(webhook=replace(HOOK, events=("job.queued",))))
    async with store.database.writing() as connection:
        await connection.execute(update(deliveries).values(state="delivered", wake_at=None))
    assert await store.retention.prune_jobs(CUTOFF, NOW) == 1
    assert not await kept(store, old)
    assert [await rows(store, table) for table in (job_events, deliveries, job_labels)] == [0] * 3


@pytest.mark.parametrize(
    "job",
    [
        an_old_job(JobState.FAILED, finished_at=NOW - timedelta(days=89)),
        an_old_job(JobState.RUNNING),
        an_old_job(JobState.IN_DOUBT),
        an_old_job(JobState.EXPIRED, wake_at=NOW + timedelta(hours=1)),
    ],
    ids=["young", "living", "in doubt", "looked at for a late success"],
)
async def test_a_job_that_is_needed_stays(store: Store, job: Job) -> None:
    await store.jobs.insert(job)
    assert await store.retention.prune_jobs(CUTOFF, NOW) == 0
    assert await kept(store, job)


async def test_a_job_stays_while_others_need_it(store: Store) -> None:
    owing = await store.jobs.insert(an_old_job(webhook=replace(HOOK, events=("job.queued",))))
    parent = await store.jobs.insert(an_old_job())
    await store.jobs.insert(a_job(parent_id=parent.id))
    named, forgotten = [await store.jobs.insert(an_old_job()) for _ in range(2)]
    async with store.database.writing() as connection:
        for job, expires in ((named, NOW + timedelta(days=1)), (forgotten, LONG_AGO)):
            record = {"tenant": "acme", "scope": "job", "key": job.id, "fingerprint": "f"}
            await connection.execute(
                insert(idempotency_keys).values(job_id=job.id, expires_at=expires, **record)
            )
    assert await store.retention.prune_jobs(CUTOFF, NOW) == 1
    assert [await kept(store, job) for job in (owing, parent, named, forgotten)] == [
        True,
        True,
        True,
        False,
    ]


async def test_batches_are_small_and_several_may_do_it(store_url: str) -> None:
    stores = [Store(store_url) for _ in range(3)]
    try:
        await asyncio.gather(*(stores[0].jobs.insert(an_old_job()) for _ in range(30)))
        removed = await asyncio.gather(*(s.retention.prune_jobs(CUTOFF, NOW, 10) for s in stores))
        assert max(removed) == 10
        rest = 30 - sum(removed)
        assert await stores[0].retention.prune_jobs(CUTOFF, NOW, 40) == rest
        assert await rows(stores[0], jobs) == 0
    finally:
        for store in stores:
            await store.close()


async def test_old_events_go_and_places_are_not_given_twice(store: Store) -> None:
    ended = await store.jobs.insert(an_old_job())
    living = await store.jobs.insert(an_old_job(JobState.RUNNING))
    recent = await store.jobs.insert(a_job(id=job_id_of(NOW)))
    assert await store.retention.prune_events(CUTOFF) == 0, "they have no place yet"
    last = await store.events.place()
    assert await store.retention.prune_events(CUTOFF) == 1
    remaining = await store.events.after("acme", 0, 10)
    assert {told.head.job_id for told in remaining} == {living.id, recent.id}
    assert await kept(store, ended)
    async with store.database.writing() as connection:
        await connection.execute(text("DELETE FROM job_events"))
        await connection.execute(insert(job_events), [event_row(an_event(recent, 2))])
    assert await store.events.place() == last + 1, "an old cursor still points before what is new"


async def test_deliveries_go_once_they_have_ended(store: Store) -> None:
    hook = replace(HOOK, events=("job.queued",))
    ids = [job_id_of(LONG_AGO) for _ in range(3)]
    for job_id in ids:
        await store.jobs.insert(an_old_job(JobState.RUNNING, id=job_id, webhook=hook))
    old_id = f"dlv_{ULID.from_datetime(LONG_AGO)}"[:20]
    async with store.database.writing() as connection:
        for number, (job_id, finished) in enumerate(zip(ids, (LONG_AGO, NOW, None), strict=True)):
            await connection.execute(
                update(deliveries)
                .where(deliveries.c.job_id == job_id)
                .values(
                    id=f"{old_id}{number:010}",
                    state="delivered" if finished else "queued",
                    finished_at=finished,
                )
            )
    assert await store.retention.prune_deliveries(CUTOFF) == 1
    assert await rows(store, deliveries) == 2


async def test_erasing_leaves_the_facts_of_the_bill(store: Store) -> None:
    job = await store.jobs.insert(
        a_job(
            JobState.RUNNING,
            input={"prompt": "private"},
            metadata={"who": "private"},
            webhook=HOOK,
            billed=Billed.YES,
            last_reply="private",
            upstream_details={"x": "private"},
        )
    )
    result = Result(assets=(ASSET,), texts=("private",))
    await store.jobs.change(
        job.id,
        lambda fresh: fresh.move(
            JobState.SUCCEEDED, NOW, result=result, finished_at=NOW, wake_at=None
        ),
    )
    erased = await store.erasure.erase(job.id, "acme", NOW)
    assert erased == await store.jobs.get(job.id)
    assert erased is not None
    assert erased.erased_at == NOW
    facts = ("id", "state", "station", "key", "upstream_id", "billed", "created_at", "finished_at")
    assert [getattr(erased, fact) for fact in facts] == [
        *(job.id, JobState.SUCCEEDED, "sandbox", "main", "up_1", Billed.YES, job.created_at, NOW)
    ]
    (delivery,) = await store.delivery_log.of_job(job.id)
    assert delivery.state is DeliveryState.CANCELED
    assert await store.deliveries.claim(NOW + timedelta(days=9), 10, NOW) == []
    events = await store.events.of_job(job.id)
    assert delivery.body == events[1].body, "should it be sent again, it says no more"
    assert [told.head.type for told in events] == ["job.queued", "job.succeeded"]
    assert json.loads(events[1].body)["data"]["erased_at"]
    assert await store.erasure.erase(job.id, "acme", NOW + timedelta(hours=1)) == erased
    async with store.database.reading() as connection:
        for table in (jobs, job_events, deliveries, job_labels):
            stored = [dict(row) for row in (await connection.execute(select(table))).mappings()]
            assert "private" not in repr(stored).replace(HOOK.url, ""), table.name


async def test_erasing_keeps_the_reason_of_a_failure_as_a_code(store: Store) -> None:
    error = JobError(code=ErrorCode.MODERATED, message="private words", upstream_code="24")
    job = await store.jobs.insert(a_job(JobState.FAILED, error=error, wake_at=None))
    erased = await store.erasure.erase(job.id, "acme", NOW)
    assert erased is not None
    assert erased.error == replace(error, message="erased")


async def test_only_what_has_ended_and_is_not_followed_is_erased(store: Store) -> None:
    living = await store.jobs.insert(a_job(JobState.IN_DOUBT))
    parent = await store.jobs.insert(a_job(JobState.SUCCEEDED, wake_at=None))
    child = await store.jobs.insert(a_job(parent_id=parent.id))
    for job, words in ((living, "the job is in_doubt"), (parent, f"{child.id} follows it")):
        with pytest.raises(StillNeeded, match=words):
            await store.erasure.erase(job.id, "acme", NOW)
    assert await store.erasure.erase(parent.id, "somebody else", NOW) is None
    assert await store.jobs.get(parent.id) == parent


async def test_erasing_and_placing_do_not_wait_for_each_other_for_ever(store: Store) -> None:
    ended = [await store.jobs.insert(a_job(JobState.FAILED, wake_at=None)) for _ in range(20)]
    await asyncio.gather(
        *(store.erasure.erase(job.id, "acme", NOW) for job in ended),
        *(store.events.place() for _ in range(20)),
    )
    assert len(await store.events.after("acme", 0, 100)) == 20


async def test_chores_remove_what_the_settings_say(store: Store, store_url: str) -> None:
    old = await store.jobs.insert(an_old_job())
    usual: dict[str, Any] = {"_env_file": None, "database_url": store_url}
    for_ever: dict[str, Any] = usual | {
        "keep_jobs": "0",
        "keep_events": "0",
        "keep_deliveries": "0",
    }
    for changes, count in ((for_ever, 1), ({}, 0)):
        known = Settings(**(usual | changes))
        for chore in chores(store, known, lambda: NOW).values():
            await chore()
        assert await rows(store, jobs) == await rows(store, job_events) == count
    assert not await kept(store, old)


async def test_nothing_is_removed_by_a_clock_that_may_have_been_set(store: Store) -> None:
    known: dict[str, Any] = {"_env_file": None}
    names = chores(store, Settings(**known), lambda: NOW)
    early = {name for name in names if is_trusted(name, timedelta(minutes=59))}
    assert early == {"place_events", "read_again"}
    assert all(is_trusted(name, SETTLED) for name in names)
