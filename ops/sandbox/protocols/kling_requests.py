"""What Kling's v1 endpoints take. Checked where the documentation is plain about names and forms;
values that change with each model (such as its name) are let through.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, cast

from ops.sandbox.replies import text_of

PROMPT_LONGEST = 2500
DURATIONS = tuple(str(seconds) for seconds in range(3, 16))
DEFAULT_DURATION = "5"
_CHOICES = {
    "mode": ("std", "pro", "4k"),
    "duration": DURATIONS,
    "aspect_ratio": ("16:9", "9:16", "1:1"),
    "sound": ("on", "off"),
}


class Endpoint(NamedTuple):
    """One operation: how long it takes, and what is wrong with a body (None: nothing)."""

    typical_seconds: float
    complaint: Callable[[Mapping[str, Any]], str | None]


def prompt_of(body: dict[str, Any]) -> str:
    """The prompt, or those of its shots."""
    return text_of(body, "prompt") or " ".join(_shot_prompts(body.get("multi_prompt")))


def seconds_of(body: dict[str, Any]) -> float:
    """How long the video is to be."""
    return float(body.get("duration", DEFAULT_DURATION))


def _text2video(body: Mapping[str, Any]) -> str | None:
    if not body.get("prompt") and not body.get("multi_shot"):
        return "prompt is required"
    return _common(body)


def _image2video(body: Mapping[str, Any]) -> str | None:
    images = [body[name] for name in ("image", "image_tail") if body.get(name)]
    if not images:
        return "image or image_tail is required"
    if any(str(image).startswith("data:") for image in images):
        return "image is invalid: a URL or base64 without a data: prefix is expected"
    if "aspect_ratio" in body:
        return "aspect_ratio is invalid"
    return _common(body)


def _common(body: Mapping[str, Any]) -> str | None:
    for name in ("prompt", "negative_prompt"):
        text = body.get(name) or ""
        if not isinstance(text, str) or len(text) > PROMPT_LONGEST:
            return f"{name} is invalid: a text of at most {PROMPT_LONGEST} characters is expected"
    for name, choices in _CHOICES.items():
        if name in body and body[name] not in choices:
            return f"{name} is invalid: one of {', '.join(choices)} is expected, as a string"
    return None


def _shot_prompts(shots: object) -> list[str]:
    listed = cast("list[object]", shots) if isinstance(shots, list) else []
    return [
        text_of(cast("dict[str, Any]", shot), "prompt") for shot in listed if isinstance(shot, dict)
    ]


ENDPOINTS: Mapping[str, Endpoint] = {
    "text2video": Endpoint(319.0, _text2video),
    "image2video": Endpoint(164.0, _image2video),
}
