"""
Luma: what may be ordered, what is sent for it, compared whole, and the rules of reading that are
better shown as tables.

What whole answers mean is in `tests/payloads/luma`.
"""

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from generation.contract.call import Call
from generation.contract.errors import (
    AccountBlocked,
    Fault,
    InDoubt,
    Rejected,
    Throttled,
    UnrecognizedReply,
)
from generation.contract.operation import Operation, Order, Parent, Task
from generation.contract.reply import Reply
from generation.contract.status import Asset, AssetType, Running, Succeeded
from generation.providers import RELAY_DIALECTS, find
from generation.providers.luma import OPERATIONS
from generation.providers.luma.failures import failure_of
from generation.providers.luma.relay import SPEECH as RELAY
from generation.stations.station import Dialect
from tests.pictures import JPEG, PNG

DREAM, AGENTS, RELAYED = "luma.dream_machine", "luma.agents", "luma.relay"
CALLBACK = "https://genq.test.invalid/callbacks/token"
FILE = "https://files.test.invalid/a"

CLEAN = Asset(type=AssetType.VIDEO, url="https://cdn.test.invalid/clean.mp4")
MARKED = Asset(type=AssetType.VIDEO, url="https://cdn.test.invalid/marked.mp4", role="watermarked")
COVER = Asset(type=AssetType.IMAGE, url="https://cdn.test.invalid/cover.jpg", role="cover")
PARENT = Parent("video", "gen-1", {}, {}, Succeeded((COVER, MARKED, CLEAN)))
PICTURE = Parent("image", "img-1", {}, {}, Succeeded((COVER,)))


def luma(name: str, dialect: str) -> Operation[Any]:
    operation = find("luma", name, dialect)
    assert operation is not None
    return operation


def sent(
    dialect: str,
    name: str,
    fields: dict[str, Any],
    parent: Parent | None = None,
    callback_url: str | None = None,
) -> Call:
    operation = luma(name, dialect)
    request = operation.request.model_validate(fields)
    return operation.build_submit(request, Order("job-1", callback_url, parent=parent))


def complaints(dialect: str, name: str, fields: dict[str, Any]) -> dict[str, str]:
    """Message by path of the field at fault; empty where the request is fine."""
    try:
        luma(name, dialect).request.model_validate(fields)
    except ValidationError as error:
        return {".".join(map(str, e["loc"])): e["msg"] for e in error.errors()}
    return {}


# --- what is sent -------------------------------------------------------------------------------

IMAGE_FRAME = {"type": "image", "url": FILE}
GENERATION_FRAME = {"type": "generation", "id": "gen-1"}
DREAM_DEFAULTS = {"model": "ray-2", "prompt": "a boat", "aspect_ratio": "16:9"}
AGENTS_VIDEO = {"type": "video", "model": "ray-3.2", "prompt": "a boat"}
AGENTS_IMAGE = {"type": "image", "model": "uni-1", "prompt": "a boat"}
RELAY_DEFAULTS = {"user_prompt": "a boat", "aspect_ratio": "16:9"}


@pytest.mark.parametrize(
    ("name", "fields", "path", "body"),
    [
        ("video", {"prompt": "a boat"}, "/generations/video", DREAM_DEFAULTS),
        (
            "video",
            {
                "prompt": "a boat",
                "model": "ray-flash-2",
                "aspect_ratio": "9:21",
                "duration": 9,
                "resolution": "4k",
                "loop": False,
                "concepts": [{"key": "dolly_zoom"}, {"key": "brand_new"}],
            },
            "/generations/video",
            {
                "prompt": "a boat",
                "model": "ray-flash-2",
                "aspect_ratio": "9:21",
                "duration": "9s",
                "resolution": "4k",
                "loop": False,
                "concepts": [{"key": "dolly_zoom"}, {"key": "brand_new"}],
            },
        ),
        (
            "video",
            {"prompt": "a boat", "image_url": FILE, "image_end_url": f"{FILE}2"},
            "/generations/video",
            DREAM_DEFAULTS
            | {"keyframes": {"frame0": IMAGE_FRAME, "frame1": IMAGE_FRAME | {"url": f"{FILE}2"}}},
        ),
        (
            "video",
            {"prompt": "a boat", "keyframes": {"frame1": GENERATION_FRAME}, "image_url": FILE},
            "/generations/video",
            DREAM_DEFAULTS | {"keyframes": {"frame0": IMAGE_FRAME, "frame1": GENERATION_FRAME}},
        ),
        (
            "extend",
            {"prompt": "a boat", "generation_id": "gen-1", "image_end_url": FILE},
            "/generations/video",
            DREAM_DEFAULTS | {"keyframes": {"frame0": GENERATION_FRAME, "frame1": IMAGE_FRAME}},
        ),
        (
            "reverse_extend",
            {"prompt": "a boat", "generation_id": "gen-1"},
            "/generations/video",
            DREAM_DEFAULTS | {"keyframes": {"frame1": GENERATION_FRAME}},
        ),
        (
            "interpolate",
            {"prompt": "a boat", "start_generation_id": "gen-0", "end_generation_id": "gen-1"},
            "/generations/video",
            DREAM_DEFAULTS
            | {"keyframes": {"frame0": {"type": "generation", "id": "gen-0"}}}
            | {
                "keyframes": {
                    "frame0": {"type": "generation", "id": "gen-0"},
                    "frame1": GENERATION_FRAME,
                }
            },
        ),
        (
            "image",
            {"prompt": "a boat"},
            "/generations/image",
            {"prompt": "a boat", "model": "photon-1", "aspect_ratio": "16:9", "format": "jpg"},
        ),
        (
            "image",
            {
                "prompt": "a boat",
                "model": "photon-flash-1",
                "format": "png",
                "image_ref": [{"url": FILE, "weight": 0.8}],
                "style_ref": [{"url": FILE}],
                "character_ref": {"identity0": {"images": [FILE, f"{FILE}2"]}},
                "modify_image_ref": {"url": FILE, "weight": 1},
            },
            "/generations/image",
            {
                "prompt": "a boat",
                "model": "photon-flash-1",
                "aspect_ratio": "16:9",
                "format": "png",
                "image_ref": [{"url": FILE, "weight": 0.8}],
                "style_ref": [{"url": FILE}],
                "character_ref": {"identity0": {"images": [FILE, f"{FILE}2"]}},
                "modify_image_ref": {"url": FILE, "weight": 1.0},
            },
        ),
        (
            "reframe_image",
            {"image_url": FILE, "aspect_ratio": "1:1", "x_start": 0, "x_end": 9, "prompt": ""},
            "/generations/image/reframe",
            {
                "generation_type": "reframe_image",
                "model": "photon-1",
                "media": {"url": FILE},
                "aspect_ratio": "1:1",
                "format": "jpg",
                "prompt": "",
                "x_start": 0,
                "x_end": 9,
            },
        ),
        (
            "reframe_video",
            {"video_url": FILE, "aspect_ratio": "1:1", "first_frame_url": f"{FILE}2"},
            "/generations/video/reframe",
            {
                "generation_type": "reframe_video",
                "model": "ray-2",
                "media": {"url": FILE},
                "aspect_ratio": "1:1",
                "first_frame": {"url": f"{FILE}2"},
            },
        ),
        (
            "modify_video",
            {"video_url": FILE, "mode": "reimagine_3"},
            "/generations/video/modify",
            {
                "generation_type": "modify_video",
                "model": "ray-2",
                "mode": "reimagine_3",
                "media": {"url": FILE},
            },
        ),
        (
            "upscale",
            {"generation_id": "gen-1", "resolution": "4k"},
            "/generations/gen-1/upscale",
            {"generation_type": "upscale_video", "resolution": "4k"},
        ),
        (
            "audio",
            {"generation_id": "gen-1", "prompt": "rain", "negative_prompt": "voices"},
            "/generations/gen-1/audio",
            {"generation_type": "add_audio", "prompt": "rain", "negative_prompt": "voices"},
        ),
    ],
)
def test_what_dream_machine_is_sent(
    name: str, fields: dict[str, Any], path: str, body: dict[str, Any]
) -> None:
    assert sent(DREAM, name, fields) == Call("POST", path, body)
    called_back = {**body, "callback_url": CALLBACK}
    assert sent(DREAM, name, fields, callback_url=CALLBACK) == Call("POST", path, called_back)


@pytest.mark.parametrize(
    ("name", "fields", "body"),
    [
        ("video", {"prompt": "a boat"}, AGENTS_VIDEO),
        (
            "video",
            {
                "prompt": "a boat",
                "aspect_ratio": "2:1",
                "duration": "10",
                "resolution": "1080p",
                "hdr": True,
                "exr_export": True,
                "user_id": "u-1",
                "image_url": JPEG,
                "image_end_url": FILE,
            },
            AGENTS_VIDEO
            | {
                "aspect_ratio": "2:1",
                "user_id": "u-1",
                "video": {
                    "duration": "10s",
                    "resolution": "1080p",
                    "hdr": True,
                    "exr_export": True,
                    "start_frame": {"data": JPEG, "media_type": "image/jpeg"},
                    "end_frame": {"url": FILE},
                },
            },
        ),
        (
            "extend",
            {"prompt": "a boat", "generation_id": "gen-1", "loop": True},
            AGENTS_VIDEO | {"video": {"start_frame": {"generation_id": "gen-1"}, "loop": True}},
        ),
        (
            "reverse_extend",
            {"prompt": "a boat", "generation_id": "gen-1", "image_url": FILE},
            AGENTS_VIDEO
            | {"video": {"start_frame": {"url": FILE}, "end_frame": {"generation_id": "gen-1"}}},
        ),
        (
            "interpolate",
            {"prompt": "a boat", "image_url": FILE, "end_generation_id": "gen-1"},
            AGENTS_VIDEO
            | {"video": {"start_frame": {"url": FILE}, "end_frame": {"generation_id": "gen-1"}}},
        ),
        ("image", {"prompt": "a boat"}, AGENTS_IMAGE),
        (
            "image",
            {
                "prompt": "a boat",
                "model": "uni-1-max",
                "aspect_ratio": "1:3",
                "image_ref": [{"url": f"data:image/png;base64,{PNG}"}, {"generation_id": "img-1"}],
                "output_format": "jpeg",
                "style": "manga",
                "web_search": True,
            },
            AGENTS_IMAGE
            | {
                "model": "uni-1-max",
                "aspect_ratio": "1:3",
                "image_ref": [
                    {"data": PNG, "media_type": "image/png"},
                    {"generation_id": "img-1"},
                ],
                "output_format": "jpeg",
                "style": "manga",
                "web_search": True,
            },
        ),
        (
            "image_edit",
            {"prompt": "a boat", "generation_id": "img-1"},
            AGENTS_IMAGE | {"type": "image_edit", "source": {"generation_id": "img-1"}},
        ),
        (
            "image_edit",
            {"prompt": "a boat", "image_url": PNG, "image_ref": [{"url": FILE}]},
            AGENTS_IMAGE
            | {
                "type": "image_edit",
                "source": {"data": PNG, "media_type": "image/png"},
                "image_ref": [{"url": FILE}],
            },
        ),
        (
            "modify_video",
            {
                "prompt": "a boat",
                "video_url": f"{FILE}.mov?x=1",
                "mode": "adhere_1",
                "auto_controls": False,
                "controls": {"depth": {"blur": 0.5, "enabled": True}, "pose": {"enabled": False}},
                "keyframes": [FILE, PNG],
                "keyframe_indexes": [0, 24],
            },
            AGENTS_VIDEO
            | {
                "type": "video_edit",
                "source": {"url": f"{FILE}.mov?x=1", "media_type": "video/quicktime"},
                "video": {
                    "edit": {
                        "strength": "adhere_1",
                        "auto_controls": False,
                        "controls": {
                            "depth": {"blur": 0.5, "enabled": True},
                            "pose": {"enabled": False},
                        },
                        "keyframes": [{"url": FILE}, {"data": PNG, "media_type": "image/png"}],
                        "keyframe_indexes": [0, 24],
                    }
                },
            },
        ),
        (
            "reframe_video",
            {
                "prompt": "a boat",
                "video_url": FILE,
                "media_type": "video/webm",
                "aspect_ratio": "9:16",
                "source_position": {"x_norm": 0, "y_norm": 0.25, "w_norm": 1, "h_norm": 0.5},
            },
            AGENTS_VIDEO
            | {
                "type": "video_reframe",
                "aspect_ratio": "9:16",
                "source": {"url": FILE, "media_type": "video/webm"},
                "video": {
                    "source_position": {"x_norm": 0.0, "y_norm": 0.25, "w_norm": 1.0, "h_norm": 0.5}
                },
            },
        ),
    ],
)
def test_what_the_agents_api_is_sent(
    name: str, fields: dict[str, Any], body: dict[str, Any]
) -> None:
    call = Call("POST", "/generations", body)
    assert sent(AGENTS, name, fields) == call
    assert sent(AGENTS, name, fields, callback_url=CALLBACK) == call, "it calls nobody back"


@pytest.mark.parametrize(
    ("name", "fields", "path", "body"),
    [
        ("video", {"prompt": "a boat"}, "/generations", RELAY_DEFAULTS),
        (
            "video",
            {
                "prompt": "a boat",
                "aspect_ratio": "9:16",
                "expand_prompt": False,
                "image_url": PNG,
                "image_end_url": FILE,
                "loop": True,
                "model": "ray-v2",
                "duration": 5,
                "resolution": "720p",
            },
            "/generations",
            {
                "user_prompt": "a boat",
                "aspect_ratio": "9:16",
                "expand_prompt": False,
                "image_url": f"data:image/png;base64,{PNG}",
                "image_end_url": FILE,
                "loop": True,
                "model_name": "ray-v2",
                "duration": "5s",
                "resolution": "720p",
            },
        ),
        (
            "extend",
            {"prompt": "a boat", "generation_id": "gen-1"},
            "/generations/gen-1/extend",
            RELAY_DEFAULTS,
        ),
    ],
)
def test_what_a_relay_is_sent(
    name: str, fields: dict[str, Any], path: str, body: dict[str, Any]
) -> None:
    assert sent(RELAYED, name, fields) == Call("POST", path, body)
    called_back = {**body, "notify_hook": CALLBACK}
    assert sent(RELAYED, name, fields, callback_url=CALLBACK) == Call("POST", path, called_back)


def test_empty_lists_are_not_sent() -> None:
    assert sent(DREAM, "video", {"prompt": "boat", "concepts": []}).json == {
        **DREAM_DEFAULTS,
        "prompt": "boat",
    }
    fields: dict[str, Any] = {"prompt": "a boat", "image_ref": []}
    assert sent(AGENTS, "image", fields).json == AGENTS_IMAGE
    assert sent(DREAM, "image", fields) == sent(DREAM, "image", {"prompt": "a boat"})


def test_a_download_is_a_question() -> None:
    call = Call("GET", "/generations/gen-1/download_video_url")
    assert sent(RELAYED, "download", {"generation_id": "gen-1"}, callback_url=CALLBACK) == call
    assert sent(RELAYED, "download", {}, PARENT) == call


@pytest.mark.parametrize(
    ("dialect", "path"),
    [
        (DREAM, "/dream-machine/v1/generations/gen-1"),
        (AGENTS, "/v1/generations/gen-1"),
        (RELAYED, "/luma/generations/gen-1"),
    ],
)
def test_a_task_is_looked_at_under_the_dialects_usual_prefix(dialect: str, path: str) -> None:
    operation = luma("video", dialect)
    call = operation.build_query(Task("gen-1"))
    assert call == Call("GET", "/generations/gen-1")
    assert Dialect(dialect=dialect).path(call.path, submit=False) == path
    assert operation.build_find(Order("job-1")) is None
    assert operation.build_cancel(Task("gen-1")) is None


class TestFind:
    """A lost generation is known by the address it is to call back, which the vendor lists."""

    order = Order("job-1", CALLBACK)

    def parsed(self, body: str, status: int = 200) -> object:
        return luma("video", DREAM).parse_find(Reply(status, body.encode()), self.order)

    def test_only_the_vendors_first_api_lists(self) -> None:
        call = Call("GET", "/generations", params={"limit": "100", "offset": "0"})
        assert luma("video", DREAM).build_find(self.order) == call
        assert luma("video", AGENTS).build_find(self.order) is None
        assert luma("video", RELAYED).build_find(self.order) is None

    @pytest.mark.parametrize("body", ["[{}]", '{{"generations": [{}], "count": 3}}'])
    def test_it_is_found_by_its_address(self, body: str) -> None:
        other = {"id": "gen-1", "state": "dreaming", "request": {"callback_url": f"{CALLBACK}2"}}
        nameless = {"id": "gen-2", "state": "completed"}
        ours = {"id": "gen-3", "state": "dreaming", "request": {"callback_url": CALLBACK}}
        entries = ", ".join(map(json.dumps, (other, nameless, ours)))
        assert self.parsed(body.format(entries)) == "gen-3"

    @pytest.mark.parametrize(
        ("status", "body"),
        [
            (200, "[]"),
            (200, '{"generations": [{"id": "gen-1", "state": "queued"}]}'),
            (200, '{"id": "gen-1", "state": "queued"}'),
            (404, '{"detail": "Not Found"}'),
            (200, "<html>"),
        ],
    )
    def test_silence_proves_nothing(self, status: int, body: str) -> None:
        with pytest.raises(InDoubt) as caught:
            self.parsed(body, status)
        assert caught.value.upstream_status is None

    @pytest.mark.parametrize(
        ("status", "body", "fault"),
        [
            (429, '{"detail": "Rate limit exceeded"}', Throttled),
            (401, '{"detail": "Invalid API key is provided"}', AccountBlocked),
        ],
    )
    def test_trouble_keeps_its_name(self, status: int, body: str, fault: type[Fault]) -> None:
        with pytest.raises(fault):
            self.parsed(body, status)


def test_only_a_relay_is_asked_about_many_at_once() -> None:
    relay = luma("video", RELAYED)
    assert relay.build_batch_query(["a", "b"]) == Call("POST", "/tasks", {"ids": ["a", "b"]})
    assert relay.batch_limit == RELAY.batch_limit == 50
    for dialect in (DREAM, AGENTS):
        operation = luma("video", dialect)
        assert operation.batch_limit == 0
        assert operation.build_batch_query(["a"]) is None
        with pytest.raises(UnrecognizedReply):
            operation.parse_batch_query(Reply(200, b"[]"))


def test_an_id_cannot_leave_its_path() -> None:
    call = luma("video", DREAM).build_query(Task("../credits?x=1#y z"))
    assert call.path == "/generations/..%2Fcredits%3Fx%3D1%23y%20z"
    assert set(complaints(DREAM, "upscale", {"generation_id": ".."})) == {"generation_id"}
    assert set(complaints(DREAM, "upscale", {"generation_id": "a/b"})) == {"generation_id"}


def test_one_station_for_everything_speaks_the_relays_luma() -> None:
    assert RELAY_DIALECTS["luma"] == RELAYED


# --- what is followed ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dialect", "name", "fields", "told"),
    [
        (DREAM, "extend", {}, {"keyframes": {"frame0": GENERATION_FRAME}}),
        (DREAM, "reverse_extend", {}, {"keyframes": {"frame1": GENERATION_FRAME}}),
        (
            DREAM,
            "interpolate",
            {"image_end_url": FILE},
            {"keyframes": {"frame0": GENERATION_FRAME, "frame1": IMAGE_FRAME}},
        ),
        (
            DREAM,
            "interpolate",
            {"image_url": FILE},
            {"keyframes": {"frame0": IMAGE_FRAME, "frame1": GENERATION_FRAME}},
        ),
        (DREAM, "modify_video", {"mode": "flex_1"}, {"media": {"url": CLEAN.url}}),
        (DREAM, "reframe_video", {"aspect_ratio": "1:1"}, {"media": {"url": CLEAN.url}}),
        (DREAM, "reframe_image", {"aspect_ratio": "1:1"}, {"media": {"url": COVER.url}}),
        (AGENTS, "extend", {}, {"video": {"start_frame": {"generation_id": "gen-1"}}}),
        (AGENTS, "reverse_extend", {}, {"video": {"end_frame": {"generation_id": "gen-1"}}}),
        (AGENTS, "modify_video", {}, {"source": {"generation_id": "gen-1"}}),
        (AGENTS, "image_edit", {}, {"source": {"generation_id": "gen-1"}}),
    ],
)
def test_a_parent_fills_what_is_followed(
    dialect: str, name: str, fields: dict[str, Any], told: dict[str, Any]
) -> None:
    prompt = {} if name.startswith(("reframe", "modify")) else {"prompt": "a boat"}
    if dialect == AGENTS:
        prompt = {"prompt": "a boat"}
    body = sent(dialect, name, prompt | fields, PARENT).json
    assert body is not None
    assert {key: body[key] for key in told} == told


@pytest.mark.parametrize(
    ("dialect", "name", "path"),
    [
        (DREAM, "upscale", "/generations/gen-1/upscale"),
        (DREAM, "audio", "/generations/gen-1/audio"),
        (RELAYED, "extend", "/generations/gen-1/extend"),
    ],
)
def test_a_parent_fills_the_path(dialect: str, name: str, path: str) -> None:
    fields = {"prompt": "a boat"} if name == "extend" else {}
    assert sent(dialect, name, fields, PARENT).path == path


@pytest.mark.parametrize(
    ("dialect", "name", "fields", "parent", "words"),
    [
        (DREAM, "extend", {"prompt": "boat"}, None, "generation_id"),
        (DREAM, "upscale", {}, None, "generation_id"),
        (DREAM, "upscale", {"generation_id": "gen-2"}, PARENT, "give only one"),
        (DREAM, "modify_video", {"mode": "flex_1"}, None, "video_url"),
        (DREAM, "modify_video", {"mode": "flex_1", "video_url": FILE}, PARENT, "give only one"),
        (DREAM, "modify_video", {"mode": "flex_1"}, PICTURE, "has no video"),
        (DREAM, "interpolate", {"prompt": "boat"}, None, "needs a beginning"),
        (DREAM, "interpolate", {"prompt": "boat"}, PARENT, "needs an end"),
        (
            DREAM,
            "interpolate",
            {"prompt": "boat", "start_generation_id": "a", "end_generation_id": "b"},
            PARENT,
            "both ends are given",
        ),
        (AGENTS, "image_edit", {"prompt": "boat"}, None, "image_url or generation_id"),
        (AGENTS, "modify_video", {"prompt": "boat"}, None, "video_url or generation_id"),
        (
            AGENTS,
            "modify_video",
            {"prompt": "boat", "video_url": FILE},
            PARENT,
            "give only one",
        ),
        (RELAYED, "extend", {"prompt": "boat"}, None, "generation_id"),
        (RELAYED, "download", {}, None, "generation_id"),
    ],
)
def test_nothing_to_follow_is_refused_in_words(
    dialect: str, name: str, fields: dict[str, Any], parent: Parent | None, words: str
) -> None:
    with pytest.raises(Rejected, match=words):
        sent(dialect, name, fields, parent)


def test_a_parent_that_is_named_twice_is_one() -> None:
    call = sent(DREAM, "upscale", {"generation_id": "gen-1"}, PARENT)
    assert call.path == "/generations/gen-1/upscale"


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda o: f"{o.dialect}:{o.name}")
def test_an_operation_follows_only_what_its_dialect_has(operation: Operation[Any]) -> None:
    own = {other.name for other in OPERATIONS if other.dialect == operation.dialect}
    assert operation.follows <= own
    assert bool(operation.follows) == (operation.name not in ("video", "image"))


# --- what may be asked --------------------------------------------------------------------------


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda o: f"{o.dialect}:{o.name}")
def test_the_example_is_stored_and_read_again_as_it_is(operation: Operation[Any]) -> None:
    request = operation.request.model_validate(operation.example)
    stored = json.loads(json.dumps(request.model_dump(mode="json", exclude_unset=True)))
    assert operation.request.model_validate(stored) == request
    assert operation.request.model_json_schema()["additionalProperties"] is False


@pytest.mark.parametrize(
    ("dialect", "name", "fields"),
    [
        (DREAM, "video", {"prompt": "boat", "model": "ray-9", "duration": 30, "resolution": "8k"}),
        (DREAM, "video", {"prompt": "boat", "model": "ray-9", "aspect_ratio": "5:1"}),
        (DREAM, "video", {"prompt": "boat", "model": "ray-1-6", "loop": True}),
        (DREAM, "image", {"prompt": "boat", "model": "photon-9", "aspect_ratio": "5:1"}),
        (AGENTS, "video", {"prompt": "boat", "model": "ray-9", "duration": 30}),
        (AGENTS, "video", {"prompt": "boat", "loop": True, "duration": 5}),
        (AGENTS, "image", {"prompt": "boat", "model": "uni-9", "style": "cubist"}),
        (RELAYED, "video", {"prompt": "海", "model": "ray-9", "aspect_ratio": "5:1"}),
    ],
)
def test_unknown_values_go_upstream(dialect: str, name: str, fields: dict[str, Any]) -> None:
    assert complaints(dialect, name, fields) == {}


@pytest.mark.parametrize(
    ("dialect", "name", "fields", "at_fault"),
    [
        (DREAM, "video", {}, {"prompt"}),
        (DREAM, "video", {"prompt": "ab"}, {"prompt"}),
        (DREAM, "video", {"prompt": "    "}, {"prompt"}),
        (DREAM, "video", {"prompt": "boat", "user_prompt": "x"}, {"user_prompt"}),
        (DREAM, "video", {"prompt": "boat", "callback_url": CALLBACK}, {"callback_url"}),
        (DREAM, "video", {"prompt": "boat", "aspect_ratio": "wide"}, {"aspect_ratio"}),
        (DREAM, "video", {"prompt": "boat", "aspect_ratio": "3:2"}, {"aspect_ratio"}),
        (DREAM, "video", {"prompt": "boat", "duration": "7s"}, {"duration"}),
        (DREAM, "video", {"prompt": "boat", "duration": True}, {"duration"}),
        (DREAM, "video", {"prompt": "boat", "resolution": "8k"}, {"resolution"}),
        (DREAM, "video", {"prompt": "boat", "concepts": ["pov"]}, {"concepts.0"}),
        (
            DREAM,
            "video",
            {"prompt": "boat", "model": "ray-1-6", "concepts": [{"key": "pov"}]}
            | {"duration": "5s", "resolution": "720p"},
            {"concepts", "duration", "resolution"},
        ),
        (DREAM, "video", {"prompt": "boat", "image_url": PNG}, {"image_url"}),
        (DREAM, "video", {"prompt": "boat", "image_url": "http://a.test.invalid"}, {"image_url"}),
        (DREAM, "video", {"prompt": "boat", "image_end_url": "https://a b"}, {"image_end_url"}),
        (DREAM, "video", {"prompt": "boat", "keyframes": {}}, {"keyframes"}),
        (
            DREAM,
            "video",
            {"prompt": "boat", "image_url": FILE, "keyframes": {"frame0": IMAGE_FRAME}},
            {"image_url"},
        ),
        (
            DREAM,
            "video",
            {"prompt": "boat", "image_end_url": FILE, "keyframes": {"frame1": IMAGE_FRAME}},
            {"image_end_url"},
        ),
        (
            DREAM,
            "video",
            {"prompt": "boat", "keyframes": {"frame0": {"type": "image", "id": "x"}}},
            {"keyframes.frame0.image.url", "keyframes.frame0.image.id"},
        ),
        (
            DREAM,
            "interpolate",
            {"prompt": "boat", "start_generation_id": "a", "image_url": FILE},
            {"image_url"},
        ),
        (
            DREAM,
            "interpolate",
            {"prompt": "boat", "end_generation_id": "a", "image_end_url": FILE},
            {"image_end_url"},
        ),
        (
            DREAM,
            "interpolate",
            {"prompt": "boat", "image_url": FILE, "image_end_url": FILE},
            {"image_end_url"},
        ),
        (DREAM, "image", {"prompt": "boat", "sync": True}, {"sync"}),
        (DREAM, "image", {"prompt": "boat", "format": "gif"}, {"format"}),
        (DREAM, "image", {"prompt": "boat", "image_ref": [{"url": FILE}] * 5}, {"image_ref"}),
        (
            DREAM,
            "image",
            {"prompt": "boat", "image_ref": [{"url": FILE, "weight": 1.1}]},
            {"image_ref.0.weight"},
        ),
        (
            DREAM,
            "image",
            {"prompt": "boat", "character_ref": {"identity0": {"images": [FILE] * 5}}},
            {"character_ref.identity0.images"},
        ),
        (
            DREAM,
            "image",
            {"prompt": "boat", "character_ref": {"identity0": {"images": []}}},
            {"character_ref.identity0.images"},
        ),
        (DREAM, "reframe_image", {"image_url": FILE}, {"aspect_ratio"}),
        (DREAM, "reframe_video", {"aspect_ratio": "3:2"}, {"aspect_ratio"}),
        (DREAM, "reframe_video", {"aspect_ratio": "1:1", "y_start": -1}, {"y_start"}),
        (DREAM, "reframe_video", {"aspect_ratio": "1:1", "x_start": 5, "x_end": 5}, {"x_end"}),
        (DREAM, "modify_video", {"video_url": FILE}, {"mode"}),
        (DREAM, "modify_video", {"video_url": FILE, "mode": "flex_4"}, {"mode"}),
        (AGENTS, "video", {"prompt": "boat", "duration": 9}, {"duration"}),
        (AGENTS, "video", {"prompt": "boat", "resolution": "4k"}, {"resolution"}),
        (AGENTS, "video", {"prompt": "boat", "aspect_ratio": "9:21"}, {"aspect_ratio"}),
        (AGENTS, "video", {"prompt": "boat", "loop": True, "duration": 10}, {"loop"}),
        (AGENTS, "video", {"prompt": "boat", "loop": True, "hdr": True}, {"loop"}),
        (AGENTS, "video", {"prompt": "boat", "exr_export": True}, {"exr_export"}),
        (AGENTS, "video", {"prompt": "boat", "image_url": "!!"}, {"image_url"}),
        (AGENTS, "image", {"prompt": "boat", "image_ref": [{"url": FILE}] * 10}, {"image_ref"}),
        (
            AGENTS,
            "image",
            {"prompt": "boat", "image_ref": [{"url": FILE, "generation_id": "a"}]},
            {"image_ref.0"},
        ),
        (AGENTS, "image", {"prompt": "boat", "style": "cubist"}, {"style"}),
        (
            AGENTS,
            "image_edit",
            {"prompt": "boat", "image_ref": [{"url": FILE}] * 9},
            {"image_ref"},
        ),
        (
            AGENTS,
            "image_edit",
            {"prompt": "boat", "image_url": FILE, "generation_id": "a"},
            {"generation_id"},
        ),
        (
            AGENTS,
            "modify_video",
            {"prompt": "boat", "video_url": FILE, "generation_id": "a"},
            {"generation_id"},
        ),
        (AGENTS, "modify_video", {"prompt": "boat", "media_type": "video/mp4"}, {"media_type"}),
        (AGENTS, "modify_video", {"prompt": "boat", "keyframes": [FILE] * 65}, {"keyframes"}),
        (AGENTS, "reframe_video", {"prompt": "boat", "video_url": FILE}, {"aspect_ratio"}),
        (RELAYED, "video", {"prompt": ""}, {"prompt"}),
        (RELAYED, "video", {"prompt": "boat", "keyframes": {}}, {"keyframes"}),
        (RELAYED, "video", {"prompt": "boat", "image_url": "ftp://a"}, {"image_url"}),
        (RELAYED, "extend", {"prompt": "boat", "image_url": FILE}, {"image_url"}),
    ],
)
def test_what_may_not_be_asked_names_the_field(
    dialect: str, name: str, fields: dict[str, Any], at_fault: set[str]
) -> None:
    assert set(complaints(dialect, name, fields)) == at_fault


def test_the_message_says_what_to_change() -> None:
    fields = {"prompt": "boat", "model": "ray-1-6", "duration": "5s", "aspect_ratio": "3:2"}
    assert complaints(DREAM, "video", fields) == {
        "aspect_ratio": "ray-1-6 takes 1:1, 16:9, 9:16, 4:3, 3:4, 21:9 or 9:21",
        "duration": "ray-1-6 takes none: leave it out",
    }


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (PNG, f"data:image/png;base64,{PNG}"),
        (f" {PNG[:8]}\n{PNG[8:]} ", f"data:image/png;base64,{PNG}"),
        (JPEG, f"data:image/jpeg;base64,{JPEG}"),
        (f"data:image/WEBP;base64,{PNG}", f"data:image/png;base64,{PNG}"),
        (f"HTTPS{FILE[5:]}", FILE),
        (f" {FILE} ", FILE),
    ],
)
def test_a_picture_is_an_address_or_a_data_uri(given: str, kept: str) -> None:
    body = sent(RELAYED, "video", {"prompt": "boat", "image_url": given}).json
    assert body is not None
    assert body["image_url"] == kept


# --- what is read -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "word", ["Moderation", "SAFETY", "policy", "nsfw", "inappropriate", "prohibited"]
)
def test_moderation_is_told_by_its_words(word: str) -> None:
    assert failure_of(f"refused: {word}!").code == "moderated"


def test_a_reason_packed_in_json_is_unfolded_and_cut() -> None:
    packed = json.dumps({"detail": {"reason": "x" * 10_000, "code": 1}})
    assert failure_of(packed).message == "x" * 500


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"retry-after-ms": "250", "retry-after": "9"}, timedelta(milliseconds=250)),
        ({"retry-after-ms": "soon", "retry-after": "9"}, timedelta(seconds=9)),
        ({"retry-after-ms": "1e300"}, timedelta(days=1)),
        ({"retry-after-ms": "-5"}, None),
        ({}, None),
    ],
)
def test_the_finer_patience_goes_first(headers: dict[str, str], wait: timedelta | None) -> None:
    with pytest.raises(Fault) as raised:
        luma("video", DREAM).parse_submit(Reply(429, b'{"detail":"slow down"}', headers))
    assert raised.value.retry_after == wait


def test_the_echoed_request_is_not_kept() -> None:
    """It holds the address of our callback, which nobody else may know."""
    body = {
        "id": "gen-1",
        "state": "completed",
        "assets": {"video": FILE},
        "request": {"callback_url": CALLBACK},
    }
    status = luma("video", DREAM).parse_query(Reply(200, json.dumps(body).encode()))
    assert CALLBACK not in repr(status)
    assert isinstance(status, Succeeded)


def test_an_endless_status_word_is_cut() -> None:
    body = json.dumps({"id": "gen-1", "state": "x" * 1000}).encode()
    assert luma("video", DREAM).parse_query(Reply(200, body)) == Running(unknown_word="x" * 60)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda o: f"{o.dialect}:{o.name}")
def test_the_pace_fits_itself(operation: Operation[Any]) -> None:
    pace = operation.pace
    durations = pace.durations
    assert durations.early < durations.typical < durations.late < pace.deadline
    assert timedelta(seconds=2) <= pace.floor <= timedelta(seconds=3)
    assert pace.deadline >= timedelta(minutes=15)


# --- what is written about it -------------------------------------------------------------------

MANUAL = Path(__file__).parents[3] / "docs" / "providers" / "luma.md"


def documented_fields(operation: Operation[Any]) -> list[str]:
    """The first column of the operation's table in the manual."""
    heading = f"### {operation.name} in {operation.dialect}\n"
    section = MANUAL.read_text(encoding="utf-8").partition(heading)[2].partition("\n## ")[0]
    return re.findall(r"^\| `(\w+)` \|", section.partition("\n### ")[0], re.MULTILINE)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda o: f"{o.dialect}:{o.name}")
def test_the_manual_has_every_field_of_every_operation(operation: Operation[Any]) -> None:
    assert documented_fields(operation) == list(operation.request.model_fields)
