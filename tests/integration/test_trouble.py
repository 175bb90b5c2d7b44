"""
What a worker does with what it alone knows, while something is broken around it.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy.exc import DBAPIError

from generation.job import Job, JobState
from generation.queue import celery_app
from generation.settings import Settings
from generation.stations import Dialect, Key, Station, Stations
from ops.faults.proxy import proxied
from tests.services.postgres import Cluster
from tests.services.waiting import wait_for_async
from tests.unit.jobs import a_job
from worker.claim import Claim
from worker.room import Room
from worker.submits import send
from worker.ticker import Ticker

SOON = timedelta(seconds=10)


@asynccontextmanager
async def room_of(folder: Path, store_url: str, station_url: str) -> AsyncGenerator[Room]:
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
    room = Room(settings, Stations((station,)), celery_app(settings), "worker@test")
    try:
        yield room
    finally:
        await room.close()


async def ordered(room: Room) -> Job:
    now = room.now()
    times: dict[str, Any] = {"created_at": now, "updated_at": now, "deadline": now + 360 * SOON}
    return await room.store.jobs.insert(a_job(wake_at=now, **times))


async def as_stored(room: Room, job: Job) -> Job:
    stored = await room.store.jobs.get(job.id)
    assert stored is not None
    return stored


async def test_whoever_sleeps_through_its_lease_says_that_nothing_was_sent(
    tmp_path: Path, sqlite_url: str
) -> None:
    async with room_of(tmp_path, sqlite_url, "http://127.0.0.1:9") as room:
        claim = Claim(room)
        change = await room.store.submits.claim((await ordered(room)).id, claim)
        assert change is not None
        assert claim.binding is not None
        asleep = change.after.keep(room.now(), wake_at=room.now())
        await send(room, asleep, claim.binding)
        job = await as_stored(room, asleep)
        assert (job.state, job.billed) == (JobState.QUEUED, "no")
        assert "held up before it was sent" in job.reason


async def test_what_no_database_takes_is_not_tried_for_ever(
    tmp_path: Path, postgres_url: str
) -> None:
    async with room_of(tmp_path, postgres_url, "http://127.0.0.1:9") as room:
        job = await ordered(room)
        async with asyncio.timeout(SOON.total_seconds()):
            with pytest.raises(DBAPIError):
                await room.save(job.id, lambda fresh: fresh.keep(room.now(), key="x" * 400))


async def test_a_leaving_worker_keeps_the_leases_of_what_is_on_the_wire(
    tmp_path: Path, sqlite_url: str
) -> None:
    async with room_of(tmp_path, sqlite_url, "http://127.0.0.1:9") as room:
        job = await ordered(room)
        change = await room.store.submits.claim(job.id, Claim(room))
        assert change is not None
        room.submitting.add(job.id)
        room.leaving = True
        ticking = asyncio.create_task(Ticker(room).run())

        async def renewed() -> bool:
            return (await as_stored(room, job)).wake_at != change.after.wake_at

        await wait_for_async(renewed, SOON, "the lease to be renewed")
        ticking.cancel()


async def test_what_was_learned_is_kept_until_the_database_is_back(
    tmp_path: Path, postgres_url: str, postgres_cluster: Cluster
) -> None:
    with proxied(("127.0.0.1", postgres_cluster.port)) as line:
        through = postgres_url.replace(f":{postgres_cluster.port}/", f":{line.port}/")
        async with room_of(tmp_path, through, "http://127.0.0.1:9") as room:
            job = await ordered(room)
            line.refuse()

            def learn(fresh: Job) -> Job:
                return fresh.keep(room.now(), reason="kept")

            saving = asyncio.create_task(room.save(job.id, learn))
            await wait_for_async(lambda: line.refused > 3, SOON, "it to try again and again")
            assert not saving.done()
            line.accept()
            await saving
            assert (await as_stored(room, job)).reason == "kept"
