"""The second API's two orders, under the names the first one gave their fields.

An order means the same in every dialect, so that it can go to any station that sells it: `mode` is
the resolution (`std` 720p, `pro` 1080p), `sound` the audio, and models go by either of their names.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import Field

from generation.contract.operation import Parent
from generation.contract.request import Problem
from generation.providers.kling.requests.fields import (
    NOT_BLANK,
    KlingRequest,
    Name,
    OnOff,
    Ratio,
    Seconds,
    WatermarkInfo,
)
from generation.providers.kling.requests.media import LargePicture
from generation.providers.kling.requests.models import (
    Model,
    model_problems,
    ratio_problems,
    sound_problems,
)

#: The first API's names of models, and what the second calls them.
_NAMES: Mapping[str, str] = {"kling-v2-6": "kling-2.6", "kling-v3": "kling-3.0"}
_RESOLUTIONS: Mapping[str, str] = {"std": "720p", "pro": "1080p"}
_AUDIO: Mapping[str, str] = {"on": "native", "off": "off"}

_MODES = ("std", "pro", "720p", "1080p")
_LONG = frozenset(range(3, 16))
_MODELS: Mapping[str, Model] = {
    "kling-2.6": Model(modes=_MODES, sound=True),
    "kling-3.0": Model(durations=_LONG, modes=(*_MODES, "4k"), sound=True),
    "kling-3.0-turbo": Model(durations=_LONG, modes=_MODES, sound=True),
}

LongPrompt = Annotated[str, Field(max_length=3072)]


class SecondRequest(KlingRequest):
    """What both orders take. The model has no default: it is part of the address."""

    model_name: Name
    mode: str = "std"
    sound: OnOff | None = None
    duration: Seconds = "5"
    multi_shot: bool | None = None
    watermark_info: WatermarkInfo | None = None

    @property
    def model_path(self) -> str:
        """The model as the second API names it."""
        return _NAMES.get(self.model_name, self.model_name)

    def known_model(self) -> Model | None:
        """What its model can do, where that is known."""
        return _MODELS.get(self.model_path)

    def problems(self) -> Iterator[Problem]:
        yield from model_problems(self, self.known_model())
        yield from sound_problems(self, self.known_model())

    def settings(self) -> dict[str, Any]:
        """The body's `settings`."""
        said = {
            "resolution": _RESOLUTIONS.get(self.mode, self.mode),
            "duration": int(self.duration),
            "audio": _AUDIO[self.sound] if self.sound else None,
            "multi_shot": self.multi_shot,
        }
        return {name: value for name, value in said.items() if value is not None}

    def options(self) -> dict[str, Any]:
        """The body's `options`, without what belongs to the job."""
        if self.watermark_info is None:
            return {}
        return {"watermark_info": self.watermark_info.model_dump()}


class SecondText2Video(SecondRequest):
    """A video from words."""

    prompt: Annotated[LongPrompt, Field(min_length=1), NOT_BLANK]
    aspect_ratio: Ratio = "16:9"

    def problems(self) -> Iterator[Problem]:
        yield from super().problems()
        known = self.known_model() is not None
        yield from ratio_problems(self.model_name, self.aspect_ratio, known)

    def wire(self, parent: Parent | None) -> dict[str, Any]:
        del parent
        settings = {**self.settings(), "aspect_ratio": self.aspect_ratio}
        return {"prompt": self.prompt, "settings": settings, "options": self.options()}


class SecondImage2Video(SecondRequest):
    """A video that begins with a picture, and may end with another; its shape is theirs."""

    image: LargePicture
    image_tail: LargePicture | None = None
    prompt: LongPrompt | None = None

    def wire(self, parent: Parent | None) -> dict[str, Any]:
        del parent
        contents = [{"type": "first_frame", "url": self.image}]
        if self.prompt:
            contents.insert(0, {"type": "prompt", "text": self.prompt})
        if self.image_tail is not None:
            contents.append({"type": "last_frame", "url": self.image_tail})
        return {"contents": contents, "settings": self.settings(), "options": self.options()}
