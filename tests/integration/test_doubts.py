"""
Doubts, deadlines and cancels, as a worker sees to them: a real store, a real ticker, and upstreams
of a few lines.
"""

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from generation.contract.errors import ErrorCode
from generation.job import Billed, DoubtResolution, Job, JobError, JobState
from generation.lifecycle import request_cancel
from generation.lifecycle.manual_resolution import not_created
from generation.stations.station import Dialect, OnDoubt, Stations
from tests.integration.test_trouble import (
    as_stored,
    events,
    has_expired,
    lost,
    ordered,
    room_of,
    ticked,
)
from tests.integration.upstream.servers import Act, acting, answer
from tests.services.waiting import wait_for_async
from worker.context import WorkerContext
from worker.submitting.claim import SubmitClaim
from worker.submitting.reconcile import find
from worker.submitting.submit import send

SOON = timedelta(seconds=30)
ABSENT = answer(b'{"code": 1203, "message": "task not found"}', "404 Not Found")
TAKEN = answer(b'{"code": 0, "data": {"task_id": "k-1", "task_status": "submitted"}}')
DONE = {
    "task_id": "k-1",
    "task_status": "succeed",
    "task_result": {"videos": [{"id": "v-1", "url": "https://cdn.test.invalid/v.mp4"}]},
}


def saying(*said: bytes, asked: list[bytes] | None = None) -> Act:
    """An upstream that gives these answers in turn, and the last of them for good."""
    left = [*said]

    async def act(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        if asked is not None:
            asked.append(head)
        writer.write(left.pop(0) if len(left) > 1 else left[0])

    return act


def kling(**task: Any) -> bytes:
    return answer(json.dumps({"code": 0, "message": "SUCCEED", "data": task}).encode())


def held(**changes: Any) -> dict[str, Any]:
    return {"station": "only", "key": "main", "dialect": "kling.relay", "attempts": 1} | changes


async def doubted(context: WorkerContext, **changes: Any) -> Job:
    """A film whose submit was never answered."""
    known: dict[str, Any] = {"submitted_at": context.clock.now(), "bound": True, **changes}
    return await ordered(context, state=JobState.IN_DOUBT, **held(**known))


async def sent(context: WorkerContext, **changes: Any) -> Job:
    """A film, ordered and sent."""
    job = await ordered(context, **changes)
    claim = SubmitClaim(context)
    change = await context.store.submits.claim(job.id, claim)
    assert change is not None
    assert claim.binding is not None
    await send(context, change.after, claim.binding)
    return await as_stored(context, job)


async def until(context: WorkerContext, job: Job, state: JobState) -> Job:
    async def there() -> bool:
        return (await as_stored(context, job)).state is state

    await wait_for_async(there, SOON, f"the job to be {state}")
    return await as_stored(context, job)


def speaking(context: WorkerContext, dialect: str, **changes: Any) -> None:
    """The room's station in another dialect."""
    (station,) = context.stations
    provider = dialect.split(".", maxsplit=1)[0]
    update = {"speaks": {provider: Dialect(dialect=dialect)}, **changes}
    context.stations = Stations((station.model_copy(update=update),))


async def test_what_a_search_finds_outweighs_what_a_person_says(
    tmp_path: Path, sqlite_url: str
) -> None:
    running = {"task_id": "k-1", "task_status": "processing"}
    asked: list[bytes] = []
    async with (
        acting(saying(kling(**running), asked=asked)) as url,
        room_of(tmp_path, sqlite_url, url) as context,
    ):
        job = await doubted(context)
        await context.saver.save(
            job.id, lambda fresh: not_created(fresh, DoubtResolution.REQUEUE, context.clock.now())
        )
        with capture_logs() as logs:
            async with ticked(context):
                found = await until(context, job, JobState.RUNNING)
        assert (found.upstream_id, found.attempts, found.billed) == ("k-1", 1, Billed.YES)
        assert "resolution_overruled" in events(logs)
        assert not any(head.startswith(b"POST") for head in asked), "nothing is bought"


@pytest.mark.parametrize(
    ("then", "state"),
    [(DoubtResolution.REQUEUE, JobState.QUEUED), (DoubtResolution.FAIL, JobState.FAILED)],
)
async def test_what_a_search_does_not_find_is_as_a_person_says(
    tmp_path: Path, sqlite_url: str, then: DoubtResolution, state: JobState
) -> None:
    async with acting(saying(ABSENT)) as url, room_of(tmp_path, sqlite_url, url) as context:
        job = await doubted(context)
        await context.saver.save(
            job.id, lambda fresh: not_created(fresh, then, context.clock.now())
        )
        await find(context, await as_stored(context, job))
        settled = await as_stored(context, job)
        assert (settled.state, settled.billed, settled.purchases) == (state, Billed.NO, 0)


@pytest.mark.parametrize(("on_doubt", "misses"), [(OnDoubt.HOLD, 0), (OnDoubt.RESUBMIT, 1)])
async def test_a_relay_that_does_not_know_our_reference_proves_nothing(
    tmp_path: Path, sqlite_url: str, on_doubt: OnDoubt, misses: int
) -> None:
    async with acting(saying(ABSENT)) as url, room_of(tmp_path, sqlite_url, url) as context:
        speaking(context, "kling.relay", on_doubt=on_doubt)
        relayed = await doubted(context)
        long_missed = await doubted(context, misses=50)
        await find(context, relayed)
        assert (await as_stored(context, relayed)).misses == misses
        if on_doubt is OnDoubt.HOLD:
            await find(context, long_missed)
            assert (await as_stored(context, long_missed)).state is JobState.IN_DOUBT
        speaking(context, "kling.v1")
        direct = await doubted(context, dialect="kling.v1", misses=50)
        await find(context, direct)
        assert (await as_stored(context, direct)).state is JobState.QUEUED, (
            "the vendor knows its own"
        )


async def test_the_times_of_a_proxy_prove_nothing_and_an_earlier_order_of_ours_does(
    tmp_path: Path, sqlite_url: str
) -> None:
    """Its clock is hours behind, and it has made a hundred tasks since."""
    long_ago = 1_000_000_000_001
    listed = [{"id": "1", "state": "somebody's", "submitTime": long_ago}]

    async def act(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(json.dumps(listed).encode()))

    async with acting(act) as url, room_of(tmp_path, sqlite_url, url) as context:
        speaking(context, "midjourney.proxy")
        job = await lost(context)
        await find(context, job)
        assert (await as_stored(context, job)).misses == 0

        async def witnessed(**changes: Any) -> int:
            known: dict[str, Any] = held(upstream_id="9", started_at=context.clock.now()) | changes
            witness = await ordered(
                context, state=JobState.SUCCEEDED, finished_at=context.clock.now(), **known
            )
            listed[0]["state"] = witness.id
            job = await lost(context)
            await find(context, job)
            return (await as_stored(context, job)).misses

        earlier = context.clock.now() - timedelta(hours=2)
        assert await witnessed() == 0, "ordered at about the same time"
        assert await witnessed(started_at=earlier, key="other") == 0, "with another key"
        assert await witnessed(started_at=earlier) == 1


async def test_a_deadline_holds_in_doubt_whatever_patience_is_asked_for(
    tmp_path: Path, sqlite_url: str
) -> None:
    busy = answer(b'{"code": 1302, "message": "slowly"}', "429 No", "retry-after: 86400")
    async with acting(saying(busy)) as url, room_of(tmp_path, sqlite_url, url) as context:
        job = await doubted(context, deadline=context.clock.now() + timedelta(seconds=1))
        async with ticked(context):
            await wait_for_async(lambda: has_expired(context, job), SOON, "it to expire")
        ended = await as_stored(context, job)
        assert ended.finished_at is not None
        assert ended.finished_at - ended.deadline < timedelta(seconds=10)


async def test_a_cancel_does_not_throw_a_finished_task_away(
    tmp_path: Path, sqlite_url: str
) -> None:
    async with acting(saying(kling(**DONE))) as url, room_of(tmp_path, sqlite_url, url) as context:
        known = held(upstream_id="k-1", started_at=context.clock.now(), billed=Billed.YES)
        job = await ordered(context, state=JobState.RUNNING, **known)
        await context.saver.save(job.id, lambda fresh: request_cancel(fresh, context.clock.now()))
        async with ticked(context):
            done = await until(context, job, JobState.SUCCEEDED)
        assert done.result is not None
        assert [asset.url for asset in done.result.assets] == ["https://cdn.test.invalid/v.mp4"]


async def test_a_cancel_of_a_task_that_runs_lets_go_of_it(tmp_path: Path, sqlite_url: str) -> None:
    running = kling(task_id="k-1", task_status="processing")
    async with acting(saying(running)) as url, room_of(tmp_path, sqlite_url, url) as context:
        known = held(upstream_id="k-1", started_at=context.clock.now(), billed=Billed.YES)
        job = await ordered(context, state=JobState.RUNNING, **known)
        await context.saver.save(job.id, lambda fresh: request_cancel(fresh, context.clock.now()))
        async with ticked(context):
            assert (await until(context, job, JobState.CANCELED)).billed is Billed.YES


@pytest.mark.parametrize("together", [False, True])
async def test_one_task_for_two_orders_is_told(
    tmp_path: Path, store_url: str, together: bool
) -> None:
    async with acting(saying(TAKEN)) as url, room_of(tmp_path, store_url, url) as context:
        with capture_logs() as logs:
            if together:
                jobs = await asyncio.gather(sent(context), sent(context))
            else:
                jobs = [await sent(context), await sent(context)]
        first, second = sorted(jobs, key=lambda job: job.state is JobState.IN_DOUBT)
        assert (first.state, first.upstream_id) == (JobState.RUNNING, "k-1")
        assert (second.state, second.upstream_id) == (JobState.IN_DOUBT, None)
        assert f"the task k-1, which {first.id} has already" in second.reason
        (told,) = [entry for entry in logs if entry["event"] == "upstream_id_shared"]
        assert (told["job_id"], told["other_job_id"]) == (second.id, first.id)


async def test_one_task_for_two_tenants_names_nobody(tmp_path: Path, sqlite_url: str) -> None:
    async with acting(saying(TAKEN)) as url, room_of(tmp_path, sqlite_url, url) as context:
        first, second = await sent(context), await sent(context, tenant="rival")
        assert second.state is JobState.IN_DOUBT
        assert "which another job has already" in second.reason
        assert first.id not in second.reason


async def test_an_order_that_goes_on_with_its_own_task_has_it(
    tmp_path: Path, sqlite_url: str
) -> None:
    window = answer(b'{"code": 1, "description": "ok", "result": "17"}')
    names: dict[str, Any] = {"provider": "midjourney", "operation": "modal"}
    async with acting(saying(window)) as url, room_of(tmp_path, sqlite_url, url) as context:
        speaking(context, "midjourney.proxy")
        given = {"upstream_id": "17", "prompt": "a door"}
        await ordered(context, state=JobState.RUNNING, **held(upstream_id="17"))
        assert (await sent(context, input=given, **names)).state is JobState.RUNNING
        foreign = await sent(context, input=given, tenant="rival", **names)
        assert (foreign.state, foreign.billed) == (JobState.FAILED, Billed.NO)
        assert foreign.error is not None
        assert "somebody else's" in foreign.error.message


async def test_a_callback_that_names_another_jobs_task_is_not_believed(
    tmp_path: Path, sqlite_url: str
) -> None:
    running = kling(task_id="k-9", task_status="processing")
    async with acting(saying(running)) as url, room_of(tmp_path, sqlite_url, url) as context:
        speaking(context, "kling.newapi")
        theirs = held(upstream_id="k-9", dialect="kling.newapi", tenant="rival")
        await ordered(context, state=JobState.RUNNING, **theirs)
        for name, state in (("k-9", JobState.IN_DOUBT), ("k-8", JobState.RUNNING)):
            job = await doubted(context, dialect="kling.newapi", named_id=name)
            await find(context, job)
            assert (await as_stored(context, job)).state is state


async def test_what_a_restored_database_calls_unsent_is_searched_for(
    tmp_path: Path, sqlite_url: str
) -> None:
    running = kling(task_id="k-1", task_status="processing")
    asked: list[bytes] = []
    async with (
        acting(saying(running, asked=asked)) as url,
        room_of(tmp_path, sqlite_url, url) as context,
    ):
        restored = context.clock.now() + timedelta(seconds=1)
        context.settings = context.settings.model_copy(update={"restored_at": restored})
        job = await sent(context)
        assert (job.state, asked) == (JobState.IN_DOUBT, [])
        assert "the database was restored" in job.reason
        await find(context, job)
        assert (await as_stored(context, job)).upstream_id == "k-1"
        fresh = await sent(context, created_at=restored)
        assert asked[-1].startswith(b"POST"), "what was ordered since is sent as ever"
        assert fresh.attempts == 1


EMPTY = kling(task_id="k-1", task_status="succeed", task_result={"videos": []})


async def test_a_file_that_comes_late_is_waited_for(tmp_path: Path, sqlite_url: str) -> None:
    said = saying(*[EMPTY] * 8, kling(**DONE))
    async with acting(said) as url, room_of(tmp_path, sqlite_url, url) as context:
        speaking(context, "kling.relay", speed=20)
        known = held(upstream_id="k-1", started_at=context.clock.now(), billed=Billed.YES)
        job = await ordered(context, state=JobState.RUNNING, **known)
        async with ticked(context):
            await until(context, job, JobState.SUCCEEDED)


async def test_a_file_that_comes_too_late_is_not_lost(tmp_path: Path, sqlite_url: str) -> None:
    async with acting(saying(kling(**DONE))) as url, room_of(tmp_path, sqlite_url, url) as context:
        error = JobError(code=ErrorCode.ASSET_MISSING, message="no URL")
        known = held(
            upstream_id="k-1", started_at=context.clock.now(), billed=Billed.YES, error=error
        )
        job = await ordered(
            context, state=JobState.FAILED, finished_at=context.clock.now(), **known
        )
        async with ticked(context):
            done = await until(context, job, JobState.SUCCEEDED)
        assert (done.error, done.wake_at) == (None, None)
        story = await context.store.histories.of_job(job.id, job.tenant)
        assert story is not None
        assert story.moves[-1].type == "job.recovered"
