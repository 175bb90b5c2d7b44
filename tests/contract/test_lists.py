"""Pages of jobs: every filter, both directions, on each kind of database."""

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from ulid import ULID

from generation.job import Job, JobState
from generation.store import JobFilters, Store
from tests.unit.jobs import a_job

DAY = datetime(2026, 3, 1, tzinfo=UTC)
_random = count(1)


def born(minute: float, state: JobState = JobState.SUCCEEDED, **changes: object) -> Job:
    """A job whose id is of its time, as those of the API are."""
    at = DAY + timedelta(minutes=minute)
    ulid = ULID.from_int((int(at.timestamp() * 1000) << 80) + next(_random))
    return a_job(state, id=f"job_{ulid}", created_at=at, **{"updated_at": at} | changes)


async def stored(store: Store, *jobs: Job) -> list[str]:
    await asyncio.gather(*(store.jobs.insert(job) for job in jobs))
    return [job.id for job in jobs]


async def page(store: Store, limit: int = 100, **filters: object) -> list[str]:
    found = await store.jobs.page("acme", JobFilters(**filters), limit=limit)  # type: ignore[arg-type]
    return [job.id for job in found]


async def test_each_filter_finds_its_own_newest_first(store: Store) -> None:
    await stored(store, *(born(n) for n in range(5)), born(9, tenant="somebody else"))
    a, b, c, d = await stored(
        store,
        born(10, JobState.RUNNING, provider="suno", operation="music", station="proxy"),
        born(11, provider="suno", operation="music", station="proxy", metadata={"a": "1"}),
        born(12, JobState.FAILED, parent_id="job_P", batch_id="batch_1", metadata={"a": "1"}),
        born(13, JobState.QUEUED, batch_id="batch_1", metadata={"a": "1", "b": "2"}),
    )
    assert await page(store, provider="suno") == [b, a]
    assert await page(store, operation="music") == [b, a]
    assert await page(store, station="proxy") == [b, a]
    assert await page(store, state=JobState.RUNNING) == [a]
    assert await page(store, state=JobState.FAILED) == [c]
    assert await page(store, provider="suno", state=JobState.SUCCEEDED) == [b]
    assert await page(store, parent="job_P") == [c]
    assert await page(store, batch="batch_1") == [d, c]
    assert await page(store, batch="batch_1", state=JobState.QUEUED) == [d]
    assert await page(store, metadata={"a": "1"}) == [d, c, b]
    assert await page(store, metadata={"a": "1", "b": "2"}) == [d]
    assert await page(store, metadata={"a": "1"}, provider="suno") == [b]
    assert await page(store, metadata={"a": "2"}) == []
    assert await page(store, provider="nobody") == []


async def test_times_are_from_and_until(store: Store) -> None:
    late = DAY + timedelta(minutes=50)
    a, b, c, d = await stored(
        store,
        born(1, updated_at=late),
        born(2),
        born(3, JobState.RUNNING, updated_at=late),
        born(4),
    )

    def at(minute: float) -> datetime:
        return DAY + timedelta(minutes=minute)

    assert await page(store, created_after=at(2)) == [d, c, b]
    assert await page(store, created_before=at(2)) == [a]
    assert await page(store, created_after=at(2), created_before=at(4)) == [c, b]
    assert await page(store, updated_after=at(4)) == [d, c, a]
    assert await page(store, updated_after=at(4.5)) == [c, a]
    assert await page(store, updated_after=at(4.5), state=JobState.RUNNING) == [c]
    assert await page(store, updated_before=at(4)) == [b]
    assert await page(store, updated_before=at(50.1), created_before=at(2)) == [a]


async def test_what_changed_since_is_found_however_long_it_took(store: Store) -> None:
    """And a page of it goes on below those that were ordered since then, and above them."""
    since = DAY + timedelta(days=2)

    def ended(
        minute: float, days: float, state: JobState = JobState.SUCCEEDED, **changes: object
    ) -> Job:
        at = since + timedelta(days=days)
        return born(minute, state, updated_at=at, finished_at=at, **changes)

    at_once, an_hour = 2 * 24 * 60 - 1, 2 * 24 * 60 - 59
    await stored(store, ended(5, -0.1), ended(at_once, -0.0001))
    ids = await stored(
        store,
        ended(10, 0),  # two days after it was ordered, at that very time
        ended(11, 3, JobState.FAILED),
        born(12, JobState.RUNNING, updated_at=since + timedelta(days=1)),
        ended(an_hour, 0.0001),
        ended(an_hour, 1),
        ended(at_once, 0.01),
        ended(at_once + 2, 0.01, provider="suno"),
        born(at_once + 3, JobState.QUEUED),
    )
    newest = ids[::-1]
    assert await page(store, updated_after=since) == newest
    assert await page(store, updated_after=since, provider="suno") == [ids[6]]
    assert await page(store, updated_after=since, state=JobState.FAILED) == [ids[1]]
    assert await page(store, updated_after=since, state=JobState.RUNNING) == [ids[2]]
    until = since + timedelta(days=0.5)
    few = [ids[6], ids[5], ids[3], ids[0]]
    assert await page(store, updated_after=since, updated_before=until) == [ids[7], *few]
    lately = JobFilters(updated_after=since)
    for place, job_id in enumerate(newest):
        below = await store.jobs.page("acme", lately, limit=2, before=job_id)
        above = await store.jobs.page("acme", lately, limit=2, after=job_id)
        assert [job.id for job in below] == newest[place + 1 :][:2]
        assert [job.id for job in above] == newest[:place][-2:]


@pytest.mark.parametrize("filters", [{}, {"provider": "kling"}, {"metadata": {"a": "1"}}])
async def test_a_list_is_walked_both_ways(store: Store, filters: dict[str, object]) -> None:
    states = (JobState.SUCCEEDED, JobState.RUNNING)
    ids = await stored(store, *(born(n, states[n % 2], metadata={"a": "1"}) for n in range(25)))
    chosen = JobFilters(**filters)  # type: ignore[arg-type]
    down: list[list[str]] = []
    while True:
        before = down[-1][-1] if down else None
        found = await store.jobs.page("acme", chosen, limit=10, before=before)
        if not found:
            break
        down.append([job.id for job in found])
    assert [job_id for each in down for job_id in each] == ids[::-1]
    up = await store.jobs.page("acme", chosen, limit=10, after=down[2][0])
    assert [job.id for job in up] == down[1]
    assert await store.jobs.page("acme", chosen, limit=10, after=ids[-1]) == []
