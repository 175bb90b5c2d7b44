"""What is sent for each of Kling's orders, compared whole, in each dialect."""

import json
import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from generation.contract.call import Call
from generation.contract.operation import Operation, Order, Task
from generation.providers.kling import OPERATIONS
from tests.unit.providers.kling_orders import (
    JOB_ID,
    PICTURE,
    SOUND,
    VIDEO,
    complaints,
    operation,
    parent,
    submitted,
)

OURS = {"external_task_id": JOB_ID}
#: For orders that make no sense without one.
MAKERS = {
    "delete_voice": parent("custom_voice", details={"voices": [{"voice_id": "voice-7"}]}),
    "delete_element": parent("custom_element", details={"elements": [{"element_id": "160"}]}),
}


def label(each: Operation[Any]) -> str:
    return f"{each.dialect}:{each.name}"


CASES: list[tuple[str, dict[str, Any], str, dict[str, Any]]] = [
    (
        "image2video",
        {
            "image": PICTURE,
            "static_mask": PICTURE,
            "dynamic_masks": [
                {"mask": PICTURE, "trajectories": [{"x": 1, "y": 2}, {"x": 3, "y": 4}]}
            ],
            "element_list": [{"element_id": "160"}],
        },
        "/v1/videos/image2video",
        {
            "model_name": "kling-v1",
            "image": PICTURE,
            "mode": "std",
            "duration": "5",
            "static_mask": PICTURE,
            "dynamic_masks": [
                {"mask": PICTURE, "trajectories": [{"x": 1, "y": 2}, {"x": 3, "y": 4}]}
            ],
            "element_list": [{"element_id": 160}],
            **OURS,
        },
    ),
    (
        "multi_image2video",
        {"image_list": [{"image": PICTURE}], "prompt": "a"},
        "/v1/videos/multi-image2video",
        {
            "model_name": "kling-v1-6",
            "image_list": [{"image": PICTURE}],
            "prompt": "a",
            "mode": "std",
            "duration": "5",
            "aspect_ratio": "16:9",
            **OURS,
        },
    ),
    (
        "omni_video",
        {
            "prompt": "<<<image_1>>> in <<<video_1>>>",
            "image_list": [{"image_url": PICTURE, "type": "first_frame"}],
            "video_list": [{"video_url": VIDEO, "refer_type": "base", "keep_original_sound": "no"}],
        },
        "/v1/videos/omni-video",
        {
            "model_name": "kling-video-o1",
            "prompt": "<<<image_1>>> in <<<video_1>>>",
            "image_list": [{"image_url": PICTURE, "type": "first_frame"}],
            "video_list": [{"video_url": VIDEO, "refer_type": "base", "keep_original_sound": "no"}],
            "mode": "pro",
            "duration": "5",
            **OURS,
        },
    ),
    (
        "motion_control",
        {
            "image_url": PICTURE,
            "video_url": VIDEO,
            "character_orientation": "image",
            "mode": "std",
            "element_list": [{"element_id": 160}],
        },
        "/v1/videos/motion-control",
        {
            "model_name": "kling-v2-6",
            "image_url": PICTURE,
            "video_url": VIDEO,
            "character_orientation": "image",
            "mode": "std",
            "keep_original_sound": "yes",
            "element_list": [{"element_id": 160}],
            **OURS,
        },
    ),
    (
        "video_extend",
        {"video_id": "v1", "negative_prompt": "rain", "cfg_scale": 0.3},
        "/v1/videos/video-extend",
        {"video_id": "v1", "negative_prompt": "rain", "cfg_scale": 0.3, **OURS},
    ),
    (
        "lip_sync",
        {
            "input": {
                "mode": "audio2video",
                "video_url": VIDEO,
                "audio_type": "url",
                "audio_url": SOUND,
            }
        },
        "/v1/videos/lip-sync",
        {
            "input": {
                "mode": "audio2video",
                "video_url": VIDEO,
                "audio_type": "url",
                "audio_url": SOUND,
            },
            **OURS,
        },
    ),
    ("identify_face", {"video_id": "v1"}, "/v1/videos/identify-face", {"video_id": "v1"}),
    (
        "advanced_lip_sync",
        {
            "session_id": "s-1",
            "face_choose": [
                {"face_id": "0", "audio_id": "a1", "sound_start_time": 0}
                | {"sound_end_time": 2000, "sound_insert_time": 500, "sound_volume": 2}
            ],
            "watermark_info": {"enabled": False},
        },
        "/v1/videos/advanced-lip-sync",
        {
            "session_id": "s-1",
            "face_choose": [
                {"face_id": "0", "audio_id": "a1", "sound_start_time": 0, "sound_end_time": 2000}
                | {"sound_insert_time": 500, "sound_volume": 2.0, "original_audio_volume": 1}
            ],
            "watermark_info": {"enabled": False},
            **OURS,
        },
    ),
    (
        "effects",
        {"effect_scene": "pet_lion", "input": {"image": PICTURE, "duration": 5}},
        "/v1/videos/effects",
        {"effect_scene": "pet_lion", "input": {"image": PICTURE, "duration": "5"}, **OURS},
    ),
    (
        "avatar",
        {"image": PICTURE, "audio_id": "a1", "prompt": "smiling"},
        "/v1/videos/avatar/image2video",
        {"image": PICTURE, "audio_id": "a1", "prompt": "smiling", "mode": "std", **OURS},
    ),
    (
        "init_selection",
        {"video_url": VIDEO},
        "/v1/videos/multi-elements/init-selection",
        {"video_url": VIDEO},
    ),
    (
        "add_selection",
        {"session_id": "s-1", "frame_index": 3, "points": [{"x": 0, "y": 1}]},
        "/v1/videos/multi-elements/add-selection",
        {"session_id": "s-1", "frame_index": 3, "points": [{"x": 0.0, "y": 1.0}]},
    ),
    (
        "preview_selection",
        {"session_id": "s-1"},
        "/v1/videos/multi-elements/preview-selection",
        {"session_id": "s-1"},
    ),
    (
        "multi_elements",
        {"session_id": "s-1", "edit_mode": "removal", "prompt": "delete the lamp"},
        "/v1/videos/multi-elements",
        {
            "session_id": "s-1",
            "model_name": "kling-v1-6",
            "edit_mode": "removal",
            "prompt": "delete the lamp",
            "mode": "std",
            "duration": "5",
            **OURS,
        },
    ),
    (
        "image_generation",
        {
            "prompt": "a",
            "image": PICTURE,
            "image_reference": "face",
            "image_fidelity": 0.2,
            "human_fidelity": 0.9,
            "n": 9,
        },
        "/v1/images/generations",
        {
            "model_name": "kling-v3",
            "prompt": "a",
            "image": PICTURE,
            "image_reference": "face",
            "image_fidelity": 0.2,
            "human_fidelity": 0.9,
            "resolution": "1k",
            "n": 9,
            "aspect_ratio": "16:9",
            **OURS,
        },
    ),
    (
        "omni_image",
        {"prompt": "a", "result_type": "series", "series_amount": 4, "aspect_ratio": "21:9"},
        "/v1/images/omni-image",
        {
            "model_name": "kling-image-o1",
            "prompt": "a",
            "resolution": "1k",
            "result_type": "series",
            "series_amount": 4,
            "aspect_ratio": "21:9",
            **OURS,
        },
    ),
    (
        "multi_image2image",
        {"subject_image_list": [{"subject_image": PICTURE}], "style_image": PICTURE},
        "/v1/images/multi-image2image",
        {
            "model_name": "kling-v2",
            "subject_image_list": [{"subject_image": PICTURE}],
            "style_image": PICTURE,
            "n": 1,
            "aspect_ratio": "16:9",
            **OURS,
        },
    ),
    (
        "expand",
        {"image": PICTURE, "up_expansion_ratio": 2},
        "/v1/images/editing/expand",
        {
            "image": PICTURE,
            "up_expansion_ratio": 2.0,
            "down_expansion_ratio": 0,
            "left_expansion_ratio": 0,
            "right_expansion_ratio": 0,
            "n": 1,
            **OURS,
        },
    ),
    (
        "virtual_try_on",
        {"human_image": PICTURE, "cloth_image": PICTURE},
        "/v1/images/kolors-virtual-try-on",
        {
            "model_name": "kolors-virtual-try-on-v1",
            "human_image": PICTURE,
            "cloth_image": PICTURE,
            **OURS,
        },
    ),
    ("image_recognize", {"image": PICTURE}, "/v1/videos/image-recognize", {"image": PICTURE}),
    (
        "ai_multi_shot",
        {"element_frontal_image": PICTURE},
        "/v1/general/ai-multi-shot",
        {"element_frontal_image": PICTURE, **OURS},
    ),
    (
        "tts",
        {"text": "hello", "voice_id": "v", "voice_language": "en"},
        "/v1/audio/tts",
        {"text": "hello", "voice_id": "v", "voice_language": "en", "voice_speed": 1.0},
    ),
    (
        "text_to_audio",
        {"prompt": "rain", "duration": 3},
        "/v1/audio/text-to-audio",
        {"prompt": "rain", "duration": 3.0, **OURS},
    ),
    (
        "video_to_audio",
        {"video_url": VIDEO, "bgm_prompt": "a slow waltz", "asmr_mode": False},
        "/v1/audio/video-to-audio",
        {"video_url": VIDEO, "bgm_prompt": "a slow waltz", "asmr_mode": False, **OURS},
    ),
    (
        "custom_voice",
        {"voice_name": "me", "voice_url": SOUND},
        "/v1/general/custom-voices",
        {"voice_name": "me", "voice_url": SOUND, **OURS},
    ),
    (
        "custom_element",
        {
            "element_name": "lamp",
            "element_description": "brass",
            "reference_type": "video_refer",
            "element_video_list": {"refer_videos": [{"video_url": VIDEO}]},
            "element_voice_id": "voice-7",
            "tag_list": [{"tag_id": "o_104"}],
        },
        "/v1/general/advanced-custom-elements",
        {
            "element_name": "lamp",
            "element_description": "brass",
            "reference_type": "video_refer",
            "element_video_list": {"refer_videos": [{"video_url": VIDEO}]},
            "element_voice_id": "voice-7",
            "tag_list": [{"tag_id": "o_104"}],
            **OURS,
        },
    ),
]


@pytest.mark.parametrize(("name", "fields", "path", "body"), CASES, ids=[case[0] for case in CASES])
def test_an_order_of_the_first_api(
    name: str, fields: dict[str, Any], path: str, body: dict[str, Any]
) -> None:
    assert submitted(name, fields) == Call("POST", path, body)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("preset_voices", "/v1/general/presets-voices"),
        ("preset_elements", "/v1/general/advanced-presets-elements"),
    ],
)
def test_what_the_vendor_offers_is_read_a_page_at_a_time(name: str, path: str) -> None:
    assert submitted(name, {"page_num": 2}) == Call(
        "GET", path, params={"pageNum": "2", "pageSize": "30"}
    )


@pytest.mark.parametrize("each", OPERATIONS, ids=label)
def test_the_example_can_be_sent_and_stored(each: Operation[Any]) -> None:
    request = each.request.model_validate(each.example)
    stored = json.loads(json.dumps(request.model_dump(mode="json", exclude_unset=True)))
    assert stored == each.example
    order = Order(JOB_ID, parent=MAKERS.get(each.name))
    assert each.build_submit(each.request.model_validate(stored), order).path.startswith("/")


@pytest.mark.parametrize("each", OPERATIONS, ids=label)
def test_an_order_that_makes_a_task_can_be_called_back(each: Operation[Any]) -> None:
    order = Order(JOB_ID, "https://genq.test.invalid/x", parent=MAKERS.get(each.name))
    call = each.build_submit(each.request.model_validate(each.example), order)
    body: Mapping[str, Any] = call.json or {}
    body = body.get("options", body)
    told = {"external_task_id": JOB_ID, "callback_url": "https://genq.test.invalid/x"}
    assert ({name: body.get(name) for name in told} == told) is (each.submit_timeout is None)


def test_a_relay_is_sent_what_the_vendor_is_sent() -> None:
    spoken = [each for each in OPERATIONS if each.dialect == "kling.relay"]
    assert len(spoken) == 10
    for each in spoken:
        fields = dict(each.example)
        assert submitted(each.name, fields, dialect="kling.relay") == submitted(each.name, fields)


class TestLooks:
    def test_a_task_is_looked_at_under_its_own_path(self) -> None:
        path = "/v1/videos/avatar/image2video"
        avatar = operation("avatar")
        assert avatar.build_query(Task("1")) == Call("GET", f"{path}/1")
        assert avatar.build_find(Order("job-1")) == Call("GET", f"{path}/job-1")

    @pytest.mark.parametrize("name", ["tts", "identify_face", "preset_voices", "delete_voice"])
    def test_an_answer_that_is_the_result_cannot_be_found_again(self, name: str) -> None:
        each = operation(name)
        assert each.build_find(Order("job-1")) is None
        assert each.submit_timeout == timedelta(minutes=3)
        assert each.pace.deadline == timedelta(minutes=15)


class TestSecondApi:
    def test_words(self) -> None:
        call = submitted(
            "text2video",
            {"model_name": "kling-v3", "prompt": "a cat", "mode": "4k", "sound": "on"}
            | {"duration": 15, "multi_shot": True, "watermark_info": {"enabled": True}},
            dialect="kling.v2",
            callback_url="https://genq.test.invalid/x",
        )
        assert call == Call(
            "POST",
            "/text-to-video/kling-3.0",
            {
                "prompt": "a cat",
                "settings": {
                    "resolution": "4k",
                    "aspect_ratio": "16:9",
                    "duration": 15,
                    "audio": "native",
                    "multi_shot": True,
                },
                "options": {
                    "watermark_info": {"enabled": True},
                    "external_task_id": JOB_ID,
                    "callback_url": "https://genq.test.invalid/x",
                },
            },
        )

    def test_pictures(self) -> None:
        call = submitted(
            "image2video",
            {"model_name": "kling-3.0-turbo", "image": PICTURE, "image_tail": VIDEO}
            | {"prompt": "she smiles", "mode": "std", "sound": "off"},
            dialect="kling.v2",
        )
        assert call == Call(
            "POST",
            "/image-to-video/kling-3.0-turbo",
            {
                "contents": [
                    {"type": "prompt", "text": "she smiles"},
                    {"type": "first_frame", "url": PICTURE},
                    {"type": "last_frame", "url": VIDEO},
                ],
                "settings": {"resolution": "720p", "duration": 5, "audio": "off"},
                "options": OURS,
            },
        )

    def test_a_new_model_and_its_resolutions_pass(self) -> None:
        call = submitted(
            "text2video",
            {"model_name": "kling-9/x", "prompt": "a", "mode": "8k", "duration": 42},
            dialect="kling.v2",
        )
        assert call.path == "/text-to-video/kling-9%2Fx"
        assert call.json is not None
        assert call.json["settings"]["resolution"] == "8k"

    def test_many_tasks_are_asked_about_at_once(self) -> None:
        words, pictures = (operation(n, "kling.v2") for n in ("text2video", "image2video"))
        assert words.build_batch_query(["901", "902"]) == Call(
            "GET", "/tasks", params={"task_ids": "901,902"}
        )
        assert words.build_query(Task("901")) == Call("GET", "/tasks", params={"task_ids": "901"})
        assert words.batch_group == pictures.batch_group
        assert words.batch_limit == 100

    def test_no_id_passes_for_two(self) -> None:
        call = operation("text2video", "kling.v2").build_batch_query(["9,8", "7&x=1"])
        assert call == Call("GET", "/tasks", params={"task_ids": "9%2C8,7%26x%3D1"})

    def test_a_task_is_found_by_our_reference(self) -> None:
        assert operation("text2video", "kling.v2").build_find(Order("job-1")) == Call(
            "GET", "/tasks", params={"external_task_ids": "job-1"}
        )

    @pytest.mark.parametrize(
        ("name", "fields", "at_fault"),
        [
            ("text2video", {"prompt": "a"}, {"model_name"}),
            ("text2video", {"model_name": "kling-3.0"}, {"prompt"}),
            ("text2video", {"model_name": "kling-3.0", "prompt": " "}, {"prompt"}),
            ("text2video", {"model_name": "kling-3.0", "prompt": "x" * 3073}, {"prompt"}),
            (
                "text2video",
                {"model_name": "kling-3.0", "prompt": "a", "cfg_scale": 1},
                {"cfg_scale"},
            ),
            ("text2video", {"model_name": "kling-3.0", "prompt": "a", "duration": 2}, {"duration"}),
            (
                "text2video",
                {"model_name": "kling-v2-6", "prompt": "a", "duration": 7},
                {"duration"},
            ),
            ("text2video", {"model_name": "kling-2.6", "prompt": "a", "mode": "4k"}, {"mode"}),
            (
                "text2video",
                {"model_name": "kling-3.0", "prompt": "a"} | {"aspect_ratio": "4:3"},
                {"aspect_ratio"},
            ),
            ("image2video", {"model_name": "kling-3.0", "prompt": "a"}, {"image"}),
            (
                "image2video",
                {"model_name": "kling-3.0", "image": PICTURE} | {"aspect_ratio": "1:1"},
                {"aspect_ratio"},
            ),
        ],
    )
    def test_what_may_not_be_asked(
        self, name: str, fields: dict[str, Any], at_fault: set[str]
    ) -> None:
        assert set(complaints(name, fields, "kling.v2")) == at_fault


class TestNewApi:
    def test_only_what_survives_is_sent(self) -> None:
        call = submitted(
            "image2video",
            {"image": PICTURE, "prompt": "she smiles", "sound": "off", "multi_shot": False}
            | {"watermark_info": {"enabled": False}, "element_list": [], "cfg_scale": 0.4},
            dialect="kling.newapi",
        )
        assert call == Call(
            "POST",
            "/v1/videos/image2video",
            {
                "model_name": "kling-v1",
                "image": PICTURE,
                "prompt": "she smiles",
                "cfg_scale": 0.4,
                "mode": "std",
                "duration": "5",
                **OURS,
            },
        )

    @pytest.mark.parametrize(
        ("fields", "at_fault"),
        [
            ({"sound": "on", "model_name": "kling-v3"}, {"sound"}),
            ({"watermark_info": {"enabled": True}}, {"watermark_info"}),
            ({"voice_list": [{"voice_id": "v"}]}, {"voice_list"}),
            ({"multi_shot": True, "shot_type": "intelligence"}, {"multi_shot", "shot_type"}),
            ({"element_list": [{"element_id": 1}]}, {"element_list"}),
            ({"prompt": None}, {"prompt"}),
            ({"prompt": " "}, {"prompt"}),
            ({"image": None, "image_tail": PICTURE}, {"image"}),
        ],
    )
    def test_what_would_be_dropped_or_turned_into_something_else_is_refused(
        self, fields: dict[str, Any], at_fault: set[str]
    ) -> None:
        order = {"image": PICTURE, "prompt": "she smiles", **fields}
        assert set(complaints("image2video", order, "kling.newapi")) == at_fault

    def test_words_that_would_lose_their_sound_are_refused(self) -> None:
        order = {"prompt": "a", "model_name": "kling-v2-6", "sound": "on"}
        assert complaints("text2video", order, "kling.newapi") == {
            "sound": "a new-api station drops it silently; leave it out"
        }
        assert complaints("text2video", order) == {}

    def test_its_books_are_slow_and_know_our_reference_not_at_all(self) -> None:
        each = operation("text2video", "kling.newapi")
        assert each.build_query(Task("task_x")) == Call("GET", "/v1/videos/text2video/task_x")
        assert each.build_find(Order("job-1")) is None
        assert each.batch_limit == 0
        assert (each.pace.floor, each.pace.ceiling) == (
            timedelta(seconds=15),
            timedelta(seconds=30),
        )


# --- what is written about it -------------------------------------------------------------------

MANUAL = (Path(__file__).parents[3] / "docs" / "providers" / "kling.md").read_text(encoding="utf-8")


def documented(each: Operation[Any]) -> dict[str, str]:
    """Default by field, as the manual has it; a relay's orders are the first API's."""
    dialect = "kling.v2" if each.dialect == "kling.v2" else "kling.v1"
    section = MANUAL.partition(f"### {each.name} in {dialect}\n")[2].partition("\n##")[0]
    rows: list[tuple[str, str]] = re.findall(r"^\| `(\w+)` \| [^|]+ \| ([^|]*) \|", section, re.M)
    return {name: default.strip() for name, default in rows}


def defaults(each: Operation[Any]) -> dict[str, str]:
    return {
        name: "required"
        if field.is_required()
        else ("" if field.default is None else f"`{field.default}`")
        for name, field in each.request.model_fields.items()
    }


@pytest.mark.parametrize("each", OPERATIONS, ids=label)
def test_the_manual_has_every_field_with_its_default(each: Operation[Any]) -> None:
    assert documented(each) == defaults(each)


def test_the_manual_says_where_each_order_is_offered() -> None:
    rows = re.findall(r"^\| \[`(\w+)`\]\(#\w+\) \|(.*?)\|(.*?)\|(.*?)\|", MANUAL, re.MULTILINE)
    said = {
        (name, dialect)
        for name, *columns in rows
        for dialect, offered in zip(("relay", "v2", "newapi"), columns, strict=True)
        if offered.strip() == "yes"
    }
    assert {name for name, *_ in rows} == {each.name for each in OPERATIONS}
    assert said == {
        (each.name, each.dialect.removeprefix("kling."))
        for each in OPERATIONS
        if each.dialect != "kling.v1"
    }
