"""Both Python clients, against a real API, worker and station."""

import asyncio
import json
from collections.abc import AsyncGenerator, Generator
from contextlib import aclosing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import genq
import httpx
import pytest
from genq.job import parse_job
from standardwebhooks import Webhook

from ops.stack.ports import free_port
from tests.cli.conftest import KEY, SECRET, Deployment


@pytest.fixture
def client(deployment: Deployment) -> Generator[genq.Client]:
    with genq.Client(deployment.api_url, KEY) as client:
        yield client


@pytest.fixture
async def async_client(deployment: Deployment) -> AsyncGenerator[genq.AsyncClient]:
    async with genq.AsyncClient(deployment.api_url, KEY) as client:
        yield client


def test_a_job_from_submit_to_assets(client: genq.Client) -> None:
    job = client.submit(
        "midjourney.imagine", {"prompt": "a boat"}, metadata={"shop": "one"}, deadline="10m"
    )
    assert (job.operation, job.ended, job.metadata) == (
        "midjourney.imagine",
        False,
        {"shop": "one"},
    )
    ended = client.wait(job.id, timeout=30)
    assert ended.succeeded
    assert ended.assets[0].type == "image"
    assert httpx.get(ended.assets[0].url, trust_env=False).headers["content-type"] == "image/png"
    follow_up = client.act(job.id, "U1")
    assert client.wait(follow_up.id, timeout=30).document["parent"] == job.id


async def test_a_job_from_submit_to_assets_with_asyncio(async_client: genq.AsyncClient) -> None:
    jobs = await asyncio.gather(
        *(async_client.submit("midjourney.imagine", {"prompt": f"boat {n}"}) for n in range(3))
    )
    ended = await asyncio.gather(*(async_client.wait(job.id, 30) for job in jobs))
    assert [job.state for job in ended] == ["succeeded"] * 3
    async with aclosing(async_client.list(limit=2, state="succeeded")) as listed:
        newest = [job.id async for job in listed]
    assert len(newest) == 2
    assert set(newest) <= {job.id for job in jobs}


def test_a_local_genq_is_found_by_its_connection_file(
    deployment: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GENQ_URL", "GENQ_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GENQ_DATA_DIR", str(tmp_path))
    with pytest.raises(ValueError, match="no API key"):
        genq.Client()
    file = tmp_path / "client.json"
    file.write_text(json.dumps({"url": deployment.api_url, "key": KEY}))
    with genq.Client() as client:
        assert client.url == deployment.api_url
        assert list(client.list(limit=1)) is not None
    with pytest.raises(ValueError, match=r"no API key for http://127\.0\.0\.1:9"):
        genq.Client("http://127.0.0.1:9")
    file.write_text("[]")
    with pytest.raises(ValueError, match="is not a JSON object: delete it"):
        genq.AsyncClient()


def test_invalid_arguments_raise_clear_errors(client: genq.Client) -> None:
    text: Any = "a paper boat"
    with pytest.raises(TypeError, match=r"as in \{.prompt.: .a paper boat.\}, and not a str"):
        client.submit("kling.text2video", text)
    with pytest.raises(TypeError, match="events must be a list"):
        client.submit("kling.text2video", {"prompt": "a boat"}, events="job.failed")
    with pytest.raises(ValueError, match="visible ASCII characters"):
        client.submit("kling.text2video", {"prompt": "a boat"}, idempotency_key="ö")
    with pytest.raises(ValueError, match="give upstream_id, or then"):
        client.resolve("job_1")
    with pytest.raises(genq.Refused, match="deadline: must lie in the future"):
        client.submit("kling.text2video", {"prompt": "a boat"}, deadline=0)


async def test_erase_and_resolve(async_client: genq.AsyncClient) -> None:
    job = await async_client.submit("midjourney.imagine", {"prompt": "a boat"}, priority=2)
    assert job.document["priority"] == 2
    await async_client.wait(job.id, 30)
    assert (await async_client.erase(job.id)).document["erased_at"]
    with pytest.raises(genq.Refused, match="there is no doubt"):
        await async_client.resolve(job.id, then="fail")


def test_the_error_of_a_failed_job(client: genq.Client) -> None:
    job = client.submit("midjourney.imagine", {"prompt": "a boat [moderated]"})
    ended = client.wait(job.id, timeout=30)
    assert ended.error is not None
    assert (ended.state, ended.error.code, ended.billed) == ("failed", "moderated", "no")


def test_an_idempotency_key_prevents_a_second_job(client: genq.Client) -> None:
    given = {"prompt": "a boat, once"}
    first, second = (
        client.submit("kling.text2video", given, idempotency_key="boat-1") for _ in range(2)
    )
    assert first.id == second.id
    assert client.cancel(first.id).document["canceling"] or client.get(first.id).ended


def test_a_stream_has_all_events_of_a_job(client: genq.Client) -> None:
    job = client.submit("midjourney.imagine", {"prompt": "a boat that is watched"})
    heard = list(client.stream(job.id))
    stored = [event for event in heard if event.id]
    assert (stored[0].type, stored[-1].type) == ("job.queued", "job.succeeded")
    assert stored[-1].job.succeeded
    assert [event.id for event in client.stream(job.id)] == [event.id for event in stored]


def test_events_continue_after_a_cursor(client: genq.Client) -> None:
    client.submit("midjourney.imagine", {"prompt": "a boat whose events are read"})
    cursor = client.document("/v1/events", limit="1")["next_cursor"]
    first = client.events(after=cursor)
    before = [next(first), next(first)]
    assert next(client.events(after=before[0].cursor)).id == before[1].id


async def test_an_async_stream_has_all_events_of_a_job(async_client: genq.AsyncClient) -> None:
    job = await async_client.submit("midjourney.imagine", {"prompt": "a boat that is watched"})
    async with aclosing(async_client.stream(job.id)) as stream:
        heard = [event.type async for event in stream]
    assert heard[-1] == "job.succeeded"


def test_a_rejected_submit_raises_what_to_change(client: genq.Client) -> None:
    with pytest.raises(genq.Refused, match="durration: is not a known field") as refused:
        client.submit("kling.text2video", {"prompt": "a boat", "durration": 5})
    assert (refused.value.status, refused.value.code) == (422, "invalid_request")
    assert refused.value.errors[0]["pointer"] == "#/input/durration"
    with pytest.raises(genq.NotFound):
        client.get("job_01M7WRTYG61T52QK8AC4M4B0GJ")
    with pytest.raises(ValueError, match=r"provider\.operation"):
        client.submit("imagine", {"prompt": "a boat"})


def test_a_timeout_raises_not_ended(client: genq.Client) -> None:
    job = client.submit("kling.text2video", {"prompt": "a long film"})
    with pytest.raises(genq.NotEnded, match=f"{job.id} is "):
        client.wait(job.id, timeout=0)


def test_a_wrong_key_and_an_unreachable_api(deployment: Deployment) -> None:
    with genq.Client(deployment.api_url, KEY + "x") as client, pytest.raises(genq.Refused) as no:
        client.get("job_01M7WRTYG61T52QK8AC4M4B0GJ")
    assert no.value.status == 401
    nobody = f"http://127.0.0.1:{free_port()}"
    with genq.Client(nobody, KEY, patience=0.3) as client, pytest.raises(genq.Unreachable):
        client.submit("kling.text2video", {"prompt": "x"})
    with genq.Client(deployment.flower_url, KEY) as client, pytest.raises(genq.NotGenq):
        client.get("job_01M7WRTYG61T52QK8AC4M4B0GJ")


def test_only_webhooks_with_a_valid_signature_are_accepted(client: genq.Client) -> None:
    job = client.wait(client.submit("midjourney.imagine", {"prompt": "a boat"}).id, timeout=30)
    now = datetime.now(UTC)
    body = json.dumps(
        {
            "type": "job.succeeded",
            "timestamp": now.isoformat(),
            "data": job.document,
            "id": "evt_1",
            "sequence": 4,
        }
    )
    headers = {
        "Webhook-Id": "evt_1",
        "Webhook-Timestamp": str(int(now.timestamp())),
        "Webhook-Signature": Webhook(SECRET).sign("evt_1", now, body),
    }
    event = genq.verify_webhook(body.encode(), headers, SECRET)
    assert (event.id, event.type, event.job) == ("evt_1", "job.succeeded", parse_job(event.data))
    with pytest.raises(genq.UnverifiedWebhook):
        genq.verify_webhook(body.encode() + b" ", headers, SECRET)
