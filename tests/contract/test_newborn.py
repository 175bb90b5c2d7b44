"""New jobs come back as they were put in, though the database takes them from one document."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from generation.events import QUEUED
from generation.job import Job, JobState, Webhook
from generation.store import Store, newborn
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
    assert newborn.is_untouched(replace(full, sequence=1))
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
    monkeypatch.setattr(newborn, "MOST_BYTES", 1000)
    many = [ordered(input={"image": "x" * 400, "n": n}) for n in range(7)]
    assert len(list(newborn.documents({"input": dict(job.input)} for job in many))) == 4
    await store.jobs.place(many)
    assert [await store.jobs.get(job.id) for job in many] == [replace(j, sequence=1) for j in many]
