"""Every Kling order genq knows, in every dialect, from its example to its files."""

from typing import Any

import httpx
import pytest

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
from generation.contract.operation import Operation
from generation.contract.status import Accepted, AssetType, Failed, Running, Succeeded
from generation.providers.kling import OPERATIONS
from ops.sandbox.handle import SandboxHandle
from tests.sandbox.callers import BEARER
from tests.sandbox.kling_client import Customer, accepted, followed, operation

LONGEST = 1000
TYPES = {
    AssetType.VIDEO: "video/mp4",
    AssetType.IMAGE: "image/png",
    AssetType.AUDIO: "audio/",
    AssetType.FILE: "video/mp4",
}
BEGINNINGS = {
    "video/mp4": b"ftyp",
    "image/png": b"PNG",
    "audio/mpeg": b"\xff\xf3",
    "audio/wav": b"WAVE",
}
DIALECTS = ("kling.v1", "kling.relay", "kling.v2", "kling.newapi")
PROMPT = {"prompt": "a cat", "model_name": "kling-v3"}

alone = [each for each in OPERATIONS if not each.needs_parent]
of_each_dialect = pytest.mark.parametrize("dialect", DIALECTS)


@pytest.fixture
def customer(client: httpx.Client) -> Customer:
    return Customer(client)


@pytest.mark.parametrize("spoken", alone, ids=lambda each: f"{each.dialect}:{each.name}")
def test_its_example_ends_with_files_that_are_what_they_say(
    spoken: Operation[Any], customer: Customer, sandbox: SandboxHandle, client: httpx.Client
) -> None:
    answer = customer.submit(spoken, spoken.example)
    if isinstance(answer, Accepted):
        assert isinstance(customer.look(spoken, answer.upstream_id), Running)
        sandbox.advance(LONGEST)
        answer = customer.look(spoken, answer.upstream_id)
    assert isinstance(answer, Succeeded)
    assert answer.assets or answer.texts
    for asset in answer.assets:
        file = client.get(asset.url)
        assert file.status_code == 200
        kind = file.headers["content-type"]
        assert kind.startswith(TYPES[asset.type])
        assert BEGINNINGS[kind] in file.content[:12]
    paid = sandbox.stats()["paid_by_reference"]
    assert sum(paid.values()) == (0 if spoken.name.startswith("preset_") else 1)
    assert ("job-1" in paid) is (spoken.submit_timeout is None)


@of_each_dialect
def test_a_lost_submit_is_found_where_the_dialect_can_find(
    dialect: str, customer: Customer, sandbox: SandboxHandle
) -> None:
    spoken = operation("text2video", dialect)
    with pytest.raises(httpx.TransportError):
        customer.submit(spoken, {**PROMPT, "prompt": "a cat [drop]"})
    if dialect == "kling.newapi":
        return
    upstream_id = customer.find(spoken, "job-1")
    assert upstream_id is not None
    assert isinstance(customer.look(spoken, upstream_id), Running)
    if dialect == "kling.relay":
        with pytest.raises(InDoubt):
            customer.find(spoken, "job-2")
    else:
        assert customer.find(spoken, "job-2") is None
    assert sandbox.stats()["paid_submits"] == 1


@of_each_dialect
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
        ("no-id", UnrecognizedReply, ErrorCode.BAD_RESPONSE),
    ],
)
def test_a_refusal_is_understood(
    dialect: str, knob: str, fault: type[Fault], code: ErrorCode, *, customer: Customer
) -> None:
    with pytest.raises(Fault) as raised:
        customer.submit(operation("text2video", dialect), {**PROMPT, "prompt": f"a [{knob}]"})
    assert isinstance(raised.value, fault)
    assert raised.value.accepted.value == ("maybe" if knob == "no-id" else "no")
    assert raised.value.code is code


@of_each_dialect
@pytest.mark.parametrize(
    ("knob", "code"),
    [("fail=the dog ate it", ErrorCode.UPSTREAM_FAILED), ("moderated-late", ErrorCode.MODERATED)],
)
def test_a_failure_is_understood(
    dialect: str, knob: str, code: ErrorCode, customer: Customer
) -> None:
    spoken = operation("text2video", dialect)
    task = accepted(customer.submit(spoken, {**PROMPT, "prompt": f"a [seconds=0] [{knob}]"}))
    status = customer.look(spoken, task)
    assert isinstance(status, Failed)
    assert status.code is code
    assert status.message in ("the dog ate it", "Failure to pass the risk control system")


@of_each_dialect
def test_a_success_without_a_file_is_none(dialect: str, customer: Customer) -> None:
    spoken = operation("text2video", dialect)
    task = accepted(customer.submit(spoken, {**PROMPT, "prompt": "a [seconds=0] [no-url]"}))
    with pytest.raises(UnrecognizedReply) as raised:
        customer.look(spoken, task)
    assert raised.value.code is ErrorCode.ASSET_MISSING


@of_each_dialect
def test_a_task_nobody_knows_is_not_found(dialect: str, customer: Customer) -> None:
    with pytest.raises(Rejected) as raised:
        customer.look(operation("text2video", dialect), "179000000000000000")
    assert raised.value.code is ErrorCode.NOT_FOUND


def test_many_tasks_are_looked_at_at_once(customer: Customer, sandbox: SandboxHandle) -> None:
    words, pictures = operation("text2video", "kling.v2"), operation("image2video", "kling.v2")
    orders = [(words, "[seconds=0]"), (pictures, "[seconds=0] [fail]"), (words, "[seconds=60]")]
    ids = [
        accepted(
            customer.submit(spoken, {**spoken.example, "prompt": f"a {knobs}"}, f"job-{number}")
        )
        for number, (spoken, knobs) in enumerate(orders)
    ]
    call = words.build_batch_query([*ids, "unknown"])
    assert call is not None
    statuses = words.parse_batch_query(customer.send(words, call))
    assert {name: type(status) for name, status in statuses.items()} == dict(
        zip(ids, (Succeeded, Failed, Running), strict=True)
    )
    assert sandbox.stats()["batch_looks"] == 1


def test_the_first_apis_tasks_are_looked_at_in_their_list(
    customer: Customer, sandbox: SandboxHandle
) -> None:
    words, pictures = operation("text2video", "kling.v1"), operation("image2video", "kling.v1")
    ids = [
        accepted(customer.submit(words, {"prompt": f"a {knobs}"}, f"job-{number}"))
        for number, knobs in enumerate(("[seconds=0]", "[seconds=0] [fail]", "[seconds=60]"))
    ]
    other = accepted(customer.submit(pictures, dict(pictures.example), "job-9"))
    call = words.build_batch_query([*ids, other])
    assert call is not None
    statuses = words.parse_batch_query(customer.send(words, call))
    assert {name: type(status) for name, status in statuses.items()} == dict(
        zip(ids, (Succeeded, Failed, Running), strict=True)
    )
    assert sandbox.stats()["list_looks"] == 1


def test_the_two_generations_keep_their_tasks_apart(customer: Customer) -> None:
    first, second = operation("text2video", "kling.v1"), operation("text2video", "kling.v2")
    old = accepted(customer.submit(first, PROMPT, "job-1"))
    new = accepted(customer.submit(second, PROMPT, "job-2"))
    for spoken, task in ((first, new), (second, old)):
        with pytest.raises(Rejected):
            customer.look(spoken, task)


def test_a_video_is_made_carried_on_and_given_a_voice(
    customer: Customer, sandbox: SandboxHandle
) -> None:
    film = {"prompt": "a cat [seconds=0]"}
    maker = operation("text2video", "kling.v1")
    made = customer.look(maker, accepted(customer.submit(maker, film, "job-1")))
    assert isinstance(made, Succeeded)
    video_id = made.assets[0].upstream_id

    extender = operation("video_extend", "kling.v1")
    parent = followed("text2video", film, made)
    task = accepted(customer.submit(extender, {"prompt": "on [seconds=0]"}, "job-2", parent))
    longer = customer.look(extender, task)
    assert isinstance(longer, Succeeded)
    assert longer.details["parent_video_id"] == video_id

    finder = operation("identify_face", "kling.v1")
    faces = customer.submit(finder, {}, "job-3", followed("video_extend", {}, longer))
    speaker = operation("tts", "kling.v1")
    speech = customer.submit(speaker, speaker.example, "job-4")
    assert isinstance(speech, Succeeded)
    times = {"sound_start_time": 0, "sound_end_time": 3000, "sound_insert_time": 0}
    choice = {"audio_id": speech.assets[0].upstream_id, **times}
    syncer = operation("advanced_lip_sync", "kling.v1")
    task = accepted(
        customer.submit(
            syncer, {"face_choose": [choice]}, "job-5", followed("identify_face", {}, faces)
        )
    )
    sandbox.advance(LONGEST)
    assert isinstance(customer.look(syncer, task), Succeeded)


def test_a_video_is_changed_in_a_session(customer: Customer, sandbox: SandboxHandle) -> None:
    opener, marker = (operation(name, "kling.v1") for name in ("init_selection", "add_selection"))
    session = followed("init_selection", {}, customer.submit(opener, opener.example))
    place = {"frame_index": 12, "points": [{"x": 0.5, "y": 0.5}]}
    marked = customer.submit(marker, place, "job-2", session)
    assert isinstance(marked, Succeeded)
    assert marked.details["frame_index"] == "12"
    editor = operation("multi_elements", "kling.v1")
    fields = {"edit_mode": "removal", "prompt": "delete it [seconds=0]"}
    task = accepted(
        customer.submit(editor, fields, "job-3", followed("add_selection", place, marked))
    )
    edited = customer.look(editor, task)
    assert isinstance(edited, Succeeded)
    assert edited.details["session_id"] == session.upstream_id


@pytest.mark.parametrize(
    ("maker", "deleter"), [("custom_voice", "delete_voice"), ("custom_element", "delete_element")]
)
def test_what_was_made_for_the_library_can_be_deleted(
    maker: str, deleter: str, customer: Customer, sandbox: SandboxHandle
) -> None:
    spoken = operation(maker, "kling.v1")
    task = accepted(customer.submit(spoken, spoken.example))
    sandbox.advance(LONGEST)
    parent = followed(maker, spoken.example, customer.look(spoken, task))
    answer = customer.submit(operation(deleter, "kling.v1"), {}, "job-2", parent)
    assert isinstance(answer, Succeeded)
    assert answer.texts == ("deletion accepted",)
    assert sandbox.stats()["paid_submits"] == 1


@pytest.mark.parametrize("name", ["identify_face", "tts", "preview_selection"])
def test_knobs_may_stand_in_any_text(name: str, customer: Customer, sandbox: SandboxHandle) -> None:
    spoken = operation(name, "kling.v1")
    texts = {"tts": "text", "identify_face": "video_url", "preview_selection": "session_id"}
    fields = dict(spoken.example)
    fields[texts[name]] += "[throttle=1]"
    with pytest.raises(Throttled):
        customer.submit(spoken, fields)
    assert isinstance(customer.submit(spoken, fields), Succeeded)
    assert sandbox.stats()["refused_by_reason"] == {"throttle": 1}


def test_a_new_api_station_drops_what_it_does_not_know(client: httpx.Client) -> None:
    root = "/newapi/kling/v1/videos/image2video"
    body = {"prompt": "a cat", "image_tail": "https://example.com/a.png", "sound": "on"}
    answer = client.post(root, json=body, headers=BEARER).json()
    record = client.get(f"{root}/{answer['id']}", headers=BEARER).json()["data"]
    assert record["action"] == "textGenerate"
    refused = client.post(root, json={"image": "https://example.com/a.png"}, headers=BEARER)
    assert (refused.status_code, refused.json()["message"]) == (400, "prompt is required")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/videos/lip-sync", {"input": {"mode": "text2video"}}),
        ("/v1/images/generations", {"prompt": "a", "aspect_ratio": "5:4"}),
        ("/v1/images/generations", {"prompt": "a", "n": 10}),
        (
            "/v1/videos/multi-image2video",
            {"prompt": "a", "image_list": [{"image": "data:image/png;base64,x"}]},
        ),
        ("/v1/videos/multi-elements/init-selection", {}),
        ("/v1/audio/tts", {"text": "hi", "voice_id": "v", "voice_language": "fr"}),
        ("/text-to-video/kling-3.0", {"settings": {}}),
        ("/text-to-video/kling-3.0", {"prompt": "a", "settings": {"duration": "5"}}),
        (
            "/image-to-video/kling-3.0",
            {"prompt": "a", "contents": [{"type": "prompt", "text": "a"}]},
        ),
    ],
)
def test_a_bad_order_is_refused(
    path: str, body: Any, sandbox: SandboxHandle, client: httpx.Client
) -> None:
    answer = client.post(path, json=body, headers=BEARER)
    assert (answer.status_code, answer.json()["code"]) == (400, 1201)
    assert sandbox.stats()["refused_by_reason"] == {"invalid": 1}
