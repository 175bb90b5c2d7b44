"""Suno at the sandbox, in every way of speaking, asked with what genq itself sends."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import httpx
import pytest

from generation.contract.call import Call
from generation.contract.errors import (
    AccountBlocked,
    ErrorCode,
    Fault,
    InDoubt,
    NotAccepted,
    QueueFull,
    Rejected,
    Throttled,
    UnrecognizedReply,
)
from generation.contract.operation import Operation, Order, Parent, Task
from generation.contract.reply import Reply
from generation.contract.status import Accepted, AssetType, Failed, Running, Succeeded
from generation.providers import find
from generation.providers.suno import OPERATIONS
from generation.stations.station import Dialect
from ops.sandbox.handle import SandboxHandle
from tests.integration.webhooks.receiver import answering, receiver
from tests.sandbox.callers import BEARER
from tests.services.waiting import wait_for_async

DIALECTS = ("suno.newapi", "suno.raw", "suno.feed", "suno.taskid")
#: The sandbox has the Suno-API itself at a root of its own.
PREFIXES = {"suno.raw": "/raw/suno"}
#: Enough for every order to end.
LONG = 500.0

every_dialect = pytest.mark.parametrize("dialect", DIALECTS)


def suno(name: str, dialect: str = "suno.newapi") -> Operation[Any]:
    operation = find("suno", name, dialect)
    assert operation is not None
    return operation


def send(
    client: httpx.Client,
    operation: Operation[Any],
    call: Call,
    headers: dict[str, str] | None = None,
) -> Reply:
    """What the sandbox answers to a call."""
    spoken = Dialect(dialect=operation.dialect, prefix=PREFIXES.get(operation.dialect))
    answer = client.request(
        call.method,
        spoken.path(call.path, submit=True),
        json=call.json,
        params=dict(call.params),
        headers=headers or BEARER,
    )
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


def look(client: httpx.Client, operation: Operation[Any], task: Accepted | str) -> Any:
    known = Task(task) if isinstance(task, str) else Task(task.upstream_id, task.details)
    return operation.parse_query(send(client, operation, operation.build_query(known)))


def accepted(client: httpx.Client, prompt: str, dialect: str = "suno.newapi") -> Accepted:
    answer = submit(client, suno("music", dialect), {"gpt_description_prompt": prompt})
    assert isinstance(answer, Accepted)
    return answer


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda o: f"{o.dialect}:{o.name}")
def test_every_example_brings_what_it_promises(
    operation: Operation[Any], sandbox: SandboxHandle, client: httpx.Client
) -> None:
    try:
        answer = submit(client, operation, dict(operation.example))
    except NotAccepted as fault:
        assert (fault.code, fault.retry_after) == (ErrorCode.NOT_READY, timedelta(seconds=10))
        sandbox.advance(11)
        answer = submit(client, operation, dict(operation.example))
    paid = isinstance(answer, Accepted)
    assert sandbox.stats()["paid_submits"] == int(paid)
    if paid:
        assert look(client, operation, answer) in (
            Running(0, queued=True),
            Running(5, queued=True),
            Running(queued=True),
        )
        sandbox.advance(LONG)
        assert sandbox.tasks()[0]["operation"] == operation.name
        answer = look(client, operation, answer)
    assert isinstance(answer, Succeeded)
    for asset in answer.assets:
        served = client.get(asset.url)
        assert served.status_code == 200
        assert served.headers["content-type"].startswith(f"{asset.type}/")


@every_dialect
def test_songs_wait_are_heard_and_end(
    dialect: str, sandbox: SandboxHandle, client: httpx.Client
) -> None:
    operation = suno("music", dialect)
    task = accepted(client, "a boat [seconds=100] [unknown-status]", dialect)
    assert look(client, operation, task).queued
    sandbox.advance(20)
    running = look(client, operation, task)
    assert (type(running), running.queued, running.unknown_word) == (Running, False, None)
    sandbox.advance(30)
    unknown = {"suno.newapi": "MARINATING", "suno.feed": "marinating", "suno.taskid": "MARINATING"}
    assert look(client, operation, task).unknown_word == unknown.get(dialect)
    sandbox.advance(50)
    done = look(client, operation, task)
    assert isinstance(done, Succeeded)
    assert [asset.type for asset in done.assets if asset.role == "result"] == [AssetType.AUDIO] * 2
    song = client.get(done.assets[0].url)
    assert song.headers["content-type"] == "audio/mpeg"
    assert song.content[:2] == b"\xff\xf3"
    assert len(song.content) > 10_000
    assert done.assets[0].duration == 60.0


@every_dialect
def test_words_are_written(dialect: str, sandbox: SandboxHandle, client: httpx.Client) -> None:
    operation = suno("lyrics", dialect)
    task = submit(client, operation, {"prompt": "a boat"})
    assert isinstance(look(client, operation, task), Running)
    sandbox.advance(LONG)
    done = look(client, operation, task)
    assert done.texts[0].startswith("[Verse]")
    assert done.details == {"titles": ["Sand"]}


@pytest.mark.parametrize("dialect", ["suno.newapi", "suno.onepath", "suno.feed"])
def test_a_song_is_extended_and_put_together(
    dialect: str, sandbox: SandboxHandle, client: httpx.Client
) -> None:
    """What a station's documentation tells its callers to do, one order after the other."""
    parent: Parent | None = None
    songs: list[int] = []
    steps: tuple[tuple[str, dict[str, Any]], ...] = (
        ("music", {"prompt": "la", "title": "Boat"}),
        ("extend", {"continue_at": 30, "prompt": "la la", "title": "Boat", "clip": 2}),
        ("concat", {}),
        ("cover", {"tags": "brass"}),
        ("stems", {"clip": 2}),
    )
    for name, fields in steps:
        operation = suno(name, dialect)
        task = submit(client, operation, fields, parent)
        assert isinstance(task, Accepted)
        sandbox.advance(LONG)
        done = look(client, operation, task)
        parent = Parent(name, task.upstream_id, task.details, fields, done)
        songs.append(sum(asset.type is AssetType.AUDIO for asset in done.assets))
    assert songs == [2, 2, 1, 2, 2]
    assert sandbox.stats()["paid_submits"] == len(steps)


def test_a_persona_sings_and_a_song_is_taken_from_an_upload(
    sandbox: SandboxHandle, client: httpx.Client
) -> None:
    uploaded = submit(client, suno("upload"), {"url": "https://files.test.invalid/a.mp3"})
    sandbox.advance(LONG)
    done = look(client, suno("upload"), uploaded)
    parent = Parent("upload", uploaded.upstream_id, {}, {}, done)
    assert isinstance(submit(client, suno("extend"), {"continue_at": 5}, parent), Accepted)
    persona = submit(client, suno("persona"), {"name": "The keeper"}, parent)
    assert isinstance(persona, Succeeded)
    singer = Parent("persona", str(persona.upstream_id), {}, {"name": "The keeper"}, persona)
    assert isinstance(submit(client, suno("persona_music"), {"prompt": "la"}, singer), Accepted)
    assert sandbox.tasks()[0]["operation"] == "persona_music"


@every_dialect
def test_only_a_finished_song_of_ones_own_can_be_extended(
    dialect: str, client: httpx.Client
) -> None:
    fields = {
        "prompt": "la",
        "tags": "salsa",
        "title": "La",
        "continue_at": 3,
        "continue_clip_id": "5a9d0000-0000-4000-8000-0000000000b1",
        "task_id": "5a9d0000-0000-4000-8000-0000000000b0",
    }
    with pytest.raises(Rejected):
        submit(client, suno("extend", dialect), fields)


@pytest.mark.parametrize("dialect", ["suno.newapi", "suno.raw"])
def test_many_tasks_are_looked_at_together(
    dialect: str, sandbox: SandboxHandle, client: httpx.Client
) -> None:
    operation = suno("music", dialect)
    ids = [
        accepted(client, f"a boat {knob} [seconds=100]", dialect).upstream_id
        for knob in ("", "[fail=sunk]", "[stuck]", "[lost]")
    ]
    sandbox.advance(100)
    call = operation.build_batch_query([*ids, "5a9d0000-0000-4000-8000-0000000000b0"])
    assert call is not None
    statuses = operation.parse_batch_query(send(client, operation, call))
    assert set(statuses) == set(ids[:3])
    kinds = [type(statuses[each]) for each in ids[:3]]
    assert kinds == [Succeeded, Failed, Running]
    nobody = operation.build_batch_query(["5a9d0000-0000-4000-8000-0000000000b0"])
    assert nobody is not None
    assert operation.parse_batch_query(send(client, operation, nobody)) == {}


@every_dialect
def test_how_a_task_fails(dialect: str, sandbox: SandboxHandle, client: httpx.Client) -> None:
    operation = suno("music", dialect)
    failed = accepted(client, "a boat [fail=too many running jobs] [seconds=1]", dialect)
    moderated = accepted(client, "a boat [moderated-late] [seconds=1]", dialect)
    sandbox.advance(LONG)
    status = look(client, operation, failed)
    assert (status.message, status.code) == ("too many running jobs", ErrorCode.RATE_LIMITED)
    assert look(client, operation, moderated).code is ErrorCode.MODERATED


@every_dialect
def test_a_success_without_an_address(
    dialect: str, sandbox: SandboxHandle, client: httpx.Client
) -> None:
    operation = suno("music", dialect)
    task = accepted(client, "a boat [no-url] [seconds=1]", dialect)
    sandbox.advance(LONG)
    with pytest.raises(UnrecognizedReply) as caught:
        look(client, operation, task)
    assert caught.value.code is ErrorCode.ASSET_MISSING


@every_dialect
def test_a_lost_task(dialect: str, client: httpx.Client) -> None:
    operation = suno("music", dialect)
    with pytest.raises(Rejected) as caught:
        look(client, operation, accepted(client, "a boat [lost]", dialect))
    assert caught.value.code is ErrorCode.NOT_FOUND


@every_dialect
@pytest.mark.parametrize(
    ("knob", "fault", "code"),
    [
        ("throttle", Throttled, ErrorCode.RATE_LIMITED),
        ("auth", AccountBlocked, ErrorCode.AUTH),
        ("no-credit", AccountBlocked, ErrorCode.OUT_OF_CREDITS),
        ("invalid", Rejected, ErrorCode.INVALID_REQUEST),
        ("moderated", Rejected, ErrorCode.MODERATED),
        ("html", Rejected, ErrorCode.UNSUPPORTED),
    ],
)
def test_a_submit_that_creates_nothing(
    knob: str,
    fault: type[Fault],
    code: ErrorCode,
    dialect: str,
    *,
    sandbox: SandboxHandle,
    client: httpx.Client,
) -> None:
    with pytest.raises(fault) as caught:
        accepted(client, f"a boat [{knob}=1]", dialect)
    assert caught.value.code is code
    assert caught.value.retry_after == (timedelta(seconds=1) if knob == "throttle" else None)
    assert sandbox.stats()["refused_by_reason"] == {knob: 1}
    task = accepted(client, f"a boat [{knob}=1]", dialect)
    assert sandbox.stats()["paid_submits"] == 1
    assert look(client, suno("music", dialect), task).queued


@pytest.mark.parametrize(
    ("dialect", "fault"),
    [
        ("suno.newapi", QueueFull),
        ("suno.raw", Throttled),
        ("suno.feed", QueueFull),
        ("suno.taskid", Throttled),
    ],
)
def test_places_are_limited(
    dialect: str, fault: type[Fault], sandbox: SandboxHandle, client: httpx.Client
) -> None:
    sandbox.configure(running_slots=1)
    accepted(client, "a boat", dialect)
    with pytest.raises(fault):
        accepted(client, "a boat", dialect)


@every_dialect
@pytest.mark.parametrize(
    ("knob", "fault"), [("bad-gateway", InDoubt), ("no-id", UnrecognizedReply)]
)
def test_a_submit_that_is_paid_and_answered_badly(
    knob: str, fault: type[Fault], dialect: str, sandbox: SandboxHandle, client: httpx.Client
) -> None:
    with pytest.raises(fault):
        accepted(client, f"a boat [{knob}]", dialect)
    assert sandbox.stats()["paid_submits"] == 1


@every_dialect
@pytest.mark.parametrize(
    ("knob", "fault"),
    [
        ("look-errors", NotAccepted),
        ("look-throttle", Throttled),
        ("look-garbage", UnrecognizedReply),
    ],
)
def test_a_look_that_brings_no_news(
    knob: str, fault: type[Fault], dialect: str, client: httpx.Client
) -> None:
    operation = suno("music", dialect)
    task = accepted(client, f"a boat [{knob}=1]", dialect)
    with pytest.raises(fault):
        look(client, operation, task)
    assert look(client, operation, task).queued


@every_dialect
def test_keys(dialect: str, sandbox: SandboxHandle, client: httpx.Client) -> None:
    sandbox.configure(accepted_keys=["sk-tests", "sk-poor"], no_credit_keys=["sk-poor"])
    operation = suno("music", dialect)
    call = operation.build_submit(operation.request.model_validate(operation.example), Order("j"))
    answers = {"sk-strange": ErrorCode.AUTH, "sk-poor": ErrorCode.OUT_OF_CREDITS}
    for key, code in answers.items():
        with pytest.raises(AccountBlocked) as caught:
            reply = send(client, operation, call, {"authorization": f"Bearer {key}"})
            operation.parse_submit(reply)
        assert caught.value.code is code
    mine = accepted(client, "a boat", dialect)
    sandbox.configure(accepted_keys=[], no_credit_keys=[])
    query = operation.build_query(Task(mine.upstream_id, mine.details))
    with pytest.raises(Rejected) as unknown:
        reply = send(client, operation, query, {"authorization": "Bearer sk-other"})
        operation.parse_query(reply)
    assert unknown.value.code is ErrorCode.NOT_FOUND


def test_a_suno_api_answers_about_one_task_with_its_songs_alone(
    sandbox: SandboxHandle, client: httpx.Client
) -> None:
    task = accepted(client, "a boat [seconds=100]", "suno.raw").upstream_id
    sandbox.advance(100)
    bare = client.get(f"/raw/suno/fetch/{task}", headers=BEARER).json()
    assert [song["status"] for song in bare["data"]] == ["complete", "complete"]
    wrapped = client.get(f"/suno/fetch/{task}", headers=BEARER).json()
    assert wrapped["data"]["status"] == "SUCCESS"


def test_a_feed_shows_the_songs_that_are_asked_for(
    sandbox: SandboxHandle, client: httpx.Client
) -> None:
    first, second = accepted(client, "a boat [seconds=1]", "suno.feed").upstream_id.split(",")
    sandbox.advance(1)
    for asked, shown in ((first, [first]), (f"{second},{first}", [first, second])):
        answer = client.get(f"/suno/feed/{asked}", headers=BEARER).json()
        assert [song["id"] for song in answer] == shown


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/suno/submit/music", {}),
        ("/suno/submit/music", {"prompt": 5}),
        ("/suno/submit/music", {"task": "extend", "continue_clip_id": "x1"}),
        ("/suno/submit/music", {"task": "infill", "continue_clip_id": "x1"}),
        ("/suno/submit/music", {"task": "cover"}),
        ("/suno/submit/lyrics", {"prompt": ""}),
        ("/suno/uploads/audio-url", {}),
        ("/suno/submit/concat", {"clip_id": "nobody"}),
        ("/suno/submit/music", ["la"]),
        ("/api/v1/generate", {"customMode": True, "prompt": "la"}),
        ("/api/v1/wav/generate", {"taskId": "x"}),
    ],
)
def test_a_bad_request_is_refused(
    path: str, body: Any, sandbox: SandboxHandle, client: httpx.Client
) -> None:
    answer = client.post(path, content=json.dumps(body), headers=BEARER)
    assert answer.json()["code"] in ("invalid_request", 400)
    assert sandbox.stats()["refused_by_reason"] == {"invalid": 1}


@pytest.mark.parametrize(
    ("dialect", "where", "word"),
    [
        ("suno.newapi", ["status"], "SUCCESS"),
        ("suno.taskid", ["data", "callbackType"], "complete"),
    ],
)
async def test_a_callback_tells_of_the_end(
    dialect: str, where: list[str], word: str, sandbox: SandboxHandle, client: httpx.Client
) -> None:
    async with receiver(answering()) as listener:
        fields = {"gpt_description_prompt": "a boat [seconds=1]"}
        operation = suno("music", dialect)
        await asyncio.to_thread(submit, client, operation, fields, None, listener.url)
        await asyncio.to_thread(sandbox.advance, 2)
        await wait_for_async(lambda: listener.requests, timedelta(seconds=30), "a callback")
        told = json.loads(listener.requests[-1].body)
    for step in where:
        told = told[step]
    assert told == word
