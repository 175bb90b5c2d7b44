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
async def room(tmp_path: Path, sqlite_url: str, clock: Clock) -> AsyncIterator[WorkerContext]:
    """A worker's room, with two stations that sell the same."""
    settings = Settings(
        _env_file=None,  # pyright: ignore[reportCallIssue]  (pydantic-settings' own argument)
        data_dir=tmp_path,
        database_url=sqlite_url,
        redis_url="redis://127.0.0.1:9",
    )
    stations = Stations((station("first", 1), station("second", 2)))
    room = WorkerContext(settings, stations, celery_app(settings), "worker@test")
    room.breakers = CircuitBreakers(clock)
    yield room
    await room.close()


async def ordered(room: WorkerContext) -> Job:
    now = datetime.now(UTC)
    times: dict[str, Any] = {
        "created_at": now,
        "updated_at": now,
        "deadline": now + timedelta(hours=1),
    }
    return await room.store.jobs.insert(a_job(wake_at=now, **times))


async def claimed(room: WorkerContext, job: Job) -> Job:
    change = await room.store.submits.claim(job.id, SubmitClaim(room))
    assert change is not None
    return change.after


def fails(room: WorkerContext, name: str, times: int = 10) -> None:
    for _ in range(times):
        room.breakers.heard(name, Unreachable("refused"), "job_1")


async def test_a_station_that_does_not_answer_is_passed_over(room: WorkerContext) -> None:
    fails(room, "first")
    job = await claimed(room, await ordered(room))
    assert (job.state, job.station) == (JobState.SUBMITTING, "second")


async def test_where_none_answers_the_job_waits_in_line(room: WorkerContext) -> None:
    fails(room, "first")
    fails(room, "second")
    job = await claimed(room, await ordered(room))
    assert (job.state, job.line) == (JobState.QUEUED, "first/main second/main")
    assert job.reason == "station first does not answer; station second does not answer"
    await WaitQueueDispatcher(room).serve()
    assert await room.store.jobs.get(job.id) == job, "nobody is called to a station that is down"


async def test_a_station_that_comes_back_is_tried_by_few(room: WorkerContext, clock: Clock) -> None:
    fails(room, "first")
    fails(room, "second")
    jobs = [await claimed(room, await ordered(room)) for _ in range(6)]
    clock.now += 31
    newcomer = await claimed(room, await ordered(room))
    assert newcomer.state is JobState.QUEUED, "nobody rushes in"
    lines = WaitQueueDispatcher(room)
    await lines.serve()
    called = [job for job in [await fresh(room, job) for job in jobs] if job.slot_until]
    assert len(called) == 4, "two at each station"
    sent = [await claimed(room, job) for job in called]
    assert {job.state for job in sent} == {JobState.SUBMITTING}
    for name in ("first", "second"):
        for _ in range(5):
            room.breakers.heard(name, Accepted("up_1"), "job_1")
    await lines.serve()
    rest = [await fresh(room, job) for job in [*jobs, newcomer]]
    assert all(job.slot_until or job.state is JobState.SUBMITTING for job in rest)


async def fresh(room: WorkerContext, job: Job) -> Job:
    found = await room.store.jobs.get(job.id)
    assert found is not None
    return found


async def refused(
    room: WorkerContext, job: Job, fault: QueueFull | AccountBlocked, *, elsewhere: bool
) -> Job:
    """A claimed job that its station has refused."""
    claim = SubmitClaim(room)
    sent = await room.store.submits.claim(job.id, claim)
    assert sent is not None
    assert claim.binding is not None
    await note_trouble(room, claim.binding, sent.after, fault)
    at = room.moment(claim.binding)
    change = await room.store.jobs.change(
        job.id, lambda sent: after_submit(sent, fault, at, elsewhere=elsewhere)
    )
    assert change is not None
    return change.after


async def test_a_job_refused_by_one_goes_to_the_next_and_then_waits(room: WorkerContext) -> None:
    job = await refused(room, await ordered(room), QueueFull("full"), elsewhere=True)
    assert job.tried == ("first/main",)
    job = await refused(room, job, AccountBlocked("no money"), elsewhere=False)
    assert (job.tried, job.attempts) == ((), 2)
    again = await refused(room, job, QueueFull("full"), elsewhere=True)
    waiting = await claimed(room, again)
    assert waiting.line is None, "the first key would refuse it again at once"
    assert waiting.not_before is not None
    assert "queue_full" in waiting.reason
    assert "blocked since" in waiting.reason
