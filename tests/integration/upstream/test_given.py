"""Submits and looks answered with the caller's own inputs, or with URLs that are not passed on."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from generation.contract.errors import ErrorCode
from generation.contract.status import Accepted, Failed, SubmitAnswer, Succeeded
from generation.job import Job, JobState
from generation.stations.binding import candidates
from generation.stations.config_file import load_stations
from generation.upstream.client import Upstream
from tests.api.serving import settings_of
from tests.integration.upstream.servers import acting, answer
from tests.integration.upstream.test_pipeline import ticking
from tests.services.waiting import wait_for_async
from tests.unit.jobs import a_job
from worker.context import WorkerContext

PATIENCE = timedelta(seconds=30)
OWN = "https://cdn.test.invalid/uploads/ref.png"
MADE = "https://cdn.test.invalid/made.mp4"


def done(*urls: str) -> bytes:
    videos = [{"id": f"v{at}", "url": url} for at, url in enumerate(urls)]
    task = {"task_id": "t", "task_status": "succeed", "task_result": {"videos": videos}}
    return answer(json.dumps({"code": 0, "data": task}).encode())


class Host:
    """A station that answers every look with these files."""

    def __init__(self, *urls: str) -> None:
        self._response = done(*urls)
        self.looks = 0

    async def act(self, head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        del head, body
        self.looks += 1
        writer.write(self._response)


async def running_at(context: WorkerContext, station: str) -> Job:
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
    await context.store.jobs.insert(job)
    return job


async def test_an_input_image_is_never_the_result_of_a_look(
    tmp_path: Path, sqlite_url: str, redis_url: str
) -> None:
    only_own, both = Host(OWN), Host(OWN, "https://me:secret@cdn.test.invalid/x.mp4", MADE)
    async with ticking(tmp_path, sqlite_url, redis_url, own=only_own.act, both=both.act) as context:
        own_job, both_job = await running_at(context, "own"), await running_at(context, "both")

        async def ended() -> bool:
            job = await context.store.jobs.get(both_job.id)
            return job is not None and job.state is JobState.SUCCEEDED and only_own.looks > 0

        await wait_for_async(ended, PATIENCE, "the job with a result of its own to succeed")
        job = await context.store.jobs.get(both_job.id)
        assert job is not None and job.result is not None
        assert [asset.url for asset in job.result.assets] == [MADE]
        assert job.result.details["dropped"] == [
            "1 URL: has a user name or a password in it",
            "1 URL: is in the request itself",
        ]
        other = await context.store.jobs.get(own_job.id)
        assert other is not None
        assert other.state is not JobState.SUCCEEDED
        assert other.result is None


SHOP = """
[[stations]]
name = "shop"
url = "{url}"
keys = [{{ name = "main", env = "PATH" }}]
speaks = {{ openai = {{ dialect = "openai.relay" }}, flux = {{ dialect = "flux.relay" }} }}
"""


async def submitted(folder: Path, said: object, job: Job) -> SubmitAnswer:
    """Submit the job to a station that answers with this document."""

    async def act(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        del head, body
        writer.write(answer(json.dumps(said).encode()))

    async with acting(act) as url:
        (folder / "stations.toml").write_text(SHOP.format(url=url))
        settings = settings_of(folder, "sqlite://", "redis://127.0.0.1:1")
        [binding] = candidates(load_stations(settings), job)
        upstream = Upstream(settings)
        try:
            return (await upstream.submit(binding, job)).answer
        finally:
            await upstream.close()


def order(operation: str, **fields: object) -> Job:
    return a_job(
        provider=operation.partition(".")[0], operation=operation.partition(".")[2], input=fields
    )


async def test_a_refusal_that_repeats_the_input_image_is_a_refusal(tmp_path: Path) -> None:
    job = order("openai.image_by_chat", model="gpt-4-all", prompt="put a hat on", images=[OWN])
    for words, code in (
        (f"抱歉，我无法编辑这张图片 {OWN} ，它可能违反内容政策。", ErrorCode.MODERATED),
        (f"This goes against our content policy: ![your picture]({OWN})", ErrorCode.MODERATED),
        (f"What shall I do with {OWN}?", ErrorCode.ASSET_MISSING),
    ):
        choice = {"index": 0, "message": {"role": "assistant", "content": words}}
        found = await submitted(tmp_path, {"choices": [choice]}, job)
        assert isinstance(found, Failed)
        assert (found.code, found.message) == (code, words)


async def test_a_submit_answered_with_the_input_image_is_looked_at_again(
    tmp_path: Path,
) -> None:
    job = order("flux.kontext_pro", prompt="put a hat on", input_image=OWN)
    said = {"id": "t1", "status": "Ready", "result": {"sample": OWN}}
    assert await submitted(tmp_path, said, job) == Accepted("t1")
    found = await submitted(tmp_path, said | {"result": {"sample": "/files/1.png"}}, job)
    assert isinstance(found, Succeeded)
    [asset] = found.assets
    assert asset.url.startswith("http://127.0.0.1:")
    assert asset.url.endswith("/files/1.png")
