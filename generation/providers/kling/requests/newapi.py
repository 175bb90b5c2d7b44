"""What survives a new-api station, which rebuilds each request from the fields it knows.

It drops the others without a word and charges all the same. An order that asks for something by
such a field is refused before it is paid: a silent video is not what was ordered. A field that asks
for nothing beyond the default (`sound: off`) may be dropped, and is.
"""

from collections.abc import Iterator
from typing import Any

from generation.contract.operation import Parent
from generation.contract.request import Problem
from generation.providers.kling.requests.fields import KlingRequest
from generation.providers.kling.requests.video import Image2Video, Text2Video

#: Fields that do not reach Kling, with the values that ask for nothing.
DROPPED: dict[str, tuple[Any, ...]] = {
    "sound": (None, "off"),
    "multi_shot": (None, False),
    "shot_type": (None,),
    "multi_prompt": (None, ()),
    "element_list": (None, ()),
    "voice_list": (None, ()),
    "watermark_info": (None,),
}


class NewApiText2Video(Text2Video):
    """A video from words, at a station that needs them and knows fewer fields."""

    def problems(self) -> Iterator[Problem]:
        yield from super().problems()
        yield from dropped_problems(self)

    def wire(self, parent: Parent | None) -> dict[str, Any]:
        return surviving(super().wire(parent))


class NewApiImage2Video(Image2Video):
    """A video that begins with a picture; the station needs that picture, and a prompt."""

    def problems(self) -> Iterator[Problem]:
        yield from super().problems()
        yield from dropped_problems(self)
        if not (self.prompt or "").strip():
            yield ("prompt",), "a new-api station needs a prompt"
        if self.image is None and self.image_tail is not None:
            yield ("image",), "a new-api station makes a video from words alone without it"

    def wire(self, parent: Parent | None) -> dict[str, Any]:
        return surviving(super().wire(parent))


def dropped_problems(request: KlingRequest) -> Iterator[Problem]:
    """What is asked for and would be dropped."""
    for name, nothing in DROPPED.items():
        value = getattr(request, name, None)
        if name == "watermark_info" and value is not None and not value.enabled:
            continue
        if value not in nothing:
            yield (name,), "a new-api station drops it silently; leave it out"


def surviving(body: dict[str, Any]) -> dict[str, Any]:
    """The body without what would be dropped."""
    return {name: value for name, value in body.items() if name not in DROPPED}
