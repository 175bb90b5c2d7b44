"""
How due jobs are claimed, on every store.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Select, text

from generation.job import Job, JobState, Result
from generation.store import Store
from generation.store.jobs.claims import due, of_station_key
from generation.store.schema import ERRAND, PLAIN_LOOK
from tests.services.waiting import wait_for_async
from tests.unit.jobs import NOON, a_job

SOON = timedelta(seconds=30)
#: How many wait for a lock in this database.
WAITING = text(
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE wait_event_type = 'Lock' AND datname = current_database()"
)

LATER = NOON + timedelta(hours=1)
SANDBOX = ("sandbox", "main")
S = JobState


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


def later(job: Job) -> datetime:
    del job
    return LATER


def ago(seconds: float) -> datetime:
    return NOON - timedelta(seconds=seconds)


async def inserted(store: Store, state: JobState, **changes: Any) -> Job:
    return await store.jobs.insert(a_job(state, **changes))


async def looks(store: Store, rooms: dict[tuple[str, str], int] | None = None) -> list[str]:
    return [job.id for job in await store.claims.looks(NOON, rooms or {SANDBOX: 300}, later)]


async def errands(store: Store, **arguments: Any) -> list[str]:
    return [job.id for job in await store.claims.due_steps(NOON, 300, later, **arguments)]


async def test_a_due_job_is_claimed_by_one_of_many(store: Store, second: Store) -> None:
    jobs = [a_job(S.RUNNING) for _ in range(200)]
    await asyncio.gather(*(store.jobs.insert(job) for job in jobs))
    stores = [store, second]
    claims = await asyncio.gather(*(looks(stores[i % 2], {SANDBOX: 30}) for i in range(32)))
    claimed = Counter(job_id for claim in claims for job_id in claim)
    claimed.update(await looks(store))
    assert set(claimed) == {job.id for job in jobs}
    assert set(claimed.values()) == {1}
    assert await looks(store) == []


async def test_a_claim_takes_the_longest_due_first_and_moves_it_on(store: Store) -> None:
    jobs = [await inserted(store, S.RUNNING, wake_at=ago(seconds)) for seconds in (1, 3, 2, -5)]
    claimed = await store.claims.looks(NOON, {SANDBOX: 2}, later)
    assert [job.id for job in claimed] == [jobs[1].id, jobs[2].id]
    assert [(job.wake_at, job.version) for job in claimed] == [(ago(3), 1), (ago(2), 1)]
    assert [job.looked_at for job in claimed] == [None, None], "as it was before this look"
    saved = await store.jobs.get(jobs[1].id)
    assert saved is not None
    assert (saved.wake_at, saved.version, saved.looked_at) == (LATER, 1, NOON)
    assert saved.input == {"prompt": "a cat"}


async def test_a_claimed_job_comes_without_what_no_look_reads(store: Store) -> None:
    job = await inserted(
        store,
        S.EXPIRED,
        metadata={"order": "7"},
        result=Result(texts=("x",)),
        last_reply="HTTP 200",
        upstream_details={"video": "1"},
    )
    claimed = (await store.claims.looks(NOON, {SANDBOX: 1}, later))[0]
    assert (claimed.input, claimed.metadata, claimed.result, claimed.last_reply) == (
        {},
        {},
        None,
        "",
    )
    assert (claimed.upstream_id, claimed.upstream_details) == (job.upstream_id, {"video": "1"})


async def test_a_lane_is_claimed_as_far_as_it_has_room_and_no_further(store: Store) -> None:
    hung = [await inserted(store, S.RUNNING, station="hung", wake_at=ago(60)) for _ in range(20)]
    well = [await inserted(store, S.RUNNING, station="well", wake_at=ago(1)) for _ in range(3)]
    other = await inserted(store, S.RUNNING, station="well", key="other")
    rooms = {("hung", "main"): 2, ("well", "main"): 10}
    claimed = await looks(store, rooms)
    assert set(claimed[:2]) <= {job.id for job in hung}
    assert set(claimed[2:]) == {job.id for job in well}
    assert await looks(store, {("hung", "main"): 0}) == []
    assert await looks(store, {("well", "other"): 5}) == [other.id]
    station_keys = {("hung", "main"), ("well", "main"), ("well", "other")}
    assert await store.claims.station_keys() == station_keys


async def test_looks_and_errands_are_told_apart(store: Store) -> None:
    canceling = await inserted(store, S.RUNNING, cancel_requested_at=NOON)
    running = await inserted(store, S.RUNNING)
    expired = await inserted(store, S.EXPIRED)
    states = (S.QUEUED, S.SUBMITTING, S.IN_DOUBT, S.AWAITING_INPUT)
    others = [await inserted(store, state) for state in states]
    await inserted(store, S.SUCCEEDED, wake_at=None)
    assert set(await errands(store)) == {canceling.id, *(job.id for job in others)}
    assert set(await looks(store)) == {running.id, expired.id}
    assert await errands(store) == await looks(store) == []


async def test_a_long_line_is_left_alone_until_its_deadline(store: Store) -> None:
    queued = await inserted(store, S.QUEUED)
    overdue = await inserted(store, S.QUEUED, deadline=NOON)
    assert await errands(store, skip_queued=True) == [overdue.id]
    assert await errands(store) == [queued.id]


async def test_jobs_past_their_deadline_are_found_where_nobody_looks(store: Store) -> None:
    late = await inserted(store, S.RUNNING, station="gone", deadline=NOON)
    await inserted(store, S.RUNNING, station="gone")
    await inserted(store, S.EXPIRED, station="gone", deadline=NOON)
    await inserted(store, S.RUNNING, deadline=NOON)
    found = await store.claims.overdue(NOON, [("gone", "main")], 10, later)
    assert [job.id for job in found] == [late.id]


async def test_waking_makes_a_job_due_and_looks_stay_apart(store: Store) -> None:
    apart = timedelta(seconds=5)
    job = await inserted(store, S.RUNNING, wake_at=LATER)
    assert await store.claims.wake(job.id, NOON, apart)
    assert await looks(store) == [job.id], "nobody has looked yet: at once"
    for seconds in (1, 2, 3):
        assert await store.claims.wake(job.id, NOON + timedelta(seconds=seconds), apart)
    woken = await store.jobs.get(job.id)
    assert woken is not None
    assert woken.wake_at == NOON + apart, "many calls, one look, and not too soon"


async def test_what_waits_for_no_upstream_is_not_woken(store: Store) -> None:
    submitting = await inserted(store, S.SUBMITTING, wake_at=LATER)
    ended = await inserted(store, S.SUCCEEDED, wake_at=None)
    for job_id in (submitting.id, ended.id, "job_nobody"):
        assert not await store.claims.wake(job_id, NOON, timedelta(seconds=5))
    unmoved = await store.jobs.get(submitting.id)
    assert unmoved is not None
    assert unmoved.wake_at == LATER


async def test_each_kind_of_claim_has_an_index_that_needs_no_sorting(store: Store) -> None:
    """At a million rows, a claim that reads or sorts more than it takes would hold up everybody."""
    station_key = of_station_key(due(PLAIN_LOOK, NOON, 500), SANDBOX)
    for query, index in (
        (station_key, "ix_jobs_due_looks"),
        (due(ERRAND, NOON, 500), "ix_jobs_due_errands"),
    ):
        plan = await plan_of(store, query)
        assert index in plan, plan
        assert "sort" not in plan.lower().replace("b-tree", ""), plan


async def plan_of(store: Store, query: Select[Any]) -> str:
    """How the database would run it, had it many rows."""
    async with store.database.reading() as connection:
        dialect = connection.dialect
        words = str(query.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
        if dialect.name == "postgresql":
            await connection.execute(text("SET LOCAL enable_seqscan = off"))
            await connection.execute(text("SET LOCAL enable_bitmapscan = off"))
        explain = "EXPLAIN" if dialect.name == "postgresql" else "EXPLAIN QUERY PLAN"
        found = await connection.exec_driver_sql(f"{explain} {words}")
        return "\n".join(str(row) for row in found)


async def test_a_lease_is_renewed_only_for_what_is_on_the_wire(store: Store) -> None:
    submitting = await inserted(store, S.SUBMITTING)
    running = await inserted(store, S.RUNNING)
    until = datetime.now(UTC) + timedelta(hours=1)
    await store.claims.keep([submitting.id, running.id], until)
    kept = [await store.jobs.get(job.id) for job in (submitting, running)]
    assert [job.wake_at for job in kept if job] == [until, NOON]


async def test_renewed_leases_wait_for_changes_in_the_order_of_changes(
    store: Store, second: Store
) -> None:
    """A batch locks one job and, a moment later, an older one, as every batch might."""
    if store.database.is_sqlite:
        pytest.skip("SQLite has one writer: nobody holds anything while another one does")
    older, newer = a_job(S.SUBMITTING), a_job(S.SUBMITTING)
    for job in (newer, older):
        await store.jobs.insert(job)
    until = datetime.now(UTC) + timedelta(hours=1)

    def noted(job: Job) -> Job:
        return job.keep(NOON, reason="noted")

    async def waits() -> bool:
        async with store.database.reading() as connection:
            return bool((await connection.execute(WAITING)).scalar())

    async with second.database.writing() as connection:
        await second.jobs.change_within(connection, [(older.id, noted)])
        keeping = asyncio.create_task(store.claims.keep([newer.id, older.id], until))
        await wait_for_async(waits, SOON, "the renewal to wait for the change")
        await second.jobs.change_within(connection, [(newer.id, noted)])
    await keeping
    kept = [await store.jobs.get(job.id) for job in (older, newer)]
    assert [(job.reason, job.wake_at) for job in kept if job] == [("noted", until)] * 2
