"""Midjourney's commands beside imagine: what is refused, and what is sent, compared whole."""

from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import ValidationError

from generation.contract.call import Call
from generation.contract.operation import Order, Task
from generation.providers.midjourney import OPERATIONS
from tests.pictures import packed, png
from tests.unit.providers.midjourney_orders import (
    JOB,
    JPEG,
    JPEG_URI,
    PNG,
    PNG_URI,
    SUBMIT_KEYS,
    URL,
    built,
    operation,
)

# --- what is offered ----------------------------------------------------------------------------


def test_each_dialect_has_what_its_servers_have() -> None:
    offered: dict[str, set[str]] = {}
    for each in OPERATIONS:
        offered.setdefault(each.dialect, set()).add(each.name)
    assert offered["midjourney.proxy"] - offered["midjourney.station"] == {"retexture"}
    assert offered["midjourney.station"] == {
        "imagine",
        "blend",
        "describe",
        "shorten",
        "action",
        "change",
        "modal",
        "edits",
        "video",
        "upload",
        "seed",
        "swap_face",
    }


def test_what_is_followed_exists() -> None:
    names = {each.name for each in OPERATIONS}
    assert all(each.follows <= names for each in OPERATIONS)
    assert not any(each.needs_parent for each in OPERATIONS)  # an upstream id will do


@pytest.mark.parametrize("name", ["upload", "seed"])
def test_what_is_answered_at_once_leaves_no_task(name: str) -> None:
    ordered = operation(name)
    assert ordered.submit_timeout is not None
    assert ordered.batch_limit == 0
    assert ordered.build_find(Order(JOB)) is None
    assert ordered.build_cancel(Task("17")) is None


def test_a_task_that_was_there_before_is_not_searched_by_our_id() -> None:
    modal = operation("modal")
    assert modal.build_find(Order(JOB)) is None
    assert modal.build_cancel(Task("17")) is not None


# --- requests without a parent ------------------------------------------------------------------

EVERY = {"account_filter": {"instance_id": "i1"}, "bot_type": "NIJI_JOURNEY"}
WIRED = {"accountFilter": {"instanceId": "i1"}, "botType": "NIJI_JOURNEY"}


@pytest.mark.parametrize(
    ("name", "fields", "path", "sent"),
    [
        (
            "blend",
            {"images": [PNG, JPEG], "dimensions": "PORTRAIT", **EVERY},
            "/mj/submit/blend",
            {"base64Array": [PNG_URI, JPEG_URI], "dimensions": "PORTRAIT", **WIRED},
        ),
        ("blend", {"images": [URL, PNG]}, "/mj/submit/blend", {"base64Array": [URL, PNG_URI]}),
        (
            "describe",
            {"image": PNG, "language": "zh", **EVERY},
            "/mj/submit/describe",
            {"base64": PNG_URI, "language": "zh", **WIRED},
        ),
        ("describe", {"image": URL}, "/mj/submit/describe", {"link": URL}),
        (
            "shorten",
            {"prompt": "a long prompt", **EVERY},
            "/mj/submit/shorten",
            {"prompt": "a long prompt", **WIRED},
        ),
        (
            "edits",
            {"prompt": "in winter", "image": URL},
            "/mj/submit/edits",
            {"prompt": "in winter", "image": URL},
        ),
        (
            "retexture",
            {"prompt": "of moss", "image": JPEG},
            "/mj/submit/retexture",
            {"prompt": "of moss", "image": JPEG_URI},
        ),
        (
            "video",
            {
                "prompt": "slow pan",
                "image": URL,
                "end_image": PNG,
                "motion": "high",
                "loop": False,
                "video_type": "vid_1.1_i2v_720",
                "batch_size": 1,
            },
            "/mj/submit/video",
            {
                "prompt": "slow pan",
                "image": URL,
                "endImage": PNG_URI,
                "motion": "high",
                "loop": False,
                "videoType": "vid_1.1_i2v_720",
                "batchSize": 1,
            },
        ),
        (
            "swap_face",
            {"face": PNG, "target": URL},
            "/mj/insight-face/swap",
            {"sourceBase64": PNG_URI, "targetUrl": URL},
        ),
        (
            "modal",
            {"upstream_id": "17", "prompt": "a cat --zoom 1.5", "mask": PNG},
            "/mj/submit/modal",
            {"taskId": "17", "prompt": "a cat --zoom 1.5", "maskBase64": PNG_URI},
        ),
    ],
)
def test_a_submit_is_sent_whole(
    name: str, fields: Mapping[str, Any], path: str, sent: Mapping[str, Any]
) -> None:
    assert built(name, fields) == Call("POST", path, {**sent, **SUBMIT_KEYS})


def test_an_upload_makes_no_task_and_carries_no_name() -> None:
    assert built("upload", {"images": [PNG, JPEG]}) == Call(
        "POST", "/mj/submit/upload-discord-images", {"base64Array": [PNG_URI, JPEG_URI]}
    )


@pytest.mark.parametrize(
    ("name", "fields", "place"),
    [
        ("blend", {"images": [PNG]}, ("images",)),
        ("blend", {"images": [PNG] * 6}, ("images",)),
        ("blend", {"images": [PNG, "no image!", PNG]}, ("images", 1)),
        ("blend", {"images": [PNG, PNG], "dimensions": "16:9"}, ("dimensions",)),
        ("describe", {}, ("image",)),
        ("shorten", {"prompt": " "}, ("prompt",)),
        ("edits", {"prompt": "in winter"}, ("image",)),
        ("edits", {"image": PNG, "prompt": ""}, ("prompt",)),
        ("upload", {"images": []}, ("images",)),
        ("swap_face", {"face": PNG}, ("target",)),
        ("swap_face", {"face": PNG, "target": PNG_URI}, ("target",)),
        ("swap_face", {"face": packed(png(64, 64, 10 << 20)), "target": PNG}, ("face",)),
        ("video", {"image": URL}, ("prompt",)),
        ("video", {"prompt": "pan", "image": URL, "motion": "medium"}, ("motion",)),
        ("video", {"prompt": "pan", "image": URL, "batch_size": 3}, ("batch_size",)),
        ("video", {"prompt": "pan", "upstream_id": "17", "index": 4}, ("index",)),
        ("video", {"prompt": "pan", "image": URL, "upstream_id": "17"}, ("upstream_id",)),
        ("action", {}, ("custom_id",)),
        ("action", {"action": "U1", "custom_id": "MJ::JOB::x"}, ("custom_id",)),
        ("action", {"custom_id": "U1"}, ("custom_id",)),
        ("action", {"action": ""}, ("action",)),
        ("action", {"action": "U1", "mask": URL}, ("mask",)),
        ("action", {"action": "U1", "prompt": " "}, ("prompt",)),
        ("action", {"action": "U1", "customId": "MJ::x"}, ("customId",)),
        ("change", {"index": 1}, ("action",)),
        ("change", {"action": "ZOOM", "index": 1}, ("action",)),
        ("change", {"action": "UPSCALE"}, ("index",)),
        ("change", {"action": "variation", "index": 5}, ("index",)),
        ("modal", {"prompt": "a cat"}, ("upstream_id",)),
        ("seed", {"upstream_id": ""}, ("upstream_id",)),
        ("seed", {"account_filter": {}}, ("account_filter",)),
    ],
)
def test_what_cannot_work_is_refused_by_its_field(
    name: str, fields: Mapping[str, Any], place: tuple[str | int, ...]
) -> None:
    with pytest.raises(ValidationError) as caught:
        operation(name).request.model_validate(fields)
    assert [error["loc"] for error in caught.value.errors()] == [place]


def test_a_relay_takes_the_pictures_of_a_swap_by_content_only() -> None:
    relayed = operation("swap_face", "midjourney.station").request
    with pytest.raises(ValidationError, match="only the picture itself") as caught:
        relayed.model_validate({"face": PNG, "target": URL})
    assert [error["loc"] for error in caught.value.errors()] == [("target",)]
    sent = built("swap_face", {"face": PNG, "target": JPEG}, dialect="midjourney.station").json
    assert sent == {"sourceBase64": PNG_URI, "targetBase64": JPEG_URI, **SUBMIT_KEYS}
