"""What Kling's orders may hold and may not, with the field at fault."""

from typing import Any

import pytest

from tests.unit.providers.kling_orders import PICTURE, SOUND, VIDEO, complaints

SHOTS = [{"index": 1, "prompt": "a door opens", "duration": 5}]
SAYS = {"mode": "text2video", "text": "hi", "voice_id": "v", "voice_language": "en"}
HEARS = {"mode": "audio2video", "audio_type": "file", "audio_file": SOUND}
FACE = {"face_id": "0", "sound_start_time": 0, "sound_end_time": 2000, "sound_insert_time": 0}
MOVES = {"image_url": PICTURE, "video_url": VIDEO, "character_orientation": "video", "mode": "pro"}
ELEMENT = {"element_name": "lamp", "element_description": "brass"}
PICTURES = {"frontal_image": PICTURE, "refer_images": [{"image_url": PICTURE}]}
EDIT = {"edit_mode": "swap", "prompt": "swap", "image_list": [{"image": PICTURE}]}


def pictures(count: int, name: str = "image") -> list[dict[str, str]]:
    return [{name: PICTURE}] * count


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("image2video", {"image_tail": PICTURE}),
        ("image2video", {"image": PICTURE, "image_tail": PICTURE, "prompt": "a"}),
        ("image2video", {"image": PICTURE, "model_name": "kling-v9", "duration": 42}),
        (
            "image2video",
            {"image": PICTURE, "model_name": "kling-v3", "multi_shot": True}
            | {"shot_type": "customize", "multi_prompt": SHOTS},
        ),
        ("omni_video", {"prompt": "a", "duration": 15, "aspect_ratio": "1:1"}),
        ("omni_video", {"multi_shot": True, "shot_type": "customize", "multi_prompt": SHOTS}),
        ("omni_video", {"prompt": "<<<image_7>>>", "image_list": pictures(7, "image_url")}),
        ("motion_control", {**MOVES, "model_name": "kling-v9", "mode": "4k"}),
        ("lip_sync", {"input": {**SAYS, "voice_speed": 0.8}}),
        ("lip_sync", {"input": HEARS}),
        ("advanced_lip_sync", {"face_choose": [{**FACE, "sound_file": SOUND}]}),
        (
            "effects",
            {"effect_scene": "hug", "input": {"images": [PICTURE, PICTURE]}}
            | {"watermark_info": {"enabled": True}},
        ),
        ("effects", {"effect_scene": "something_new", "input": {"images": [PICTURE, PICTURE]}}),
        ("multi_elements", {"edit_mode": "removal", "prompt": "delete it"}),
        ("image_generation", {"prompt": "a", "model_name": "kling-v9", "aspect_ratio": "5:4"}),
        ("image_generation", {"prompt": "a", "resolution": "4k"}),
        ("omni_image", {"prompt": "a", "n": 9}),
        ("expand", {"image": PICTURE, "up_expansion_ratio": 0.5, "left_expansion_ratio": 1}),
        ("text_to_audio", {"prompt": "x" * 200, "duration": 10}),
        (
            "custom_element",
            {**ELEMENT, "reference_type": "image_refer"} | {"element_image_list": PICTURES},
        ),
        ("preset_voices", {}),
    ],
)
def test_what_may_be_asked(name: str, fields: dict[str, Any]) -> None:
    assert complaints(name, fields) == {}


@pytest.mark.parametrize(
    ("name", "fields", "at_fault"),
    [
        ("image2video", {"prompt": "a"}, {"image"}),
        ("image2video", {"image": PICTURE, "aspect_ratio": "1:1"}, {"aspect_ratio"}),
        ("image2video", {"image": PICTURE, "model_name": "kling-v2-1", "sound": "on"}, {"sound"}),
        (
            "image2video",
            {"image": PICTURE, "model_name": "kling-v1-5", "duration": 7},
            {"duration"},
        ),
        (
            "image2video",
            {"image": PICTURE, "image_tail": PICTURE, "camera_control": {"type": "down_back"}},
            {"camera_control"},
        ),
        (
            "image2video",
            {"image": PICTURE, "image_tail": PICTURE, "static_mask": PICTURE},
            {"static_mask"},
        ),
        (
            "image2video",
            {"image": PICTURE, "static_mask": PICTURE, "camera_control": {"type": "down_back"}},
            {"camera_control"},
        ),
        (
            "image2video",
            {
                "image": PICTURE,
                "dynamic_masks": [{"mask": PICTURE, "trajectories": [{"x": 1, "y": 1}]}],
            },
            {"dynamic_masks.0.trajectories"},
        ),
        ("image2video", {"image": PICTURE, "dynamic_masks": []}, {"dynamic_masks"}),
        (
            "image2video",
            {"image": PICTURE, "element_list": [{"element_id": 1}] * 4},
            {"element_list"},
        ),
        (
            "image2video",
            {"image": PICTURE, "element_list": [{"element_id": "x"}]},
            {"element_list.0.element_id"},
        ),
        ("image2video", {"image": PICTURE, "prompt": "<<<element_1>>>"}, {"prompt"}),
        (
            "image2video",
            {"image": PICTURE, "multi_shot": True, "shot_type": "intelligence"},
            {"prompt"},
        ),
        ("multi_image2video", {"prompt": "a", "image_list": []}, {"image_list"}),
        ("multi_image2video", {"prompt": "a", "image_list": pictures(5)}, {"image_list"}),
        ("multi_image2video", {"prompt": "  ", "image_list": pictures(1)}, {"prompt"}),
        (
            "multi_image2video",
            {"prompt": "a", "image_list": pictures(1), "duration": 7},
            {"duration"},
        ),
        ("multi_image2video", {"prompt": "a", "image_list": pictures(1), "mode": "4k"}, {"mode"}),
        (
            "multi_image2video",
            {"prompt": "a", "image_list": pictures(1), "aspect_ratio": "4:3"},
            {"aspect_ratio"},
        ),
        ("omni_video", {}, {"prompt"}),
        ("omni_video", {"prompt": "a", "duration": 2}, {"duration"}),
        ("omni_video", {"prompt": "a", "aspect_ratio": "4:3"}, {"aspect_ratio"}),
        ("omni_video", {"prompt": "a", "image_list": pictures(8, "image_url")}, {"image_list"}),
        (
            "omni_video",
            {
                "prompt": "a",
                "image_list": pictures(3, "image_url"),
                "element_list": [{"element_id": 1}] * 2,
                "video_list": [{"video_url": VIDEO}],
            },
            {"image_list"},
        ),
        ("omni_video", {"prompt": "a", "video_list": [{"video_url": VIDEO}] * 2}, {"video_list"}),
        (
            "omni_video",
            {"prompt": "a", "video_list": [{"video_url": "v.mp4"}]},
            {"video_list.0.video_url"},
        ),
        ("omni_video", {"prompt": "<<<image_1>>> <<<video_1>>>"}, {"prompt"}),
        (
            "omni_video",
            {"prompt": "a", "image_list": [{"image_url": PICTURE, "type": "middle"}]},
            {"image_list.0.type"},
        ),
        ("motion_control", {}, {"image_url", "video_url", "character_orientation", "mode"}),
        ("motion_control", {**MOVES, "mode": "4k"}, {"mode"}),
        ("motion_control", {**MOVES, "character_orientation": "left"}, {"character_orientation"}),
        ("motion_control", {**MOVES, "keep_original_sound": True}, {"keep_original_sound"}),
        ("motion_control", {**MOVES, "element_list": [{"element_id": 1}] * 2}, {"element_list"}),
        ("video_extend", {"video_id": ""}, {"video_id"}),
        ("video_extend", {"cfg_scale": 2}, {"cfg_scale"}),
        ("lip_sync", {}, {"input"}),
        (
            "lip_sync",
            {"input": {"mode": "text2video"}},
            {"input.text", "input.voice_id", "input.voice_language"},
        ),
        ("lip_sync", {"input": {**SAYS, "text": "x" * 121}}, {"input.text"}),
        ("lip_sync", {"input": {**SAYS, "voice_language": "fr"}}, {"input.voice_language"}),
        ("lip_sync", {"input": {**SAYS, "voice_speed": 2.1}}, {"input.voice_speed"}),
        ("lip_sync", {"input": {**SAYS, "audio_url": SOUND}}, {"input.audio_url"}),
        ("lip_sync", {"input": {**SAYS, "video_id": "v", "video_url": VIDEO}}, {"input.video_url"}),
        ("lip_sync", {"input": {"mode": "audio2video"}}, {"input.audio_type", "input.audio_file"}),
        (
            "lip_sync",
            {"input": {**HEARS, "audio_type": "url"}},
            {"input.audio_url", "input.audio_file"},
        ),
        (
            "lip_sync",
            {"input": {**HEARS, "text": "hi", "voice_speed": 1}},
            {"input.text", "input.voice_speed"},
        ),
        ("identify_face", {"video_id": "v", "video_url": VIDEO}, {"video_url"}),
        ("advanced_lip_sync", {"face_choose": []}, {"face_choose"}),
        ("advanced_lip_sync", {"face_choose": [{**FACE, "audio_id": "a"}] * 2}, {"face_choose"}),
        ("advanced_lip_sync", {"face_choose": [FACE]}, {"face_choose.0.audio_id"}),
        (
            "advanced_lip_sync",
            {"face_choose": [{**FACE, "audio_id": "a", "sound_file": SOUND}]},
            {"face_choose.0.sound_file"},
        ),
        (
            "advanced_lip_sync",
            {"face_choose": [{**FACE, "audio_id": "a", "sound_end_time": 1999}]},
            {"face_choose.0.sound_end_time"},
        ),
        (
            "advanced_lip_sync",
            {"face_choose": [{**FACE, "audio_id": "a", "sound_volume": 3}]},
            {"face_choose.0.sound_volume"},
        ),
        ("avatar", {"sound_file": SOUND}, {"image"}),
        ("avatar", {"image": PICTURE, "sound_file": SOUND, "audio_id": "a"}, {"sound_file"}),
        ("effects", {"effect_scene": "pet_lion", "input": {}}, {"input.image"}),
        ("effects", {"effect_scene": "hug_pro", "input": {"image": PICTURE}}, {"input.images"}),
        (
            "effects",
            {"effect_scene": "pet_lion", "input": {"image": PICTURE, "images": [PICTURE] * 2}},
            {"input.images"},
        ),
        ("effects", {"effect_scene": "hug_pro", "input": {"images": [PICTURE]}}, {"input.images"}),
        ("add_selection", {"frame_index": -1, "points": [{"x": 0, "y": 0}]}, {"frame_index"}),
        ("add_selection", {"frame_index": 0, "points": []}, {"points"}),
        ("delete_selection", {"frame_index": 0, "points": [{"x": 1.1, "y": 0}]}, {"points.0.x"}),
        ("clear_selection", {"frame_index": 0}, {"frame_index"}),
        ("multi_elements", {**EDIT, "edit_mode": "paint"}, {"edit_mode"}),
        ("multi_elements", {**EDIT, "image_list": None}, {"image_list"}),
        ("multi_elements", {**EDIT, "image_list": pictures(3)}, {"image_list"}),
        ("multi_elements", {**EDIT, "duration": 7}, {"duration"}),
        ("image_generation", {}, {"prompt"}),
        ("image_generation", {"prompt": "a", "n": 10}, {"n"}),
        ("image_generation", {"prompt": "a", "aspect_ratio": "5:4"}, {"aspect_ratio"}),
        (
            "image_generation",
            {"prompt": "a", "image": PICTURE, "negative_prompt": "b"},
            {"negative_prompt"},
        ),
        (
            "image_generation",
            {"prompt": "a", "image_reference": "face", "image_fidelity": 0.5},
            {"image_reference", "image_fidelity"},
        ),
        (
            "image_generation",
            {"prompt": "a", "image": PICTURE, "human_fidelity": 1.1},
            {"human_fidelity"},
        ),
        (
            "omni_image",
            {"prompt": "a", "image_list": pictures(6), "element_list": [{"element_id": 1}] * 5},
            {"image_list"},
        ),
        ("omni_image", {"prompt": "a <<<image_1>>>"}, {"prompt"}),
        ("omni_image", {"prompt": "a", "series_amount": 3}, {"series_amount"}),
        ("omni_image", {"prompt": "a", "result_type": "series", "n": 2}, {"n"}),
        ("omni_image", {"prompt": "a", "aspect_ratio": "5:4"}, {"aspect_ratio"}),
        (
            "multi_image2image",
            {"subject_image_list": pictures(5, "subject_image")},
            {"subject_image_list"},
        ),
        ("expand", {"image": PICTURE}, {"up_expansion_ratio"}),
        (
            "expand",
            {"image": PICTURE, "up_expansion_ratio": 2, "left_expansion_ratio": 0.1},
            {"up_expansion_ratio"},
        ),
        ("expand", {"image": PICTURE, "up_expansion_ratio": 2.1}, {"up_expansion_ratio"}),
        ("virtual_try_on", {"human_image": PICTURE}, {"cloth_image"}),
        ("tts", {"text": " ", "voice_id": "v", "voice_language": "en"}, {"text"}),
        ("tts", {"text": "x" * 1001, "voice_id": "v", "voice_language": "en"}, {"text"}),
        ("tts", {"text": "hi", "voice_id": "v"}, {"voice_language"}),
        ("text_to_audio", {"prompt": "x" * 201, "duration": 5}, {"prompt"}),
        ("text_to_audio", {"prompt": "rain", "duration": 2.9}, {"duration"}),
        ("video_to_audio", {"bgm_prompt": "x" * 201}, {"bgm_prompt"}),
        ("custom_voice", {"voice_name": "x" * 21, "voice_url": SOUND}, {"voice_name"}),
        ("custom_voice", {"voice_name": "me", "voice_url": SOUND, "video_id": "v"}, {"video_id"}),
        ("custom_element", {**ELEMENT, "reference_type": "image_refer"}, {"element_image_list"}),
        (
            "custom_element",
            {**ELEMENT, "reference_type": "video_refer", "element_image_list": PICTURES},
            {"element_video_list", "element_image_list"},
        ),
        (
            "custom_element",
            {
                **ELEMENT,
                "reference_type": "image_refer",
                "element_image_list": {**PICTURES, "refer_images": []},
            },
            {"element_image_list.refer_images"},
        ),
        ("preset_voices", {"page_size": 501}, {"page_size"}),
        ("delete_voice", {"voice_id": "voice-7"}, {"voice_id"}),
    ],
)
def test_what_may_not_be_asked_names_the_field(
    name: str, fields: dict[str, Any], at_fault: set[str]
) -> None:
    assert set(complaints(name, fields)) == at_fault


def test_messages_say_what_to_change() -> None:
    assert complaints(
        "expand", {"image": PICTURE, "up_expansion_ratio": 2, "left_expansion_ratio": 1}
    ) == {"up_expansion_ratio": "the new picture is 6 times as large; 3 times is the most"}
    assert complaints(
        "omni_video", {"prompt": "<<<image_2>>>", "image_list": pictures(1, "image_url")}
    ) == {"prompt": "names <<<image_2>>>, but image_list holds 1"}
    assert complaints("effects", {"effect_scene": "hug_pro", "input": {"image": PICTURE}}) == {
        "input.images": "hug_pro takes two pictures"
    }
    assert complaints("avatar", {"image": PICTURE, "sound_file": SOUND, "audio_id": "a"}) == {
        "sound_file": "give either audio_id or sound_file, not both"
    }
