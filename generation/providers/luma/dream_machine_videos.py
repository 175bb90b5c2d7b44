"""Requests for new videos at Dream Machine, with the fields of the vendor's documentation."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from generation.contract.operation import Parent
from generation.contract.request import Part, Problem
from generation.providers.kit.media_inputs import Address
from generation.providers.luma.dream_machine_models import ASPECT_RATIOS, VIDEO_MODELS, DreamPrompt
from generation.providers.luma.ends import Ends
from generation.providers.luma.inputs import (
    AspectRatio,
    GenerationId,
    Seconds,
    Word,
)
from generation.providers.luma.request import (
    Draft,
    LumaRequest,
    generation_of,
    given,
    unknown_value,
)


class Concept(Part):
    """A camera movement or a view, by the vendor's key, such as `dolly_zoom`."""

    key: Word


class ImageFrame(Part):
    """A frame that is a picture."""

    type: Literal["image"]
    url: Address


class GenerationFrame(Part):
    """A frame that is an end of an earlier video."""

    type: Literal["generation"]
    id: GenerationId


Frame = Annotated[ImageFrame | GenerationFrame, Field(discriminator="type")]


class Keyframes(Part):
    """How the video begins (`frame0`) and how it ends (`frame1`)."""

    frame0: Frame | None = None
    frame1: Frame | None = None


def image_frame(url: str) -> dict[str, Any]:
    return {"type": "image", "url": url}


def generation_frame(generation_id: str) -> dict[str, Any]:
    return {"type": "generation", "id": generation_id}


class DreamMotion(LumaRequest):
    """What every new video takes; what it begins and ends with is what sets them apart."""

    prompt: DreamPrompt
    model: Word = "ray-2"
    aspect_ratio: AspectRatio = "16:9"
    duration: Seconds | None = None
    resolution: Word | None = None
    loop: bool | None = None
    concepts: tuple[Concept, ...] | None = None

    def frames(self, parent: Parent | None) -> Mapping[str, Any]:
        """`frame0` and `frame1`, as far as there are any."""
        del parent
        return {}

    def draft(self, parent: Parent | None) -> Draft:
        body = given(
            model=self.model,
            prompt=self.prompt,
            aspect_ratio=self.aspect_ratio,
            duration=self.duration,
            resolution=self.resolution,
            loop=self.loop,
            concepts=[concept.model_dump() for concept in self.concepts or ()] or None,
            keyframes=dict(self.frames(parent)) or None,
        )
        return Draft("/generations/video", body)

    def problems(self) -> Iterator[Problem]:
        model = VIDEO_MODELS.get(self.model)
        if model is None:
            return
        yield from unknown_value("aspect_ratio", self.aspect_ratio, ASPECT_RATIOS, self.model)
        yield from unknown_value("duration", self.duration, model.durations, self.model)
        yield from unknown_value("resolution", self.resolution, model.resolutions, self.model)
        if self.concepts and not model.concepts:
            yield ("concepts",), f"{self.model} takes no concepts: leave them out"


class DreamVideo(DreamMotion):
    """A video from words, and from pictures to begin and to end with if there are any."""

    image_url: Address | None = Field(None, description="Begin with this picture.")
    image_end_url: Address | None = Field(None, description="End with this picture.")
    keyframes: Keyframes | None = Field(None, description="The same in the vendor's own words.")

    def frames(self, parent: Parent | None) -> Mapping[str, Any]:
        del parent
        frames: dict[str, Any] = {}
        if self.keyframes is not None:
            frames |= self.keyframes.model_dump(mode="json", exclude_none=True)
        if self.image_url is not None:
            frames["frame0"] = image_frame(self.image_url)
        if self.image_end_url is not None:
            frames["frame1"] = image_frame(self.image_end_url)
        return frames

    def problems(self) -> Iterator[Problem]:
        yield from super().problems()
        keyframes = self.keyframes
        if keyframes is None:
            return
        if keyframes.frame0 is None and keyframes.frame1 is None:
            yield ("keyframes",), "give frame0 or frame1 or both, or leave keyframes out"
        if keyframes.frame0 is not None and self.image_url is not None:
            yield ("image_url",), "keyframes.frame0 says already how the video begins: give one"
        if keyframes.frame1 is not None and self.image_end_url is not None:
            yield ("image_end_url",), "keyframes.frame1 says already how the video ends: give one"


class DreamExtend(DreamMotion):
    """A video that goes on where an earlier one ended."""

    generation_id: GenerationId | None = None
    image_end_url: Address | None = Field(None, description="End with this picture.")

    def frames(self, parent: Parent | None) -> Mapping[str, Any]:
        start = generation_of(parent, self.generation_id, "generation_id")
        end = self.image_end_url and image_frame(self.image_end_url)
        return given(frame0=generation_frame(start), frame1=end)


class DreamReverseExtend(DreamMotion):
    """A video that leads up to the beginning of an earlier one."""

    generation_id: GenerationId | None = None
    image_url: Address | None = Field(None, description="Begin with this picture.")

    def frames(self, parent: Parent | None) -> Mapping[str, Any]:
        end = generation_of(parent, self.generation_id, "generation_id")
        start = self.image_url and image_frame(self.image_url)
        return given(frame0=start, frame1=generation_frame(end))


class DreamInterpolate(DreamMotion):
    """A video between two earlier ones, or between one and a picture."""

    start_generation_id: GenerationId | None = Field(
        None, description="Begin where this video ended. A parent job fills the end that is free."
    )
    end_generation_id: GenerationId | None = Field(None, description="End where this video began.")
    image_url: Address | None = Field(None, description="Begin with this picture instead.")
    image_end_url: Address | None = Field(None, description="End with this picture instead.")

    def frames(self, parent: Parent | None) -> Mapping[str, Any]:
        ends = self._ends().filled(parent)
        return {
            "frame0": generation_frame(ends.start)
            if ends.start
            else image_frame(ends.start_image or ""),
            "frame1": generation_frame(ends.end) if ends.end else image_frame(ends.end_image or ""),
        }

    def problems(self) -> Iterator[Problem]:
        yield from super().problems()
        yield from self._ends().problems()

    def _ends(self) -> Ends:
        return Ends(
            self.start_generation_id, self.end_generation_id, self.image_url, self.image_end_url
        )
