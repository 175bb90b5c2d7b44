"""What Kling's follow-ups take from the job they follow, and what they refuse."""

from typing import Any

import pytest

from generation.contract.errors import ErrorCode, Rejected
from generation.contract.operation import Parent
from generation.contract.status import Asset, AssetType
from generation.providers import OPERATIONS
from tests.unit.providers.kling_orders import (
    PICTURE,
    SOUND,
    VIDEO,
    complaints,
    operation,
    parent,
    sound,
    submitted,
    video,
)

MADE = parent(
    "text2video", video("v1", "watermarked"), video("v2"), given={"model_name": "kling-v1-6"}
)
FACES = parent(
    "identify_face", details={"session_id": "s-1", "faces": [{"face_id": "0"}, {"face_id": "1"}]}
)
FACE = parent("identify_face", details={"session_id": "s-1", "faces": [{"face_id": "4"}]})
SESSION = parent("init_selection", details={"session_id": "s-1"})
SPEECH = parent("tts", sound("a1"))
TIMES = {"sound_start_time": 0, "sound_end_time": 3000, "sound_insert_time": 0}
SAYS = {"mode": "text2video", "text": "hi", "voice_id": "v", "voice_language": "en"}
SWAP = {"edit_mode": "swap", "image_list": [{"image": PICTURE}], "prompt": "swap"}

CASES: list[tuple[str, Parent, dict[str, Any], dict[str, Any]]] = [
    ("video_extend", MADE, {}, {"video_id": "v2"}),
    ("video_extend", MADE, {"video_id": "v1"}, {"video_id": "v1"}),
    ("lip_sync", MADE, {"input": SAYS}, {"input": {**SAYS, "video_id": "v2"}}),
    ("identify_face", MADE, {}, {"video_id": "v2"}),
    ("init_selection", MADE, {}, {"video_id": "v2"}),
    ("video_to_audio", MADE, {}, {"video_id": "v2"}),
    ("custom_voice", MADE, {"voice_name": "me"}, {"voice_name": "me", "video_id": "v2"}),
    (
        "avatar",
        SPEECH,
        {"image": PICTURE},
        {"image": PICTURE, "mode": "std", "audio_id": "a1"},
    ),
    (
        "add_selection",
        SESSION,
        {"frame_index": 0, "points": [{"x": 0, "y": 0}]},
        {"session_id": "s-1"},
    ),
    ("clear_selection", SESSION, {}, {"session_id": "s-1"}),
    ("preview_selection", SESSION, {}, {"session_id": "s-1"}),
    ("multi_elements", SESSION, SWAP, {"session_id": "s-1"}),
    ("multi_elements", SESSION, {**SWAP, "session_id": "s-1"}, {"session_id": "s-1"}),
    (
        "advanced_lip_sync",
        FACE,
        {"face_choose": [{"audio_id": "a1", **TIMES}]},
        {
            "session_id": "s-1",
            "face_choose": [
                {"face_id": "4", "audio_id": "a1", **TIMES}
                | {"sound_volume": 1, "original_audio_volume": 1}
            ],
        },
    ),
    (
        "delete_voice",
        parent("custom_voice", details={"voices": [{"voice_id": "voice-7"}]}),
        {},
        {"voice_id": "voice-7"},
    ),
    (
        "delete_element",
        parent("custom_element", details={"elements": [{"element_id": "160"}]}),
        {},
        {"element_id": "160"},
    ),
]


@pytest.mark.parametrize(
    ("name", "follows", "fields", "sent"), CASES, ids=[f"{c[0]}-{i}" for i, c in enumerate(CASES)]
)
def test_a_follow_up_takes_from_its_parent_what_the_caller_left_out(
    name: str, follows: Parent, fields: dict[str, Any], sent: dict[str, Any]
) -> None:
    call = submitted(name, fields, parent=follows)
    assert call.json is not None
    assert {field: call.json[field] for field in sent} == sent
    assert follows.operation in operation(name).follows


@pytest.mark.parametrize(
    ("name", "follows", "fields", "words"),
    [
        ("video_extend", None, {}, "video_id: no Kling video id is given"),
        ("identify_face", None, {}, "video_id: no Kling video id is given"),
        ("lip_sync", None, {"input": SAYS}, "video_id: no Kling video id is given"),
        ("video_extend", MADE, {"video_id": "v9"}, "v9 is not the parent's"),
        ("identify_face", MADE, {"video_url": VIDEO}, "video_url: the parent has a video already"),
        ("video_extend", parent("text2video", video(None)), {}, "holds no Kling video id"),
        ("video_extend", parent("text2video"), {}, "holds no Kling video id"),
        (
            "video_extend",
            parent("text2video", video("v1"), given={"model_name": "kling-v2-6"}),
            {},
            "videos of kling-v2-6 cannot be extended, only those of kling-v1, kling-v1-5 or",
        ),
        ("custom_voice", None, {"voice_name": "me"}, "no Kling video id is given"),
        (
            "custom_voice",
            MADE,
            {"voice_name": "me", "voice_url": SOUND},
            "voice_url: the parent has",
        ),
        ("avatar", None, {"image": PICTURE}, "audio_id: no Kling audio id is given"),
        ("avatar", SPEECH, {"image": PICTURE, "sound_file": SOUND}, "sound_file: the parent has"),
        ("clear_selection", None, {}, "session_id: no session is given"),
        ("clear_selection", MADE, {}, "the text2video job holds no session"),
        ("multi_elements", SESSION, {**SWAP, "session_id": "s-2"}, "s-2 is not the parent's"),
        (
            "advanced_lip_sync",
            FACES,
            {"face_choose": [{"audio_id": "a1", **TIMES}]},
            "face_choose.0.face_id: say which face is to speak; the parent found 0, 1",
        ),
        (
            "advanced_lip_sync",
            FACES,
            {"face_choose": [{"face_id": "7", "audio_id": "a1", **TIMES}]},
            "face_choose.0.face_id: the parent found 0, 1",
        ),
        (
            "advanced_lip_sync",
            None,
            {"face_choose": [{"face_id": "7", "audio_id": "a1", **TIMES}]},
            "session_id: no session is given",
        ),
        ("delete_voice", None, {}, "parent: name the job that made the voice"),
        ("delete_element", parent("custom_element"), {}, "the custom_element job holds no element"),
    ],
)
def test_a_follow_up_with_nothing_to_follow_is_refused_before_it_is_sent(
    name: str, follows: Parent | None, fields: dict[str, Any], words: str
) -> None:
    assert complaints(name, fields) == {}
    with pytest.raises(Rejected, match=words.replace(".", r"\.")) as raised:
        submitted(name, fields, parent=follows)
    assert raised.value.code is ErrorCode.INVALID_REQUEST


@pytest.mark.parametrize("details", [{}, {"voices": 5}, {"voices": [5, {}, {"voice_id": 7}]}])
def test_strange_details_of_a_parent_hold_nothing(details: dict[str, Any]) -> None:
    with pytest.raises(Rejected, match="holds no voice"):
        submitted("delete_voice", {}, parent=parent("custom_voice", details=details))


def test_a_file_of_another_medium_is_no_video() -> None:
    frame = Asset(type=AssetType.IMAGE, url=PICTURE, upstream_id="i1")
    with pytest.raises(Rejected, match="holds no Kling video id"):
        submitted("video_extend", {}, parent=parent("text2video", frame))


def test_whatever_is_followed_exists_and_deletions_cannot_do_without() -> None:
    ours = [each for each in OPERATIONS if each.provider == "kling"]
    names = {each.name for each in ours}
    assert all(each.follows <= names for each in ours)
    assert {each.name for each in ours if each.needs_parent} == {"delete_voice", "delete_element"}
