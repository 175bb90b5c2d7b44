"""The upstream client with stations that name foreign hosts, repeat secrets or break off."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from generation.contract.errors import Fault, ForeignHost, InDoubt
from generation.contract.operation import Task
from generation.contract.status import Accepted, Succeeded
from generation.job import JobState
from generation.lifecycle import after_look
from generation.settings import Settings
from generation.stations.binding import Binding, bound
from generation.stations.circuit_breaker import verdict
from generation.stations.config_file import load_stations
from generation.upstream.client import Upstream
from generation.upstream.redaction import HIDDEN
from tests.api.serving import settings_of
from tests.integration.upstream.servers import Act, acting, answer
from tests.unit.jobs import a_job, at

SECRET = "sk-0123456789abcdef"
#: A host that is not the station's.
ELSEWHERE = "http://127.0.0.2:9/v1/get_result?id=t1"
READY = b'{"id": "t1", "status": "Ready", "result": {"sample": "https://cdn.test.invalid/a.png"}}'
STATION = """
[[stations]]
name = "relay"
url = "{url}"
keys = [{{ name = "main", env = "RELAY_KEY" }}]
[stations.speaks]
flux = {{ dialect = "flux.bfl" }}
kling = {{ dialect = "kling.relay" }}
openai = {{ dialect = "openai.relay" }}
"""


class Caller:
    """A client and its one station."""

    def __init__(self, settings: Settings) -> None:
        self.upstream = Upstream(settings)
        self._stations = load_stations(settings, {"RELAY_KEY": SECRET})

    def binding(self, provider: str, operation: str, dialect: str) -> Binding:
        return bound(self._stations, ("relay", "main"), provider, operation, dialect)


@asynccontextmanager
async def calling(folder: Path, act: Act) -> AsyncGenerator[Caller]:
    """A client of a station that handles requests with `act`."""
    async with acting(act) as url:
        file = folder / "stations.toml"
        file.write_text(STATION.format(url=url))
        caller = Caller(settings_of(folder, "sqlite:///unused.db", "redis://127.0.0.1:9/0"))
        try:
            yield caller
        finally:
            await caller.upstream.close()


class Station:
    """Answers every request with the same bytes, and records the request heads."""

    def __init__(self, response: bytes, *, breaks_off: bool = False) -> None:
        self.heads: list[str] = []
        self._response = response
        self._breaks_off = breaks_off

    async def act(self, head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        del body
        self.heads.append(head.decode())
        writer.write(self._response)
        await writer.drain()
        if self._breaks_off:
            writer.close()


def polled_elsewhere(name: str = "polling_url") -> Task:
    return Task("t1", {name: ELSEWHERE})


async def test_a_foreign_polling_url_is_replaced_by_the_stations_own(tmp_path: Path) -> None:
    station = Station(answer(READY))
    with capture_logs() as logs:
        async with calling(tmp_path, station.act) as caller:
            flux = caller.binding("flux", "pro_1_1", "flux.bfl")
            for _ in range(2):
                answered = (await caller.upstream.query(flux, polled_elsewhere())).answer
                assert isinstance(answered, Succeeded)
                assert answered.assets[0].url == "https://cdn.test.invalid/a.png"
    assert station.heads[0].startswith("GET /v1/get_result?id=t1 HTTP/1.1\r\n")
    warned = [log for log in logs if log["event"] == "foreign_polling_host"]
    assert [(log["host"], log["station"]) for log in warned] == [("127.0.0.2", "relay")]


async def test_a_task_known_only_to_a_foreign_host_is_explained_on_the_job(tmp_path: Path) -> None:
    station = Station(answer(b'{"status": "Task not found", "id": "t1"}', "404 Not Found"))
    async with calling(tmp_path, station.act) as caller:
        flux = caller.binding("flux", "pro_1_1", "flux.bfl")
        with pytest.raises(
            ForeignHost, match=r"at 127\.0\.0\.2, where our key is not sent"
        ) as fault:
            await caller.upstream.query(flux, polled_elsewhere())
    assert verdict(fault.value) is None, "this says nothing of the station's health"
    job = a_job(JobState.RUNNING)
    after = after_look(job, fault.value, at(300))
    assert (after.state, after.reason) == (JobState.RUNNING, fault.value.message)
    assert after_look(after, fault.value, at(600)) is after


async def test_a_key_repeated_in_an_answer_is_redacted(tmp_path: Path) -> None:
    refusal = f'{{"code": 1201, "message": "bad model for key {SECRET}", "data": null}}'
    station = Station(answer(refusal.encode(), "400 Bad Request"))
    async with calling(tmp_path, station.act) as caller:
        kling = caller.binding("kling", "text2video", "kling.relay")
        with pytest.raises(Fault, match=f"bad model for key {HIDDEN}") as fault:
            await caller.upstream.submit(kling, a_job())
    assert f"Bearer {SECRET}" in station.heads[0]
    assert SECRET not in fault.value.message + fault.value.words


async def test_a_submit_answer_labelled_gzip_by_mistake_is_read(tmp_path: Path) -> None:
    accepted = b'{"code": 0, "message": "", "data": {"task_id": "t1", "task_status": "submitted"}}'
    station = Station(answer(accepted, "200 OK", "content-encoding: gzip"))
    async with calling(tmp_path, station.act) as caller:
        kling = caller.binding("kling", "text2video", "kling.relay")
        submitted = await caller.upstream.submit(kling, a_job())
    assert isinstance(submitted.answer, Accepted)
    assert submitted.answer.upstream_id == "t1"


async def test_an_asset_named_before_the_connection_broke_is_kept_with_the_doubt(
    tmp_path: Path,
) -> None:
    event = (
        b'data: {"choices": [{"index": 0, "delta": {"content":'
        b' "![a](https://cdn.test.invalid/a.png)"}}]}\n\n'
    )
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: 900\r\n\r\n"
    station = Station(head + event, breaks_off=True)
    async with calling(tmp_path, station.act) as caller:
        openai = caller.binding("openai", "image_by_chat", "openai.relay")
        order = {"model": "gpt-4o-image", "prompt": "a cat"}
        job = a_job(provider="openai", operation="image_by_chat", input=order)
        with pytest.raises(InDoubt, match=r"it had named https://cdn\.test") as fault:
            await caller.upstream.submit(openai, job)
    assert "https://cdn.test.invalid/a.png" in fault.value.words
