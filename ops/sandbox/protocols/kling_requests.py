"""The fields of Kling's v1 endpoints.

They are checked where the documentation is clear about names and forms. Values that change with
each model (such as its name) and all ids are accepted.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from ops.sandbox.replies import text_of

PROMPT_LONGEST = 2500
DEFAULT_SECONDS = 5.0
_LONG = tuple(str(seconds) for seconds in range(3, 16))
_VIDEO = {
    "mode": ("std", "pro", "4k"),
    "duration": _LONG,
    "aspect_ratio": ("16:9", "9:16", "1:1"),
    "sound": ("on", "off"),
}
_SHORT_VIDEO = {**_VIDEO, "duration": ("5", "10")}
_IMAGE = {
    "aspect_ratio": ("16:9", "9:16", "1:1", "4:3", "3:4", "3:2", "2:3", "21:9", "auto"),
    "n": tuple(range(1, 10)),
}
_SPEECH = {"voice_language": ("zh", "en")}

#: Fields that hold addresses and references; they are not part of the prompt.
_ADDRESSES = ("external_task_id", "callback_url")
#: Longer texts are pictures and sounds in base64.
_LONGEST_TEXT = 5000


@dataclass(frozen=True, slots=True)
class KlingRules:
    """The rules that a valid body keeps."""

    #: Required fields; `a|b`: one of them. A dot leads into an object.
    needs: tuple[str, ...] = ()
    #: Fields that are not allowed.
    refuses: tuple[str, ...] = ()
    #: The values that optional fields may have.
    choices: Mapping[str, tuple[object, ...]] | None = None

    def complaint(self, body: Mapping[str, Any]) -> str | None:
        """The first error; None for a valid body."""
        return next(self._complaints(body), None)

    def _complaints(self, body: Mapping[str, Any]) -> Iterator[str]:
        for need in self.needs:
            if not any(value_at(body, name) for name in need.split("|")):
                yield f"{need.replace('|', ' or ')} is required"
        yield from (f"{name} is invalid" for name in self.refuses if name in body)
        for path, text in texts_in(body):
            if text.startswith("data:"):
                yield f"{path} is invalid: a URL or base64 without a data: prefix is expected"
        yield from _long_prompts(body)
        for name, allowed in (self.choices or {}).items():
            if name in body and body[name] not in allowed:
                listed = ", ".join(map(str, allowed))
                yield f"{name} is invalid: one of {listed} is expected, and no other type"


def _long_prompts(body: Mapping[str, Any]) -> Iterator[str]:
    for name in ("prompt", "negative_prompt"):
        text = body.get(name) or ""
        if not isinstance(text, str) or len(text) > PROMPT_LONGEST:
            yield f"{name} is invalid: a text of at most {PROMPT_LONGEST} characters is expected"


_SESSION = KlingRules(needs=("session_id",))
_MARK = KlingRules(needs=("session_id", "points"))
_NAMED_VIDEO = KlingRules(needs=("video_id|video_url",))

#: The rules of each task endpoint, by operation.
TASKS: Mapping[str, KlingRules] = {
    "text2video": KlingRules(("prompt|multi_shot",), choices=_VIDEO),
    "image2video": KlingRules(("image|image_tail",), ("aspect_ratio",), _VIDEO),
    "multi_image2video": KlingRules(("image_list", "prompt"), choices=_SHORT_VIDEO),
    "omni_video": KlingRules(("prompt|multi_shot",), choices=_VIDEO),
    "motion_control": KlingRules(
        ("image_url", "video_url", "character_orientation", "mode"),
        choices={"mode": ("std", "pro"), "character_orientation": ("image", "video")},
    ),
    "video_extend": KlingRules(("video_id",)),
    "lip_sync": KlingRules(("input.mode", "input.video_id|input.video_url")),
    "advanced_lip_sync": KlingRules(("session_id", "face_choose")),
    "effects": KlingRules(("effect_scene", "input.image|input.images")),
    "avatar": KlingRules(("image", "audio_id|sound_file"), choices={"mode": ("std", "pro")}),
    "multi_elements": KlingRules(
        ("session_id", "prompt"),
        choices={**_SHORT_VIDEO, "edit_mode": ("addition", "swap", "removal")},
    ),
    "image_generation": KlingRules(("prompt",), choices=_IMAGE),
    "omni_image": KlingRules(("prompt",), choices=_IMAGE),
    "multi_image2image": KlingRules(("subject_image_list",), choices=_IMAGE),
    "expand": KlingRules(("image",), choices=_IMAGE),
    "virtual_try_on": KlingRules(("human_image", "cloth_image")),
    "ai_multi_shot": KlingRules(("element_frontal_image",)),
    "text_to_audio": KlingRules(("prompt", "duration")),
    "video_to_audio": _NAMED_VIDEO,
    "custom_voice": KlingRules(("voice_name", "voice_url|video_id")),
    "custom_element": KlingRules(("element_name", "element_description", "reference_type")),
}
#: The rules of each endpoint that returns its result at once.
CALLS: Mapping[str, KlingRules] = {
    "identify_face": _NAMED_VIDEO,
    "init_selection": _NAMED_VIDEO,
    "add_selection": _MARK,
    "delete_selection": _MARK,
    "clear_selection": _SESSION,
    "preview_selection": _SESSION,
    "image_recognize": KlingRules(("image",)),
    "tts": KlingRules(("text", "voice_id", "voice_language"), choices=_SPEECH),
}


def value_at(body: Mapping[str, Any], path: str) -> object:
    """The value at a dotted name; None without one."""
    value: object = body
    for name in path.split("."):
        value = cast("dict[str, object]", value).get(name) if isinstance(value, dict) else None
    return value


def texts_in(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Every text in a body, with its dotted name."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for name, inner in cast("dict[str, object]", value).items():
            yield from texts_in(inner, f"{path}.{name}".lstrip("."))
    elif isinstance(value, list):
        for number, inner in enumerate(cast("list[object]", value)):
            yield from texts_in(inner, f"{path}.{number}")


def prompt_of(body: dict[str, Any]) -> str:
    """The prompt or, without one, all texts of the body: knobs may stand in any of them."""
    said = (
        text
        for path, text in texts_in(body)
        if path not in _ADDRESSES and len(text) <= _LONGEST_TEXT
    )
    return text_of(body, "prompt") or " ".join(said)


def seconds_of(body: dict[str, Any]) -> float:
    """Seconds that the video or sound lasts."""
    for name in ("duration", "input.duration"):
        try:
            seconds = float(str(value_at(body, name)))
        except ValueError:
            continue
        return min(max(seconds, 0.1), 60.0)
    return DEFAULT_SECONDS


def count_of(body: dict[str, Any]) -> int:
    """The number of pictures."""
    count = body.get("series_amount" if body.get("result_type") == "series" else "n", 1)
    return count if isinstance(count, int) and 1 <= count <= 9 else 1
