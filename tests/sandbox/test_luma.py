"""Luma at the sandbox: both of the vendor's APIs and a relay, asked with what genq itself sends."""

import asyncio
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from generation.contract.call import Call
from generation.contract.errors import (
    AccountBlocked,
    ErrorCode,
    Fault,
    InDoubt,
    QueueFull,
    Rejected,
    Throttled,
    UnrecognizedReply,
)
from generation.contract.operation import Operation, Order, Parent, Task
from generation.contract.reply import Reply
from generation.contract.status import Accepted, AssetType, Failed, Running, Succeeded
from generation.providers import find
from generation.providers.luma import OPERATIONS
from generation.stations.station import Dialect
from ops.sandbox.handle import SandboxHandle
from tests.integration.webhooks.receiver import answering, receiver
from tests.sandbox.callers import BEARER
from tests.services.waiting import wait_for_async

DIALECTS = ("luma.dream_machine", "luma.agents", "luma.relay")
#: Enough for every operation to end.
LONG = 500.0

every_dialect = pytest.mark.parametrize("dialect", DIALECTS)


def luma(name: str, dialect: str) -> Operation[Any]:
    operation = find("luma", name, dialect)
    assert operation is not None
    return operation


def send(
    client: httpx.Client,
    operation: Operation[Any],
    call: Call,
    headers: dict[str, str] | None = None,
) -> Reply:
    """What the sandbox answers to a call, at the dialect's usual prefix."""
    path = Dialect(dialect=operation.dialect).path(call.path, submit=True)
    answer = client.request(call.method, path, json=call.json, headers=headers or BEARER)
    return Reply(answer.status_code, answer.content, dict(answer.headers))


def submit(
    client: httpx.Client,
    operation: Operation[Any],
    fields: dict[str, Any],
    parent: Parent | None = None,
    callback_url: str | None = None,
) -> Any:
    request = operation.request.model_validate(fields)
    order = Order("job-1", parent=parent, callback_url=callback_url)
    return operation.parse_submit(send(client, operation, operation.build_submit(request, order)))


def look(client: httpx.Client, operation: Operation[Any], upstream_id: str) -> Any:
    call = operation.build_query(Task(upstream_id))
    return operation.parse_query(send(client, operation, call))


def accepted(client: httpx.Client, operation: Operation[Any], prompt: str) -> str:
    answer = submit(client, operation, {"prompt": prompt})
    assert isinstance(answer, Accepted)
    return answer.upstream_id


@pytest.mark.parametrize(
    "operation",
    [o for o in OPERATIONS if o.name != "download"],
    ids=lambda o: f"{o.dialect}:{o.name}",
)
def test_every_example_ends_with_files_that_are_served(
    operation: Operation[Any], sandbox: SandboxHandle, client: httpx.Client
) -> None:
    answer = submit(client, operation, dict(operation.example))
    assert isinstance(answer, Accepted)
    assert sandbox.paid(answer.upstream_id) == 1
    assert [t["operation"] for t in sandbox.tasks() if t["id"] == answer.upstream_id] == [
        operation.name
    ]
    assert look(client, operation, answer.upstream_id) == Running(queued=True)
    sandbox.advance(LONG)
    ended = look(client, operation, answer.upstream_id)
    assert isinstance(ended, Succeeded)
    is_image = "image" in operation.name
    assert ended.assets[0].type is (AssetType.IMAGE if is_image else AssetType.VIDEO)
    assert ended.assets[0].role == "result"
    for asset in ended.assets:
        served = client.get(asset.url)
        assert served.status_code == 200
        assert served.headers["content-type"].startswith(f"{asset.type}/")


@every_dialect
def test_a_video_waits_runs_and_ends(
    dialect: str, sandbox: SandboxHandle, client: httpx.Client
) -> None:
    operation = luma("video", dialect)
    task = accepted(client, operation, "a boat [seconds=100] [unknown-status]")
    assert look(client, operation, task) == Running(queued=True)
    sandbox.advance(20)
    assert look(client, operation, task) == Running()
    sandbox.advance(30)
    assert look(client, operation, task) == Running(unknown_word="imagining")
    sandbox.advance(50)
    assert isinstance(look(client, operation, task), Succeeded)


@every_dialect
def test_a_finished_video_can_be_extended_and_no_other(
    dialect: str, sandbox: SandboxHandle, client: httpx.Client
) -> None:
    video, extend = luma("video", dialect), luma("extend", dialect)
    task = accepted(client, video, "a boat [seconds=50]")
    fields = {"prompt": "the boat sails on", "generation_id": task}
    with pytest.raises(Rejected):
        submit(client, extend, fields)
    sandbox.advance(50)
    result = look(client, video, task)
    parent = Parent("video", task, {}, {}, result)
    assert isinstance(submit(client, extend, {"prompt": "the boat sails on"}, parent), Accepted)
    assert isinstance(submit(client, extend, fields), Accepted)
    with pytest.raises(Rejected):
        submit(client, extend, fields | {"generation_id": "no-such-generation"})


def test_a_parents_file_is_worked_on(sandbox: SandboxHandle, client: httpx.Client) -> None:
    video, modify = (luma(name, "luma.dream_machine") for name in ("video", "modify_video"))
    task = accepted(client, video, "a boat [seconds=0]")
    parent = Parent("video", task, {}, {}, look(client, video, task))
    answer = submit(client, modify, {"mode": "flex_1"}, parent)
    assert isinstance(answer, Accepted)
    assert sandbox.paid(answer.upstream_id) == 1


@every_dialect
@pytest.mark.parametrize(
    ("knob", "fault", "code"),
    [
        ("throttle", Throttled, ErrorCode.RATE_LIMITED),
        ("queue-full", QueueFull, ErrorCode.QUEUE_FULL),
        ("auth", AccountBlocked, ErrorCode.AUTH),
        ("no-credit", AccountBlocked, ErrorCode.OUT_OF_CREDITS),
        ("invalid", Rejected, ErrorCode.INVALID_REQUEST),
        ("moderated", Rejected, ErrorCode.MODERATED),
        ("html", Rejected, ErrorCode.UNSUPPORTED),
    ],
)
def test_a_refused_submit_is_not_paid(
    dialect: str,
    knob: str,
    fault: type[Fault],
    code: ErrorCode,
    *,
    sandbox: SandboxHandle,
    client: httpx.Client,
) -> None:
    with pytest.raises(fault) as raised:
        submit(client, luma("video", dialect), {"prompt": f"a boat [{knob}]"})
    assert raised.value.code is code
    stats = sandbox.stats()
    assert (stats["paid_submits"], stats["refused_by_reason"]) == (0, {knob: 1})
    if fault is Throttled:
        assert raised.value.retry_after is not None
        assert raised.value.retry_after.total_seconds() == 1


@every_dialect
def test_a_numbered_refusal_ends_after_that_many(
    dialect: str, sandbox: SandboxHandle, client: httpx.Client
) -> None:
    operation = luma("video", dialect)
    for _ in range(2):
        with pytest.raises(Throttled):
            accepted(client, operation, "a boat [throttle=2]")
    task = accepted(client, operation, "a boat [throttle=2]")
    assert sandbox.paid(task) == 1


@every_dialect
@pytest.mark.parametrize(
    ("knob", "fault"), [("bad-gateway", InDoubt), ("no-id", UnrecognizedReply)]
)
def test_a_paid_submit_without_a_clear_answer_stays_in_doubt(
    dialect: str, knob: str, fault: type[Fault], sandbox: SandboxHandle, client: httpx.Client
) -> None:
    with pytest.raises(fault):
        submit(client, luma("video", dialect), {"prompt": f"a boat [{knob}]"})
    assert sandbox.stats()["paid_by_provider"] == {"luma": 1}


@every_dialect
def test_a_dropped_submit_is_paid(
    dialect: str, sandbox: SandboxHandle, client: httpx.Client
) -> None:
    with pytest.raises(httpx.TransportError):
        submit(client, luma("video", dialect), {"prompt": "a boat [drop]"})
    [task] = sandbox.tasks()
    assert sandbox.paid(task["id"]) == 1


@every_dialect
@pytest.mark.parametrize(
    ("knob", "code"),
    [
        ("[fail=the GPU melted]", ErrorCode.UPSTREAM_FAILED),
        ("[moderated-late]", ErrorCode.MODERATED),
    ],
)
def test_a_task_that_fails_says_why(
    dialect: str, knob: str, code: ErrorCode, client: httpx.Client
) -> None:
    operation = luma("video", dialect)
    ended = look(client, operation, accepted(client, operation, f"a boat [seconds=0] {knob}"))
    assert isinstance(ended, Failed)
    assert ended.code is code
    assert ended.message in ("the GPU melted", "Advanced moderation failed")


@every_dialect
@pytest.mark.parametrize(
    ("knob", "fault", "code"),
    [
        ("no-url", UnrecognizedReply, ErrorCode.ASSET_MISSING),
        ("lost", Rejected, ErrorCode.NOT_FOUND),
        ("look-throttle", Throttled, ErrorCode.RATE_LIMITED),
        ("look-errors", InDoubt, ErrorCode.UNAVAILABLE),
        ("look-garbage", UnrecognizedReply, ErrorCode.BAD_RESPONSE),
    ],
)
def test_a_look_without_news_says_what_it_met(
    dialect: str, knob: str, fault: type[Fault], code: ErrorCode, client: httpx.Client
) -> None:
    operation = luma("video", dialect)
    task = accepted(client, operation, f"a boat [seconds=0] [{knob}]")
    with pytest.raises(fault) as raised:
        look(client, operation, task)
    assert raised.value.code is code


def test_a_relay_is_asked_about_many_at_once(sandbox: SandboxHandle, client: httpx.Client) -> None:
    operation = luma("video", "luma.relay")
    done, running = (accepted(client, operation, f"a boat [seconds={s}]") for s in (0, 100))
    call = operation.build_batch_query([done, running, "no-such-task"])
    assert call is not None
    answers = operation.parse_batch_query(send(client, operation, call))
    assert set(answers) == {done, running}
    assert isinstance(answers[done], Succeeded)
    assert answers[running] == Running(queued=True)
    assert (sandbox.stats()["batch_looks"], sandbox.stats()["looks"]) == (1, 0)


def test_the_clean_copy_of_a_relays_video(sandbox: SandboxHandle, client: httpx.Client) -> None:
    video, download = luma("video", "luma.relay"), luma("download", "luma.relay")
    task = accepted(client, video, "a boat [seconds=100]")
    with pytest.raises(Fault) as raised:
        submit(client, download, {"generation_id": task})
    assert (raised.value.code, raised.value.retryable) == (ErrorCode.NOT_READY, True)
    sandbox.advance(100)
    ended = look(client, video, task)
    roles = {asset.role: asset.url for asset in ended.assets}
    assert set(roles) == {"result", "watermarked", "cover", "last_frame"}
    again = submit(client, download, {}, Parent("video", task, {}, {}, ended))
    assert [asset.url for asset in again.assets] == [roles["result"]]
    assert sandbox.stats()["paid_submits"] == 1, "a download is no new task"


def test_the_agents_files_are_signed_for_an_hour(
    sandbox: SandboxHandle, client: httpx.Client
) -> None:
    operation = luma("video", "luma.agents")
    [video] = look(client, operation, accepted(client, operation, "a boat [seconds=0]")).assets
    assert video.expires_at is not None
    assert "X-Amz-Expires=3600" in urlsplit(video.url).query
    sandbox.advance(3590)
    assert client.get(video.url).status_code == 200
    sandbox.advance(20)
    assert client.get(video.url).status_code == 404


@every_dialect
def test_keys_see_their_own_tasks_only(dialect: str, client: httpx.Client) -> None:
    operation = luma("video", dialect)
    task = accepted(client, operation, "a boat")
    call = operation.build_query(Task(task))
    reply = send(client, operation, call, {"authorization": "Bearer sk-other"})
    with pytest.raises(Rejected) as raised:
        operation.parse_query(reply)
    assert raised.value.code is ErrorCode.NOT_FOUND


@every_dialect
@pytest.mark.parametrize(
    ("key", "code"),
    [
        ("stranger", ErrorCode.AUTH),
        ("rogue", ErrorCode.AUTH),
        ("broke", ErrorCode.OUT_OF_CREDITS),
        ("", ErrorCode.AUTH),
    ],
)
def test_the_door(
    dialect: str, key: str, code: ErrorCode, sandbox: SandboxHandle, client: httpx.Client
) -> None:
    sandbox.configure(accepted_keys=["mine"], blocked_keys=["rogue"], no_credit_keys=["broke"])
    operation = luma("video", dialect)
    request = operation.request.model_validate({"prompt": "a boat"})
    call = operation.build_submit(request, Order("job-1"))
    reply = send(client, operation, call, {"authorization": f"Bearer {key}"} if key else {"x": "y"})
    with pytest.raises(AccountBlocked) as raised:
        operation.parse_submit(reply)
    assert raised.value.code is code


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        ("/dream-machine/v1/generations", {"model": "ray-2"}, "prompt: Field required"),
        ("/dream-machine/v1/generations", {"prompt": "a boat"}, "model: Field required"),
        ("/dream-machine/v1/generations/video", {"prompt": "ab", "model": "ray-2"}, "prompt"),
        (
            "/dream-machine/v1/generations/video",
            {"prompt": "a boat", "model": "ray-2", "image_url": "https://a.test.invalid/1.png"},
            "image_url: Extra inputs",
        ),
        (
            "/dream-machine/v1/generations/video",
            {"prompt": "a boat", "model": "ray-1-6", "concepts": [{"key": "pov"}]},
            "concepts are not supported for this model",
        ),
        (
            "/dream-machine/v1/generations/video",
            {"prompt": "a boat", "model": "ray-2"}
            | {"keyframes": {"frame0": {"type": "image", "url": "data:image/png;base64,AA=="}}},
            "keyframes.frame0.url",
        ),
        ("/v1/generations", {"prompt": "a boat", "type": "film"}, "type: Input should be one of"),
        (
            "/v1/generations",
            {"prompt": "a boat", "type": "image_edit", "source": {"data": "AA=="}},
            "source.media_type",
        ),
        (
            "/v1/generations",
            {"prompt": "a boat", "type": "video", "video": {"loop": True, "duration": "10s"}},
            "video.loop",
        ),
        ("/luma/generations", {"prompt": "a boat"}, "user_prompt is required"),
        ("/luma/generations/", {"user_prompt": "a", "image_url": "boat"}, "image_url is no URL"),
    ],
)
def test_a_bad_request_is_refused(
    path: str, body: dict[str, Any], said: str, sandbox: SandboxHandle, client: httpx.Client
) -> None:
    answer = client.post(path, json=body, headers=BEARER)
    assert answer.status_code == 400
    assert said in answer.text
    assert sandbox.stats()["refused_by_reason"] == {"invalid": 1}


@pytest.mark.parametrize("dialect", ["luma.dream_machine", "luma.relay"])
async def test_a_callback_tells_what_a_look_would(dialect: str, client: httpx.Client) -> None:
    operation = luma("video", dialect)
    async with receiver(answering()) as listener:
        fields = {"prompt": "a boat [seconds=0]"}
        task = await asyncio.to_thread(submit, client, operation, fields, callback_url=listener.url)
        await wait_for_async(lambda: bool(listener.requests), timedelta(seconds=30), "a callback")
        told = operation.parse_query(Reply(200, listener.requests[-1].body))
        assert told == await asyncio.to_thread(look, client, operation, task.upstream_id)
        assert isinstance(told, Succeeded)


def test_a_lost_answer_is_found_by_the_address_to_call(
    sandbox: SandboxHandle, client: httpx.Client
) -> None:
    operation = luma("video", "luma.dream_machine")
    mine, other = (f"http://127.0.0.1:9/{name}" for name in ("mine", "other"))
    submit(client, operation, {"prompt": "another boat"}, callback_url=other)
    with pytest.raises(UnrecognizedReply):
        submit(client, operation, {"prompt": "a boat [no-id]"}, callback_url=mine)
    order = Order("job-1", mine)
    call = operation.build_find(order)
    assert call is not None
    found = operation.parse_find(send(client, operation, call), order)
    assert isinstance(found, str)
    assert isinstance(look(client, operation, found), Running)
    with pytest.raises(InDoubt):
        operation.parse_find(send(client, operation, call), Order("job-2", f"{mine}2"))
