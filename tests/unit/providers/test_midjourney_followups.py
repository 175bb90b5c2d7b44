"""Midjourney's follow-ups: buttons, what their windows are told, changes, seeds, longer videos."""

from collections.abc import Mapping
from typing import Any

import pytest

from generation.contract.call import Call
from generation.contract.errors import ErrorCode, Rejected
from generation.contract.operation import Parent, Task
from generation.contract.status import Accepted, Action, Asset, AssetType, AwaitingInput
from generation.providers.midjourney import OPERATIONS
from generation.providers.midjourney.followups import ActionRequest, WindowInput
from generation.providers.midjourney.operations import ActionOperation
from tests.unit.providers.midjourney_orders import (
    PNG,
    PNG_URI,
    SUBMIT_KEYS,
    URL,
    body,
    built,
    operation,
    parent,
    reply,
)

U = "u-1"
GRID = tuple(
    Action(label, custom_id)
    for label, custom_id in (
        *((f"U{n}", f"MJ::JOB::upsample::{n}::{U}") for n in range(1, 5)),
        ("🔄", f"MJ::JOB::reroll::0::{U}::SOLO"),
        *((f"V{n}", f"MJ::JOB::variation::{n}::{U}") for n in range(1, 5)),
    )
)
UPSCALED = (
    Action("Upscale (Subtle)", f"MJ::JOB::upsample_v7_2x_subtle::1::{U}::SOLO"),
    Action("Vary (Strong)", f"MJ::JOB::high_variation::1::{U}::SOLO"),
    Action("Vary (Region)", f"MJ::Inpaint::1::{U}::SOLO"),
    Action("Zoom Out 2x", f"MJ::Outpaint::50::1::{U}::SOLO"),
    Action("Zoom Out 1.5x", f"MJ::Outpaint::75::1::{U}::SOLO"),
    Action("Custom Zoom", f"MJ::CustomZoom::{U}"),
    Action("⬅️", f"MJ::JOB::pan_left::1::{U}::SOLO"),
    Action("⬆️", f"MJ::JOB::pan_up::1::{U}::SOLO"),
    Action("Animate (High motion)", f"MJ::JOB::animate_high::1::{U}::SOLO"),
    Action("❤️", "MJ::BOOKMARK::17"),
    Action(f"MJ::JOB::animate_low::1::{U}::SOLO", f"MJ::JOB::animate_low::1::{U}::SOLO"),
)
DESCRIBED = (
    Action("1️⃣", "MJ::Job::PicReader::1"),
    Action("2️⃣", "MJ::Job::PicReader::2"),
    Action("🔄", "MJ::Picread::Retry"),
    Action("🎉 Imagine all", "MJ::Job::PicReader::all"),
)


# --- buttons ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("buttons", "name", "custom_id"),
    [
        (GRID, "U1", f"MJ::JOB::upsample::1::{U}"),
        (GRID, "u4", f"MJ::JOB::upsample::4::{U}"),
        (GRID, " V2 ", f"MJ::JOB::variation::2::{U}"),
        (GRID, "🔄", f"MJ::JOB::reroll::0::{U}::SOLO"),
        (GRID, "reroll", f"MJ::JOB::reroll::0::{U}::SOLO"),
        (GRID, f"MJ::JOB::upsample::3::{U}", f"MJ::JOB::upsample::3::{U}"),
        (GRID, "MJ::JOB::another::1::id", "MJ::JOB::another::1::id"),
        (UPSCALED, "Vary (Strong)", f"MJ::JOB::high_variation::1::{U}::SOLO"),
        (UPSCALED, "vary_strong", f"MJ::JOB::high_variation::1::{U}::SOLO"),
        (UPSCALED, "Vary Region", f"MJ::Inpaint::1::{U}::SOLO"),
        (UPSCALED, "inpaint", f"MJ::Inpaint::1::{U}::SOLO"),
        (UPSCALED, "zoom_out_2x", f"MJ::Outpaint::50::1::{U}::SOLO"),
        (UPSCALED, "zoom out 1.5x", f"MJ::Outpaint::75::1::{U}::SOLO"),
        (UPSCALED, "custom_zoom", f"MJ::CustomZoom::{U}"),
        (UPSCALED, "upscale_2x", f"MJ::JOB::upsample_v7_2x_subtle::1::{U}::SOLO"),
        (UPSCALED, "pan_left", f"MJ::JOB::pan_left::1::{U}::SOLO"),
        (UPSCALED, "⬅", f"MJ::JOB::pan_left::1::{U}::SOLO"),
        (UPSCALED, "⬆️", f"MJ::JOB::pan_up::1::{U}::SOLO"),
        (UPSCALED, "animate_high", f"MJ::JOB::animate_high::1::{U}::SOLO"),
        (UPSCALED, "animate_low", f"MJ::JOB::animate_low::1::{U}::SOLO"),
        (UPSCALED, "favorite", "MJ::BOOKMARK::17"),
        (DESCRIBED, "1", "MJ::Job::PicReader::1"),
        (DESCRIBED, "imagine_2", "MJ::Job::PicReader::2"),
        (DESCRIBED, "reroll", "MJ::Picread::Retry"),
        (
            (Action("Eins", "MJ::JOB::video_virtual_upscale::1::u"),),
            "U1",
            "MJ::JOB::video_virtual_upscale::1::u",
        ),
    ],
)
def test_a_button_is_found_by_its_label_its_alias_or_its_id(
    buttons: tuple[Action, ...], name: str, custom_id: str
) -> None:
    assert body("action", {"action": name}, parent(*buttons)) == {
        "taskId": "17",
        "customId": custom_id,
    }


def test_a_button_is_pressed_without_a_parent_by_its_id() -> None:
    fields = {
        "custom_id": "MJ::JOB::variation::1::u",
        "upstream_id": "18",
        "choose_same_channel": True,
        "enable_remix": False,
        "strong": True,
        "account_filter": {"instance_id": "i1"},
    }
    assert body("action", fields) == {
        "taskId": "18",
        "customId": "MJ::JOB::variation::1::u",
        "chooseSameChannel": True,
        "enableRemix": False,
        "strong": True,
        "accountFilter": {"instanceId": "i1"},
    }


@pytest.mark.parametrize(
    ("fields", "remix"),
    [
        ({"action": "V1", "prompt": "a dog"}, True),
        ({"action": "V1", "prompt": "a dog", "enable_remix": False}, False),
        ({"action": "reroll", "prompt": "a dog"}, True),
        ({"action": "V1"}, None),
    ],
)
def test_a_prompt_asks_for_the_window_it_is_for(fields: Mapping[str, Any], remix: object) -> None:
    sent = body("action", fields, parent(*GRID))
    assert sent.get("enableRemix") == remix
    assert "prompt" not in sent


@pytest.mark.parametrize(
    ("fields", "followed", "complaint"),
    [
        (
            {"action": "Pan"},
            parent(*GRID),
            r"no button 'Pan'; it has U1, U2, U3, U4, 🔄 \(reroll\), V1",
        ),
        ({"action": "zoom"}, parent(*DESCRIBED), r"it has 1️⃣, 2️⃣, 🔄 \(reroll\), 🎉 Imagine all"),
        ({"action": "U1"}, parent(), "offers no button here; the operation `change`"),
        ({"action": "U1", "upstream_id": "17"}, None, "known by its custom_id only"),
        ({"action": "U1"}, None, "name a finished job as the parent, or its upstream_id"),
        ({"action": "U1", "upstream_id": "18"}, parent(*GRID), "give one of the two"),
        ({"action": "U1", "prompt": "a dog"}, parent(*GRID), "asks for nothing"),
        ({"action": "Zoom Out 2x", "mask": PNG}, parent(*UPSCALED), "asks for nothing"),
        ({"action": "V1", "mask": PNG}, parent(*GRID), "only Vary .Region. takes a mask"),
        ({"action": "inpaint", "prompt": "a hat"}, parent(*UPSCALED), "needs a mask"),
        ({"action": "custom_zoom", "prompt": "a hat"}, parent(*UPSCALED), "--zoom 1.5"),
        ({"action": "custom_zoom", "prompt": "--zoom 3"}, parent(*UPSCALED), "--zoom 1.5"),
        ({"action": "Imagine all"}, parent(*DESCRIBED), "imagine_1 to imagine_4"),
        (
            {"custom_id": "MJ::Job::PicReader::all", "upstream_id": "17"},
            None,
            "imagine_1 to imagine_4",
        ),
    ],
)
def test_a_button_that_cannot_be_pressed_is_refused_in_words(
    fields: Mapping[str, Any], followed: Parent | None, complaint: str
) -> None:
    with pytest.raises(Rejected, match=complaint):
        built("action", fields, followed)


def test_several_tasks_at_once_are_unsupported() -> None:
    with pytest.raises(Rejected) as caught:
        built("action", {"action": "Imagine all"}, parent(*DESCRIBED))
    assert caught.value.code is ErrorCode.UNSUPPORTED


# --- windows ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, None),
        ({"prompt": "a hat"}, {"prompt": "a hat"}),
        ({"prompt": "a hat", "mask": PNG}, {"prompt": "a hat", "mask": PNG_URI}),
        ({"mask": PNG}, {"mask": PNG_URI}),
    ],
)
def test_what_was_given_with_a_button_is_what_its_window_is_told(
    fields: Mapping[str, Any], told: Mapping[str, Any] | None
) -> None:
    pressing = operation("action")
    assert isinstance(pressing, ActionOperation)
    request = ActionRequest.model_validate({"action": "inpaint", **fields})
    early = pressing.early_input(request)
    assert (early and early.model_dump(exclude_unset=True)) == told


@pytest.mark.parametrize("dialect", ["midjourney.proxy", "midjourney.station"])
@pytest.mark.parametrize(
    ("fields", "sent"),
    [
        ({}, {}),
        ({"prompt": "a cat --zoom 1.5"}, {"prompt": "a cat --zoom 1.5"}),
        ({"prompt": "a hat", "mask": PNG}, {"prompt": "a hat", "maskBase64": PNG_URI}),
    ],
)
def test_a_window_is_told_under_the_id_of_the_task_that_waits(
    fields: Mapping[str, Any], sent: Mapping[str, Any], dialect: str
) -> None:
    waiting = operation("action", dialect)
    assert waiting.input_request is WindowInput
    call = waiting.build_input(WindowInput.model_validate(fields), Task("17"))
    assert call == Call("POST", "/mj/submit/modal", {"taskId": "17", **sent})


def test_only_what_may_open_a_window_awaits_input() -> None:
    waiting = {each.name for each in OPERATIONS if each.input_request is not None}
    assert waiting == {"action", "change", "modal"}


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ('{"code":1,"description":"提交成功","result":"17"}', Accepted("17")),
        (
            '{"code":22,"description":"排队中","result":"17","properties":{"numberOfQueues":2}}',
            Accepted("17", queue_position=2),
        ),
        ('{"code":1,"description":"提交成功","result":"18"}', Accepted("18")),
        ('{"code":21,"description":"窗口等待","result":"17"}', AwaitingInput("17", "窗口等待")),
    ],
)
def test_what_becomes_of_the_input(answer: str, outcome: object) -> None:
    assert operation("action").parse_input(reply(answer)) == outcome


def test_an_input_may_be_refused() -> None:
    with pytest.raises(Rejected) as caught:
        operation("action").parse_input(reply('{"code":4,"description":"prompt不能为空"}'))
    assert caught.value.code is ErrorCode.INVALID_REQUEST


# --- change, seed, video ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "sent"),
    [
        ({"action": "UPSCALE", "index": 3}, {"action": "UPSCALE", "index": 3}),
        ({"action": "variation", "index": 1}, {"action": "VARIATION", "index": 1}),
        ({"action": "REROLL"}, {"action": "REROLL", "index": 1}),
    ],
)
def test_a_change_names_its_picture(fields: Mapping[str, Any], sent: Mapping[str, Any]) -> None:
    assert built("change", fields, parent()) == Call(
        "POST", "/mj/submit/change", {"taskId": "17", **sent, **SUBMIT_KEYS}
    )
    assert body("change", {**fields, "upstream_id": "18"})["taskId"] == "18"


def test_a_seed_is_asked_for() -> None:
    assert built("seed", {}, parent()) == Call("GET", "/mj/task/17/image-seed")
    assert built("seed", {"upstream_id": "1/8"}) == Call("GET", "/mj/task/1%2F8/image-seed")
    with pytest.raises(Rejected, match="nothing to follow"):
        built("seed", {})


VIDEOS = tuple(
    Asset(type=AssetType.VIDEO, url=f"https://cdn.test.invalid/0_{n}.mp4") for n in range(4)
)
PREVIEWS = Asset(type=AssetType.IMAGE, url="https://cdn.test.invalid/v.webp", role="grid")


@pytest.mark.parametrize(
    ("fields", "followed", "index"),
    [
        ({"index": 2}, parent(assets=VIDEOS), 2),
        ({}, parent(assets=VIDEOS[:1]), 0),
        ({"index": 3}, parent(assets=(PREVIEWS,), action="VIDEO"), 3),
        ({"index": 1, "upstream_id": "17"}, None, 1),
    ],
)
def test_a_video_goes_on(fields: Mapping[str, Any], followed: Parent | None, index: int) -> None:
    assert body("video", {"prompt": "on", "motion": "low", **fields}, followed) == {
        "prompt": "on",
        "motion": "low",
        "action": "extend",
        "taskId": "17",
        "index": index,
    }


@pytest.mark.parametrize(
    ("fields", "followed", "complaint"),
    [
        ({}, None, "needs an image to begin with"),
        ({"image": URL, "index": 1}, None, "leave it out"),
        ({"image": URL}, parent(assets=VIDEOS), "leave out image"),
        ({}, parent(assets=VIDEOS), "index 0 to 3"),
        ({"upstream_id": "17"}, None, "index 0 to 3"),
        ({"index": 1}, parent(assets=VIDEOS[:1]), "index is 0 to 0"),
        ({"index": 0}, parent(*GRID, action="IMAGINE"), "made no video"),
    ],
)
def test_a_video_without_a_beginning_is_refused(
    fields: Mapping[str, Any], followed: Parent | None, complaint: str
) -> None:
    with pytest.raises(Rejected, match=complaint):
        built("video", {"prompt": "on", **fields}, followed)
