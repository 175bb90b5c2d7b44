"""Videos that are carried on, dressed up or changed."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Field

from generation.contract.errors import Rejected
from generation.contract.operation import Parent
from generation.contract.request import LARGEST_INTEGER, Part, Problem
from generation.providers.kling import parents
from generation.providers.kling.requests.fields import (
    AtLeast,
    CfgScale,
    KlingRequest,
    Name,
    NeededPrompt,
    Prompt,
    Seconds,
    WatermarkInfo,
    at_most_one,
    exactly_one,
    one_of,
    under,
)
from generation.providers.kling.requests.media import Picture, Url
from generation.providers.kling.requests.models import (
    EXTENSIBLE,
    IMAGE2VIDEO,
    PLAIN,
    model_problems,
)
from generation.providers.kling.requests.sources import named_video
from generation.providers.kling.requests.video import ListedPicture

#: Effects known to bring two people together.
DUAL_SCENES = frozenset(
    {"hug", "kiss", "heart_gesture", "fight"}
    | {"hug_pro", "kiss_pro", "heart_gesture_pro", "fight_pro", "cheers_2026"}
)


class VideoExtend(KlingRequest):
    """A video of the first models, four or five seconds longer; three minutes are the most."""

    video_id: Name | None = None
    prompt: Prompt | None = None
    negative_prompt: Prompt | None = None
    cfg_scale: CfgScale | None = None
    watermark_info: WatermarkInfo | None = None

    def wire(self, parent: Parent | None) -> dict[str, Any]:
        model = str(parent.input.get("model_name", "")) if parent else ""
        if model in IMAGE2VIDEO and model not in EXTENSIBLE:
            raise Rejected(
                f"parent: videos of {model} cannot be extended, only those of"
                f" {one_of(sorted(EXTENSIBLE))}"
            )
        body = super().wire(parent)
        return {**body, "video_id": parents.video_id(self.video_id, parent)}


class EffectInput(Part):
    """Whom the effect happens to: one picture, or two for an effect between two people."""

    model_name: Name | None = None
    mode: str | None = None
    image: Picture | None = None
    images: Annotated[tuple[Picture, ...], Field(max_length=2), AtLeast(2)] | None = None
    duration: Seconds | None = None

    def problems(self, scene: str) -> Iterator[Problem]:
        """As many pictures as the scene takes, where that is known."""
        if scene in DUAL_SCENES and self.images is None:
            yield ("images",), f"{scene} takes two pictures"
        else:
            yield from exactly_one(self, "image", "images")


class Effects(KlingRequest):
    """A ready-made effect on one picture or two; there are about 200, by name."""

    effect_scene: Name
    input: EffectInput
    watermark_info: WatermarkInfo | None = None

    def problems(self) -> Iterator[Problem]:
        yield from under("input", self.input.problems(self.effect_scene))


class InitSelection(KlingRequest):
    """Opens a session to change a video of 2 to 5 or 7 to 10 seconds."""

    video_id: Name | None = None
    video_url: Url | None = None

    def problems(self) -> Iterator[Problem]:
        yield from at_most_one(self, "video_id", "video_url")

    def wire(self, parent: Parent | None) -> dict[str, Any]:
        return named_video(super().wire(parent), parent)


class SessionRequest(KlingRequest):
    """A call in a session that `init_selection` opened; sessions live for 24 hours."""

    session_id: Name | None = None

    def wire(self, parent: Parent | None) -> dict[str, Any]:
        return {**super().wire(parent), "session_id": parents.session_id(self.session_id, parent)}


class Place(Part):
    """A place in a frame, as shares of its width and height from the upper left corner."""

    x: float = Field(ge=0, le=1)
    y: float = Field(ge=0, le=1)


class MarkSelection(SessionRequest):
    """What stands at these places of a frame joins the selection, or leaves it."""

    frame_index: int = Field(ge=0, le=LARGEST_INTEGER)
    points: Annotated[tuple[Place, ...], AtLeast(1)]


class MultiElements(SessionRequest):
    """The session's video with something added, swapped or removed."""

    model_name: Name = "kling-v1-6"
    edit_mode: Literal["addition", "swap", "removal"]
    image_list: Annotated[tuple[ListedPicture, ...], Field(max_length=2), AtLeast(1)] | None = None
    prompt: NeededPrompt
    negative_prompt: Prompt | None = None
    mode: str = "std"
    duration: Seconds = "5"
    watermark_info: WatermarkInfo | None = None

    def problems(self) -> Iterator[Problem]:
        yield from model_problems(self, PLAIN if self.model_name == "kling-v1-6" else None)
        if self.edit_mode != "removal" and not self.image_list:
            yield ("image_list",), f"{self.edit_mode} needs a picture of what comes in"
