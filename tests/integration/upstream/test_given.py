"""
Looks at tasks that answer with what the caller gave, or with URLs that cannot be told.
"""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from generation.job import Job, JobState
from tests.integration.upstream.servers import answer
from tests.integration.upstream.test_pipeline import ticking
from tests.services.waiting import wait_for_async
from tests.unit.jobs import a_job
from worker.room import Room

PATIENCE = timedelta(seconds=30)
OWN = "https://cdn.test.invalid/uploads/ref.png"
MADE = "https://cdn.test.invalid/made.mp4"


def done(*urls: str) -> bytes:
    videos = [{"id": f"v{at}", "url": url} for at, url in enumerate(urls)]
    task = {"task_id": "t", "task_status": "succeed", "task_result": {"videos": videos}}
    return answer(json.dumps({"code": 0, "data": task}).encode())


class Host:
    """A station whose every task is done, with these files."""

    def __init__(self, *urls: str) -> None:
        self._said = done(*urls)
        self.looks = 0

    async def act(self, head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        del head, body
        self.looks += 1
        writer.write(self._said)


async def running_at(room: Room, station: str) -> Job:
    now = datetime.now(UTC)
    job = a_job(
        JobState.RUNNING,
        upstream_id="t1",
        input={"image": OWN, "prompt": "put a hat on"},
        created_at=now,
        updated_at=now,
        submitted_at=now,
        started_at=now,
        wake_at=now,
        deadline=now + timedelta(hours=1),
        station=station,
    )
    await room.store.jobs.insert(job)
    return job


async def test_a_look_never_makes_the_callers_own_picture_the_result(
    tmp_path: Path, sqlite_url: str, redis_url: str
) -> None:
    only_own, both = Host(OWN), Host(OWN, "https://me:secret@cdn.test.invalid/x.mp4", MADE)
    async with ticking(tmp_path, sqlite_url, redis_url, own=only_own.act, both=both.act) as room:
        own_job, both_job = await running_at(room, "own"), await running_at(room, "both")

        async def ended() -> bool:
            job = await room.store.jobs.get(both_job.id)
            return job is not None and job.state is JobState.SUCCEEDED and only_own.looks > 0

        await wait_for_async(ended, PATIENCE, "the job with a result of its own to succeed")
        job = await room.store.jobs.get(both_job.id)
        assert job is not None and job.result is not None
        assert [asset.url for asset in job.result.assets] == [MADE]
        assert job.result.details["dropped"] == [
            "1 URL: has a user name or a password in it",
            "1 URL: is in the request itself",
        ]
        other = await room.store.jobs.get(own_job.id)
        assert other is not None
        assert other.state is not JobState.SUCCEEDED
        assert other.result is None
