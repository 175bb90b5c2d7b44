"""
Commits whose answer is lost: PostgreSQL behind a proxy that cuts the connection.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from sqlalchemy import func, select

from generation.job import Job, JobState
from generation.store import Store, totals
from generation.store.jobs.new_job import NewJobs
from generation.store.schema import deliveries, job_events, key_usage
from ops.faults.proxy import Harm, Proxy, proxied
from tests.contract.test_idempotency import keyed
from tests.contract.test_keys import a_key
from tests.contract.test_store import HOOK, LATER, NOON
from tests.services.postgres import Cluster
from tests.unit.jobs import a_job


def is_commit(chunk: bytes) -> bool:
    return b"COMMIT" in chunk


@pytest.fixture
def line(postgres_cluster: Cluster) -> Iterator[Proxy]:
    with proxied(("127.0.0.1", postgres_cluster.port)) as proxy:
        yield proxy


@pytest.fixture
async def store(postgres_url: str, line: Proxy) -> AsyncIterator[Store]:
    port = urlsplit(postgres_url).port
    store = Store(postgres_url.replace(f":{port}/", f":{line.port}/"))
    yield store
    await store.close()


@pytest.mark.parametrize("harm", [Harm.LOSE_ANSWER, Harm.LOSE_REQUEST])
async def test_jobs_whose_commit_is_cut_are_stored_and_told_once(
    store: Store, line: Proxy, harm: Harm
) -> None:
    hook = replace(HOOK, events=("job.queued",))
    jobs = [a_job(webhook=hook) for _ in range(5)]
    cut = line.tamper(is_commit, harm)
    stored = await asyncio.gather(*(store.jobs.insert(job) for job in jobs))
    assert cut.done.is_set()
    assert [job.id for job in stored] == [job.id for job in jobs]
    assert (await store.jobs.counts()) == {"queued": 5}
    async with store.database.reading() as connection:
        events = (await connection.execute(select(job_events.c.id))).scalars().all()
        told = (await connection.execute(select(deliveries.c.event_id))).scalars().all()
    assert len(events) == 5
    assert set(told) == set(events), "a job that is stored twice is told of under one id"


@pytest.mark.parametrize("harm", [Harm.LOSE_ANSWER, Harm.LOSE_REQUEST])
async def test_plain_jobs_whose_one_statement_is_cut_are_stored_and_counted_once(
    store: Store, line: Proxy, harm: Harm
) -> None:
    jobs = [a_job(sequence=1, input={"prompt": f"number {n}"}) for n in range(5)]
    assert all(NewJobs([job]).is_brief for job in jobs)
    await store.jobs.insert(a_job(sequence=1))
    cut = line.tamper(lambda chunk: b"number 3" in chunk, harm)
    stored = await asyncio.gather(*(store.jobs.insert(job) for job in jobs))
    assert cut.done.is_set()
    assert stored == jobs
    assert (await store.jobs.counts()) == {"queued": 6}
    assert (await totals(store.database))["state.queued"] == 6
    async with store.database.reading() as connection:
        events = (await connection.execute(select(job_events.c.job_id))).scalars().all()
    assert len(events) == len(set(events)) == 6


@pytest.mark.parametrize("count", [1, 5])
async def test_a_decision_whose_commit_is_cut_is_taken_on_what_it_has_made(
    store: Store, line: Proxy, count: int
) -> None:
    jobs = [await store.jobs.insert(a_job()) for _ in range(count)]
    met: list[JobState] = []

    def claim(job: Job) -> Job:
        met.append(job.state)
        if job.state is not JobState.QUEUED:
            return job
        return job.move(JobState.SUBMITTING, NOON, attempts=job.attempts + 1, wake_at=LATER)

    line.tamper(is_commit, Harm.LOSE_ANSWER)
    changes = await asyncio.gather(*(store.jobs.change(job.id, claim) for job in jobs))
    assert [change and change.after.attempts for change in changes] == [1] * count
    assert met.count(JobState.QUEUED) == count
    assert met.count(JobState.SUBMITTING) == count, "it meets its own work, and leaves it"


async def test_while_the_database_is_away_everybody_is_told_after_one_attempt(
    store: Store, line: Proxy
) -> None:
    await store.jobs.insert(a_job())
    line.refuse()
    outcomes = await asyncio.gather(
        *(store.jobs.insert(a_job()) for _ in range(50)), return_exceptions=True
    )
    assert all(isinstance(outcome, Exception) for outcome in outcomes)
    assert line.refused <= 6, "not one attempt for each of the fifty"
    line.accept()
    await store.jobs.insert(a_job())
    async with store.database.reading() as connection:
        events = await connection.scalar(select(func.count()).select_from(job_events))
    assert events == 2


@pytest.mark.parametrize("harm", [Harm.LOSE_ANSWER, Harm.LOSE_REQUEST])
async def test_orders_that_claim_and_are_cut_are_stored_and_counted_once(
    store: Store, line: Proxy, harm: Harm
) -> None:
    key = await a_key(store, daily_jobs=100, max_in_flight=100)
    await store.jobs.place([a_job(sequence=1, quota_key=key.id)])
    jobs = [a_job(sequence=1, quota_key=key.id, input={"prompt": f"no. {n}"}) for n in range(5)]
    cut = line.tamper(lambda chunk: b"no. 3" in chunk, harm)
    placed = await asyncio.gather(
        *(store.jobs.place([job], keyed(f"k{n}")) for n, job in enumerate(jobs))
    )
    assert cut.done.is_set()
    assert [(each.jobs[0].id, each.replayed) for each in placed] == [(j.id, False) for j in jobs]
    assert (await store.jobs.counts()) == {"queued": 6}
    async with store.database.reading() as connection:
        used = await connection.scalar(select(key_usage.c.jobs_today))
    assert used == 6
