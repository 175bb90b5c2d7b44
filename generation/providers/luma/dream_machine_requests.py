"""
What callers may ask of Luma's Dream Machine API, field for field as the vendor documents it.

Files come by public https URL only: this API takes no content and has no upload.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from urllib.parse import quote

from pydantic import Field

from generation.operation import Parent
from generation.providers.luma.ends import Ends
from generation.providers.luma.inputs import (
    AspectRatio,
    GenerationId,
    MediaUrl,
    ModifyMode,
    Part,
    Pixels,
    Prompt,
    Seconds,
    Word,
)
from generation.providers.luma.request import (
    Draft,
    LumaRequest,
    Problem,
    file_of,
    generation_of,
    given,
    unknown_value,
)
from generation.status import AssetType

#: The vendor's clients send no shorter one.
DreamPrompt = Annotated[Prompt, Field(min_length=3)]

ASPECT_RATIOS = ("1:1", "16:9", "9:16", "4:3", "3:4", "21:9", "9:21")


@dataclass(frozen=True, slots=True)
class Model:
    """What a known model can do."""

    durations: tuple[str, ...] = ("5s", "9s")
    resolutions: tuple[str, ...] = ("540p", "720p", "1080p", "4k")
    concepts: bool = True


VIDEO_MODELS = {
    "ray-2": Model(),
    "ray-flash-2": Model(),
    "ray-1-6": Model(durations=(), resolutions=(), concepts=False),
}
IMAGE_MODELS = ("photon-1", "photon-flash-1")


class Concept(Part):
    """A camera movement or a view, by the vendor's key: `dolly_zoom`, `orbit_left` …"""

    key: Word


class ImageFrame(Part):
    """A frame that is a picture."""

    type: Literal["image"]
    url: MediaUrl


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

    image_url: MediaUrl | None = Field(None, description="Begin with this picture.")
    image_end_url: MediaUrl | None = Field(None, description="End with this picture.")
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
    image_end_url: MediaUrl | None = Field(None, description="End with this picture.")

    def frames(self, parent: Parent | None) -> Mapping[str, Any]:
        start = generation_of(parent, self.generation_id, "generation_id")
        end = self.image_end_url and image_frame(self.image_end_url)
        return given(frame0=generation_frame(start), frame1=end)


class DreamReverseExtend(DreamMotion):
    """A video that leads up to the beginning of an earlier one."""

    generation_id: GenerationId | None = None
    image_url: MediaUrl | None = Field(None, description="Begin with this picture.")

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
    image_url: MediaUrl | None = Field(None, description="Begin with this picture instead.")
    image_end_url: MediaUrl | None = Field(None, description="End with this picture instead.")

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


class WeightedImage(Part):
    """A picture to go by, and how closely."""

    url: MediaUrl
    weight: float | None = Field(None, ge=0, le=1)


class CharacterImages(Part):
    """Pictures of one character."""

    images: tuple[MediaUrl, ...] = Field(max_length=4)


class CharacterReference(Part):
    """The character that the picture shows."""

    identity0: CharacterImages


class DreamImage(LumaRequest):
    """
    A picture by Photon. The vendor's `sync` is not offered: it would hold a paid answer on an open
    connection for up to a minute, and waiting is what this service does.
    """

    prompt: DreamPrompt
    model: Word = "photon-1"
    aspect_ratio: AspectRatio = "16:9"
    format: Literal["jpg", "png"] = "jpg"
    image_ref: tuple[WeightedImage, ...] | None = Field(None, max_length=4)
    style_ref: tuple[WeightedImage, ...] | None = None
    character_ref: CharacterReference | None = None
    modify_image_ref: WeightedImage | None = None

    def draft(self, parent: Parent | None) -> Draft:
        del parent
        body = self.model_dump(mode="json", exclude_none=True)
        return Draft("/generations/image", {name: value for name, value in body.items() if value})

    def problems(self) -> Iterator[Problem]:
        if self.model in IMAGE_MODELS:
            yield from unknown_value("aspect_ratio", self.aspect_ratio, ASPECT_RATIOS, self.model)
        if self.character_ref is not None and not self.character_ref.identity0.images:
            yield ("character_ref", "identity0", "images"), "give at least one picture"


class DreamReframe(LumaRequest):
    """What both reframes take."""

    model: Word = "ray-2"
    aspect_ratio: AspectRatio = Field(description="The new frame.")
    prompt: str | None = Field(None, description="What to fill the new parts of the frame with.")
    grid_position_x: Pixels | None = None
    grid_position_y: Pixels | None = None
    x_start: Pixels | None = None
    x_end: Pixels | None = None
    y_start: Pixels | None = None
    y_end: Pixels | None = None
    resized_width: Pixels | None = None
    resized_height: Pixels | None = None

    def shared(self) -> dict[str, Any]:
        """What both send alike."""
        names = set(DreamReframe.model_fields)
        return self.model_dump(mode="json", exclude_none=True, include=names)

    def problems(self) -> Iterator[Problem]:
        if self.model in (*VIDEO_MODELS, *IMAGE_MODELS):
            yield from unknown_value("aspect_ratio", self.aspect_ratio, ASPECT_RATIOS, self.model)
        for axis in "xy":
            start, end = getattr(self, f"{axis}_start"), getattr(self, f"{axis}_end")
            if start is not None and end is not None and end <= start:
                yield (f"{axis}_end",), f"must be beyond {axis}_start, which is {start}"


class DreamReframeImage(DreamReframe):
    """A picture in another frame, with what was outside of it made up."""

    image_url: MediaUrl | None = Field(None, description="The picture, without a parent job.")
    model: Word = "photon-1"
    format: Literal["jpg", "png"] = "jpg"

    def draft(self, parent: Parent | None) -> Draft:
        media = file_of(parent, self.image_url, AssetType.IMAGE, "image_url")
        body = {
            "generation_type": "reframe_image",
            "media": {"url": media},
            "format": self.format,
        }
        return Draft("/generations/image/reframe", body | self.shared())


class DreamReframeVideo(DreamReframe):
    """A video in another frame, with what was outside of it made up."""

    video_url: MediaUrl | None = Field(None, description="The video, without a parent job.")
    first_frame_url: MediaUrl | None = Field(None, description="How the new video begins.")

    def draft(self, parent: Parent | None) -> Draft:
        media = file_of(parent, self.video_url, AssetType.VIDEO, "video_url")
        body = {
            "generation_type": "reframe_video",
            "media": {"url": media},
            **given(first_frame=self.first_frame_url and {"url": self.first_frame_url}),
        }
        return Draft("/generations/video/reframe", body | self.shared())


class DreamModifyVideo(LumaRequest):
    """A video made anew from an earlier one."""

    video_url: MediaUrl | None = Field(None, description="The video, without a parent job.")
    mode: ModifyMode
    model: Word = "ray-2"
    first_frame_url: MediaUrl | None = Field(None, description="How the new video begins.")
    prompt: Prompt | None = None

    def draft(self, parent: Parent | None) -> Draft:
        media = file_of(parent, self.video_url, AssetType.VIDEO, "video_url")
        body = {
            "generation_type": "modify_video",
            "model": self.model,
            "mode": self.mode,
            "media": {"url": media},
            **given(
                first_frame=self.first_frame_url and {"url": self.first_frame_url},
                prompt=self.prompt,
            ),
        }
        return Draft("/generations/video/modify", body)


class DreamUpscale(LumaRequest):
    """An earlier video with more pixels."""

    generation_id: GenerationId | None = None
    resolution: Word | None = None

    def draft(self, parent: Parent | None) -> Draft:
        source = generation_of(parent, self.generation_id, "generation_id")
        body = {"generation_type": "upscale_video", **given(resolution=self.resolution)}
        return Draft(f"/generations/{quote(source, safe='')}/upscale", body)


class DreamAudio(LumaRequest):
    """An earlier video with sound."""

    generation_id: GenerationId | None = None
    prompt: Prompt | None = None
    negative_prompt: Prompt | None = None

    def draft(self, parent: Parent | None) -> Draft:
        source = generation_of(parent, self.generation_id, "generation_id")
        said = given(prompt=self.prompt, negative_prompt=self.negative_prompt)
        body = {"generation_type": "add_audio", **said}
        return Draft(f"/generations/{quote(source, safe='')}/audio", body)
