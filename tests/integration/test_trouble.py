"""
What a worker does with what it alone knows, while something is broken around it.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from structlog.testing import capture_logs

from generation.job import Job, JobState
from generation.queue import celery_app
from generation.settings import Settings
from generation.stations.station import Dialect, Key, OnDoubt, Station, Stations
from ops.faults.proxy import proxied
from tests.integration.upstream.servers import acting, answer
from tests.services.postgres import Cluster
from tests.services.waiting import wait_for_async
from tests.unit.jobs import a_job
from worker.context import WorkerContext
from worker.submitting.claim import SubmitClaim
from worker.submitting.reconcile import find
from worker.submitting.submit import send
from worker.ticker import Ticker

SOON = timedelta(seconds=30)


@asynccontextmanager
async def room_of(folder: Path, store_url: str, station_url: str) -> AsyncGenerator[WorkerContext]:
    settings = Settings(
        _env_file=None,  # pyright: ignore[reportCallIssue]  (pydantic-settings' own argument)
        data_dir=folder,
        database_url=store_url,
        redis_url="redis://127.0.0.1:9",
        tick=timedelta(seconds=0.05),
    )
    station = Station(
        name="only",
        url=station_url,
        order=1,
        speaks={"kling": Dialect(dialect="kling.relay")},
        keys=(Key(name="main", value=SecretStr("sk-test")),),
    )
    context = WorkerContext(settings, Stations((station,)), celery_app(settings), "worker@test")
    try:
        yield context
    finally:
        await context.close()


async def ordered(context: WorkerContext, **changes: Any) -> Job:
    now = context.now()
    times: dict[str, Any] = {"created_at": now, "updated_at": now, "deadline": now + 360 * SOON}
    return await context.store.jobs.insert(a_job(wake_at=now, **{**times, **changes}))


async def as_stored(context: WorkerContext, job: Job) -> Job:
    stored = await context.store.jobs.get(job.id)
    assert stored is not None
    return stored


async def test_whoever_sleeps_through_its_lease_says_that_nothing_was_sent(
    tmp_path: Path, sqlite_url: str
) -> None:
    async with room_of(tmp_path, sqlite_url, "http://127.0.0.1:9") as context:
        claim = SubmitClaim(context)
        change = await context.store.submits.claim((await ordered(context)).id, claim)
        assert change is not None
        assert claim.binding is not None
        asleep = change.after.keep(context.now(), wake_at=context.now())
        await send(context, asleep, claim.binding)
        job = await as_stored(context, asleep)
        assert (job.state, job.billed) == (JobState.QUEUED, "no")
        assert "held up before it was sent" in job.reason


async def test_what_no_database_takes_is_not_tried_for_ever(
    tmp_path: Path, postgres_url: str
) -> None:
    async with room_of(tmp_path, postgres_url, "http://127.0.0.1:9") as context:
        job = await ordered(context)
        async with asyncio.timeout(SOON.total_seconds()):
            with pytest.raises(DBAPIError):
                await context.save(job.id, lambda fresh: fresh.keep(context.now(), key="x" * 400))


async def test_a_leaving_worker_keeps_the_leases_of_what_is_on_the_wire(
    tmp_path: Path, sqlite_url: str
) -> None:
    async with room_of(tmp_path, sqlite_url, "http://127.0.0.1:9") as context:
        job = await ordered(context)
        change = await context.store.submits.claim(job.id, SubmitClaim(context))
        assert change is not None
        context.submitting.add(job.id)
        context.is_stopping = True

        async def renewed() -> bool:
            return (await as_stored(context, job)).wake_at != change.after.wake_at

        async with ticked(context):
            await wait_for_async(renewed, SOON, "the lease to be renewed")


async def test_what_was_learned_is_kept_until_the_database_is_back(
    tmp_path: Path, postgres_url: str, postgres_cluster: Cluster
) -> None:
    with proxied(("127.0.0.1", postgres_cluster.port)) as line:
        through = postgres_url.replace(f":{postgres_cluster.port}/", f":{line.port}/")
        async with room_of(tmp_path, through, "http://127.0.0.1:9") as context:
            job = await ordered(context)
            line.refuse()

            def learn(fresh: Job) -> Job:
                return fresh.keep(context.now(), reason="kept")

            async with asyncio.TaskGroup() as tasks:
                saving = tasks.create_task(context.save(job.id, learn))
                await wait_for_async(lambda: line.refused > 3, SOON, "it to try again and again")
                assert not saving.done()
                line.accept()
            assert (await as_stored(context, job)).reason == "kept"


async def test_an_answer_that_no_database_takes_leaves_a_doubt_and_its_id_in_the_log(
    tmp_path: Path, postgres_url: str
) -> None:
    async def sell(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(b'{"code": 0, "data": {"task_id": "paid-for", "task_status": "x"}}'))

    async with acting(sell) as url, room_of(tmp_path, postgres_url, url) as context:
        await executed(context, "ALTER TABLE jobs ALTER upstream_id TYPE varchar(3)")
        claim = SubmitClaim(context)
        change = await context.store.submits.claim((await ordered(context)).id, claim)
        assert change is not None
        assert claim.binding is not None
        with capture_logs() as logs:
            await send(context, change.after, claim.binding)
        job = await as_stored(context, change.after)
        assert (job.state, job.billed) == (JobState.IN_DOUBT, "unknown")
        assert "its answer could not be stored" in job.reason
        (told,) = [entry for entry in logs if entry["event"] == "answer_not_stored"]
        assert told["upstream_id"] == "paid-for", "a person can find the task by it"


async def test_what_goes_wrong_before_a_request_leaves_leaves_no_doubt(
    tmp_path: Path, sqlite_url: str
) -> None:
    asked: list[bytes] = []

    async def note(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        asked.append(head)

    async with acting(note) as url, room_of(tmp_path, sqlite_url, url) as context:
        parent = await ordered(context)
        await executed(
            context, f"""UPDATE jobs SET result = '{{"assets": 5}}' WHERE id = '{parent.id}'"""
        )
        claim = SubmitClaim(context)
        change = await context.store.submits.claim((await ordered(context)).id, claim)
        assert change is not None
        assert claim.binding is not None
        await send(context, replace(change.after, parent_id=parent.id), claim.binding)
        job = await as_stored(context, change.after)
        assert (job.state, job.billed) == (JobState.QUEUED, "no")
        assert "it could not be prepared" in job.reason
        assert asked == []


async def test_neither_a_row_nobody_can_read_nor_a_tick_that_fails_ends_the_ticking(
    tmp_path: Path, sqlite_url: str
) -> None:
    async with ticking(tmp_path, sqlite_url) as context:
        unreadable = await ordered(context)
        spoil = f"UPDATE jobs SET state = 'nonsense' WHERE id = '{unreadable.id}'"
        with capture_logs() as logs:
            await executed(context, spoil)
            await wait_for_async(lambda: "row_unreadable" in events(logs), SOON, "it to be met")
            late = await ordered(context, deadline=context.now())
            await wait_for_async(
                lambda: has_expired(context, late), SOON, "the ticker to pass it by"
            )
            assert "tick_failed" not in events(logs)
            await executed(context, "ALTER TABLE jobs RENAME TO elsewhere")
            await wait_for_async(lambda: "tick_failed" in events(logs), SOON, "a tick to fail")
            await executed(context, "ALTER TABLE elsewhere RENAME TO jobs")
        late = await ordered(context, deadline=context.now())
        await wait_for_async(lambda: has_expired(context, late), SOON, "the ticker to go on")


async def test_what_is_wrong_with_a_lesser_step_holds_up_no_errand(
    tmp_path: Path, sqlite_url: str
) -> None:
    async with ticking(tmp_path, sqlite_url) as context:
        await executed(context, "ALTER TABLE accounts RENAME TO elsewhere")
        for _ in range(2):
            late = await ordered(context, deadline=context.now())
            await wait_for_async(lambda job=late: has_expired(context, job), SOON, "it to expire")


@asynccontextmanager
async def ticking(folder: Path, store_url: str) -> AsyncGenerator[WorkerContext]:
    async with room_of(folder, store_url, "http://127.0.0.1:9") as context, ticked(context):
        yield context


@asynccontextmanager
async def ticked(context: WorkerContext) -> AsyncGenerator[None]:
    ticker = asyncio.create_task(Ticker(context).run())
    try:
        yield
    finally:
        ticker.cancel()
        await asyncio.gather(ticker, return_exceptions=True)


async def executed(context: WorkerContext, statement: str) -> None:
    async with context.store.database.writing() as connection:
        await connection.execute(text(statement.replace(":", r"\:")))


async def has_expired(context: WorkerContext, job: Job) -> bool:
    return (await as_stored(context, job)).state is JobState.EXPIRED


def events(logs: Sequence[Mapping[str, Any]]) -> list[str]:
    return [entry["event"] for entry in logs]


async def test_a_list_that_proves_nothing_counts_only_where_it_is_to_decide(
    tmp_path: Path, sqlite_url: str
) -> None:
    """The proxy has sold a hundred tasks since; a gateway's error is not its word."""
    said = [answer(b'[{"id": "1", "state": "job_other", "submitTime": 4102444800000}]')]

    async def tell(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(said[0])

    async with acting(tell) as url, room_of(tmp_path, sqlite_url, url) as context:
        speaks = {"midjourney": Dialect(dialect="midjourney.proxy")}
        (station,) = context.stations
        for on_doubt, misses in ((OnDoubt.HOLD, 0), (OnDoubt.FAIL, 1)):
            update = {"speaks": speaks, "on_doubt": on_doubt}
            context.stations = Stations((station.model_copy(update=update),))
            doubted = await lost(context)
            await find(context, doubted)
            job = await as_stored(context, doubted)
            assert (job.state, job.misses) == (JobState.IN_DOUBT, misses)
        said[0] = answer(b"<html>", "502 Bad Gateway")
        doubted = await lost(context)
        await find(context, doubted)
        assert (await as_stored(context, doubted)).misses == 0


async def lost(context: WorkerContext) -> Job:
    """A picture whose submit was never answered."""
    now = context.now()
    names = {"provider": "midjourney", "operation": "imagine", "dialect": "midjourney.proxy"}
    known: dict[str, Any] = {**names, "station": "only", "key": "main", "attempts": 1}
    return await ordered(context, state=JobState.IN_DOUBT, submitted_at=now, bound=True, **known)
