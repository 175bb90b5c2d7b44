"""New jobs come back as they were put in, though the database takes them from one document."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from generation.events import QUEUED
from generation.job import Job, JobState, Webhook
from generation.store import JobFilters, Store, totals
from generation.store.jobs import bulk_insert
from tests.contract.test_deliveries import registered
from tests.unit.jobs import NOON, a_job

STRANGE: dict[str, Any] = {
    "prompt": 'a "cat" \\ 猫 🐈 \u2028 \t\n\u007f',
    "": "",
    "numbers": [0, -1, 2**53 + 1, 1.5, 1e22, 0.1, -0.0, 1e-7],
    "nested": {"null": None, "yes": True, "no": False, "empty": [[], {}, ""], "id": "job_other"},
    "looks like JSON": '{"a": 1}',
}


def ordered(**changes: Any) -> Job:
    """Queued, and untouched: as every order makes one."""
    return a_job(
        wake_at=NOON + timedelta(seconds=30, microseconds=1),
        created_at=NOON + timedelta(microseconds=7),
        updated_at=NOON + timedelta(microseconds=7),
        deadline=NOON + timedelta(days=1),
        **changes,
    )


async def test_every_field_of_an_order_comes_back(store: Store) -> None:
    full = ordered(
        input=STRANGE,
        metadata={"kunde": "Ärger & Söhne", "n": "7", "": ""},
        webhook=Webhook(url="https://example.test/?a=1&b='2'", events=("job.succeeded",)),
        model="v7",
        quota_key=None,
        priority=-3,
        client_id="123",
        batch_id="batch_1",
        parent_id="job_parent",
        station="relay",
        key="main",
    )
    bare = ordered(input={})
    assert bulk_insert.is_new(replace(full, sequence=1))
    placed = await store.jobs.place([full, bare])
    assert placed.jobs == [replace(full, sequence=1), replace(bare, sequence=1)]
    assert await store.jobs.get(full.id) == replace(full, sequence=1)
    assert await store.jobs.get(bare.id) == replace(bare, sequence=1)
    for job in (full, bare):
        (told,) = await store.events.of_job(job.id)
        assert told.head.id == f"evt_{job.id.removeprefix('job_')}"
        assert (told.head.tenant, told.head.sequence, told.head.type) == (job.tenant, 1, QUEUED)


async def test_what_comes_together_is_stored_whatever_it_is(store: Store) -> None:
    many: list[Job] = [ordered(input={"n": n}) for n in range(30)]
    hooked = ordered(webhook=Webhook(url="https://example.test/", events=(QUEUED,)))
    touched = a_job(JobState.RUNNING, upstream_id="up", station="s", key="k")
    await asyncio.gather(*(store.jobs.insert(job) for job in [*many, hooked, touched]))
    for job in [*many, hooked, touched]:
        assert await store.jobs.get(job.id) == replace(job, sequence=1)
        assert len(await store.events.of_job(job.id)) == 1
    again = await store.jobs.place([many[0]])
    assert again.jobs == [replace(many[0], sequence=1)]
    assert len(await store.events.of_job(many[0].id)) == 1


async def test_large_orders_travel_apart(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk_insert, "MAX_BYTES", 2000)
    many = [ordered(input={"image": "x" * 400, "n": n}) for n in range(7)]
    parts = list(bulk_insert.documents(many, "postgresql"))
    assert 1 < len(parts) < 7, "some travel together"
    assert [job for part in parts for job in part.jobs] == many
    await store.jobs.place(many)
    await asyncio.gather(*(store.jobs.insert(job) for job in more(many)))
    for job in [*many, *more(many)]:
        assert await store.jobs.get(job.id) == replace(job, sequence=1)


def more(jobs: list[Job]) -> list[Job]:
    """As many others, as plain as what an order makes."""
    return [replace(job, id=f"{job.id[:-2]}ZZ{n}", sequence=1) for n, job in enumerate(jobs)]


async def test_what_is_born_is_counted_once_and_found_by_its_metadata(store: Store) -> None:
    plain = [ordered(sequence=1, metadata={"customer": str(n)}) for n in range(20)]
    for _ in range(2):  # a commit whose answer is lost is repeated
        placed = await asyncio.gather(*(store.jobs.place([job]) for job in plain))
        assert [each.jobs for each in placed] == [[job] for job in plain]
    assert (await totals(store.database))["state.queued"] == 20
    await store.jobs.place([job := ordered(batch_id="batch_1"), ordered(batch_id="batch_1")])
    assert (await totals(store.database))["state.queued"] == 22
    filters = JobFilters(metadata={"customer": "7"})
    assert await store.jobs.page(plain[0].tenant, filters, limit=10) == [plain[7]]
    assert await store.jobs.get(job.id) == replace(job, sequence=1)


async def test_of_a_crowd_everybody_is_stored_once(store: Store, second: Store) -> None:
    """Shares of them are committed while others wait and still others come."""
    crowd = [ordered(sequence=1, input={"n": n}) for n in range(300)]

    async def come(store: Store, jobs: list[Job]) -> None:
        for job in jobs:
            assert (await store.jobs.place([job])).jobs == [job]

    callers = [(store if n % 3 else second, crowd[n::60]) for n in range(60)]
    await asyncio.gather(*(come(*caller) for caller in callers))
    assert await store.jobs.counts() == {"queued": 300}
    assert (await totals(store.database))["state.queued"] == 300


async def test_new_jobs_are_delivered_to_the_endpoints_that_subscribe(store: Store) -> None:
    deaf = await registered(store, events=("job.failed",))
    before = ordered(sequence=1)
    await store.jobs.place([before])
    keen = await registered(store, events=("job.failed", QUEUED))
    many = [ordered(sequence=1, metadata={"n": str(n)}) for n in range(5)]
    other = ordered(sequence=1, tenant="somebody else")
    await asyncio.gather(*(store.jobs.place([job]) for job in [*many, other]))
    assert (await totals(store.database))["state.queued"] == 7
    owed = [d for job in [before, *many, other] for d in await store.delivery_log.of_job(job.id)]
    assert {each.endpoint_id for each in owed} == {keen.id}
    assert [each.job_id for each in owed] == [job.id for job in many]
    assert deaf.id != keen.id
    for job in [before, *many, other]:
        assert await store.jobs.get(job.id) == job
        assert len(await store.events.of_job(job.id)) == 1
