"""
Where a worker sends a job while stations are down and keys are in trouble; without a broker and
without a station, which a claim needs neither.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from generation.contract.errors import AccountBlocked, QueueFull, Unreachable
from generation.contract.status import Accepted
from generation.job import Job, JobState
from generation.lifecycle import after_submit
from generation.queue import celery_app
from generation.settings import Settings
from generation.stations.station import Dialect, Key, Station, Stations
from tests.unit.jobs import a_job
from worker.context import WorkerContext
from worker.runtime.circuit_breakers import CircuitBreakers
from worker.stations.key_health import note_trouble
from worker.submitting.claim import SubmitClaim
from worker.submitting.dispatcher import WaitQueueDispatcher


def station(name: str, order: int) -> Station:
    return Station(
        name=name,
        url="http://127.0.0.1:9",
        order=order,
        speaks={"kling": Dialect(dialect="kling.relay")},
        keys=(Key(name="main", value=SecretStr("sk-test")),),
    )


class Clock:
    """Seconds that pass when told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def context(tmp_path: Path, sqlite_url: str, clock: Clock) -> AsyncIterator[WorkerContext]:
    """A worker's room, with two stations that sell the same."""
    settings = Settings(
        _env_file=None,  # pyright: ignore[reportCallIssue]  (pydantic-settings' own argument)
        data_dir=tmp_path,
        database_url=sqlite_url,
        redis_url="redis://127.0.0.1:9",
    )
    stations = Stations((station("first", 1), station("second", 2)))
    context = WorkerContext(settings, stations, celery_app(settings), "worker@test")
    context.breakers = CircuitBreakers(clock)
    yield context
    await context.close()


async def ordered(context: WorkerContext) -> Job:
    now = datetime.now(UTC)
    times: dict[str, Any] = {
        "created_at": now,
        "updated_at": now,
        "deadline": now + timedelta(hours=1),
    }
    return await context.store.jobs.insert(a_job(wake_at=now, **times))


async def claimed(context: WorkerContext, job: Job) -> Job:
    change = await context.store.submits.claim(job.id, SubmitClaim(context))
    assert change is not None
    return change.after


def fails(context: WorkerContext, name: str, times: int = 10) -> None:
    for _ in range(times):
        context.breakers.heard(name, Unreachable("refused"), "job_1")


async def test_a_station_that_does_not_answer_is_passed_over(context: WorkerContext) -> None:
    fails(context, "first")
    job = await claimed(context, await ordered(context))
    assert (job.state, job.station) == (JobState.SUBMITTING, "second")


async def test_where_none_answers_the_job_waits_in_line(context: WorkerContext) -> None:
    fails(context, "first")
    fails(context, "second")
    job = await claimed(context, await ordered(context))
    assert (job.state, job.line) == (JobState.QUEUED, "first/main second/main")
    assert job.reason == "station first does not answer; station second does not answer"
    await WaitQueueDispatcher(context).serve()
    assert await context.store.jobs.get(job.id) == job, "nobody is called to a station that is down"


async def test_a_station_that_comes_back_is_tried_by_few(
    context: WorkerContext, clock: Clock
) -> None:
    fails(context, "first")
    fails(context, "second")
    jobs = [await claimed(context, await ordered(context)) for _ in range(6)]
    clock.now += 31
    newcomer = await claimed(context, await ordered(context))
    assert newcomer.state is JobState.QUEUED, "nobody rushes in"
    lines = WaitQueueDispatcher(context)
    await lines.serve()
    called = [job for job in [await fresh(context, job) for job in jobs] if job.slot_until]
    assert len(called) == 4, "two at each station"
    sent = [await claimed(context, job) for job in called]
    assert {job.state for job in sent} == {JobState.SUBMITTING}
    for name in ("first", "second"):
        for _ in range(5):
            context.breakers.heard(name, Accepted("up_1"), "job_1")
    await lines.serve()
    rest = [await fresh(context, job) for job in [*jobs, newcomer]]
    assert all(job.slot_until or job.state is JobState.SUBMITTING for job in rest)


async def fresh(context: WorkerContext, job: Job) -> Job:
    found = await context.store.jobs.get(job.id)
    assert found is not None
    return found


async def refused(
    context: WorkerContext, job: Job, fault: QueueFull | AccountBlocked, *, elsewhere: bool
) -> Job:
    """A claimed job that its station has refused."""
    claim = SubmitClaim(context)
    sent = await context.store.submits.claim(job.id, claim)
    assert sent is not None
    assert claim.binding is not None
    await note_trouble(context, claim.binding, sent.after, fault)
    at = context.moment(claim.binding)
    change = await context.store.jobs.change(
        job.id, lambda sent: after_submit(sent, fault, at, elsewhere=elsewhere)
    )
    assert change is not None
    return change.after


async def test_a_job_refused_by_one_goes_to_the_next_and_then_waits(context: WorkerContext) -> None:
    job = await refused(context, await ordered(context), QueueFull("full"), elsewhere=True)
    assert job.tried == ("first/main",)
    job = await refused(context, job, AccountBlocked("no money"), elsewhere=False)
    assert (job.tried, job.attempts) == ((), 2)
    again = await refused(context, job, QueueFull("full"), elsewhere=True)
    waiting = await claimed(context, again)
    assert waiting.line is None, "the first key would refuse it again at once"
    assert waiting.not_before is not None
    assert "queue_full" in waiting.reason
    assert "blocked since" in waiting.reason
