"""
What workers learn of durations, from each other and through every store.
"""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from generation.job import Job, JobState
from generation.polling.schedule import next_look
from generation.stations.binding import bind
from generation.store import Store
from tests.unit.jobs import NOON, a_job
from tests.unit.test_lanes import stations
from worker.runtime.learned_durations import EXCHANGE_EVERY, LearnedDurations

KNOWN = stations()
RUNNING = a_job(JobState.RUNNING, station="one", model="kling-v3")
BINDING = bind(KNOWN, RUNNING)


@pytest.fixture
async def store(store_url: str) -> AsyncIterator[Store]:
    store = Store(store_url)
    yield store
    await store.close()


def ended(seconds: float, job: Job = RUNNING) -> Job:
    """The job as a look claimed it that found it ended, looked at before two seconds earlier."""
    return replace(job, looked_at=NOON + timedelta(seconds=seconds - 2))


async def test_one_worker_learns_from_another(store: Store) -> None:
    first, second = LearnedDurations(store.durations), LearnedDurations(store.durations)
    usual = next_look(second.pace(BINDING, "kling-v3"), timedelta(0), 0.5)
    assert second.pace(BINDING, "kling-v3") == BINDING.pace
    for _ in range(50):
        first.saw(BINDING, ended(20), NOON + timedelta(seconds=20))
    await first.exchange(NOON)
    await second.exchange(NOON)
    learned = second.pace(BINDING, "kling-v3")
    assert learned.seen is not None
    assert learned.seen.total == pytest.approx(50, abs=0.1)
    assert next_look(learned, timedelta(0), 0.5) < usual / 2
    assert second.pace(BINDING, "kling-v1") == BINDING.pace, "another model is another matter"


async def test_only_what_an_upstream_did_alone_counts(store: Store) -> None:
    learned = LearnedDurations(store.durations)
    for job in (
        replace(RUNNING, started_at=None),
        replace(RUNNING, answered_at=NOON),
        a_job(JobState.EXPIRED, station="one"),
        a_job(JobState.AWAITING_INPUT, station="one"),
    ):
        learned.saw(BINDING, job, NOON + timedelta(seconds=20))
    await learned.exchange(NOON)
    assert await store.durations.all() == {}


async def test_a_database_that_is_away_is_no_matter(store: Store) -> None:
    learned = LearnedDurations(store.durations)
    learned.saw(BINDING, ended(20), NOON + timedelta(seconds=20))
    await learned.exchange(NOON)
    assert learned.pace(BINDING, "kling-v3").seen is not None
    async with store.database.writing() as connection:
        await connection.exec_driver_sql("ALTER TABLE durations RENAME TO elsewhere")
    learned.saw(BINDING, ended(20), NOON + timedelta(seconds=20))
    await learned.exchange(NOON + EXCHANGE_EVERY)
    assert learned.pace(BINDING, "kling-v3").seen is not None, "what was known is known"
