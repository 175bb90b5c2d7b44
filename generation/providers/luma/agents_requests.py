"""
What callers may ask of Luma's Agents API, with the vendor's nested `video` object laid flat.

Pictures may be given by content as well as by URL; earlier work by its id.
"""

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field

from generation.operation import Parent
from generation.providers.luma.ends import Ends
from generation.providers.luma.inputs import (
    AspectRatio,
    GenerationId,
    MediaUrl,
    ModifyMode,
    Part,
    Picture,
    Prompt,
    Seconds,
    Word,
    content_of,
    is_url,
)
from generation.providers.luma.request import (
    Draft,
    LumaRequest,
    Problem,
    alone,
    generation_of,
    given,
    unknown_value,
)

ASPECT_RATIOS = (
    *("3:1", "2:1", "21:9", "16:9", "4:3", "3:2", "1:1"),
    *("3:4", "2:3", "9:16", "1:2", "1:3"),
)
DURATIONS = ("5s", "10s")
RESOLUTIONS = ("540p", "720p", "1080p")
IMAGE_MODELS = ("uni-1", "uni-1-max")
VIDEO_MODELS = ("ray-3.2",)

_VIDEO_TYPES: Mapping[str, str] = {".mov": "video/quicktime", ".webm": "video/webm"}


def picture_reference(picture: str) -> dict[str, str]:
    """A picture as this API takes it: by URL, or as base64 and its media type."""
    if is_url(picture):
        return {"url": picture}
    media_type, data = content_of(picture)
    return {"data": data, "media_type": media_type}


def video_reference(url: str, media_type: str | None) -> dict[str, str]:
    """A video by URL. Its media type is asked for; where nobody says it, the name tells."""
    suffix = PurePosixPath(urlsplit(url).path).suffix.lower()
    return {"url": url, "media_type": media_type or _VIDEO_TYPES.get(suffix, "video/mp4")}


class Reference(Part):
    """A picture to go by: its own, or the result of an earlier generation."""

    url: Picture | None = None
    generation_id: GenerationId | None = None

    def wire(self) -> dict[str, str]:
        if self.generation_id is not None:
            return {"generation_id": self.generation_id}
        return picture_reference(self.url or "")


class AgentsRequest(LumaRequest):
    """What every request takes."""

    prompt: Prompt
    user_id: Word | None = Field(None, description="Your own end user, for the vendor's records.")

    def common(self, kind: str, model: str, aspect_ratio: str | None) -> dict[str, Any]:
        return given(
            type=kind,
            model=model,
            prompt=self.prompt,
            aspect_ratio=aspect_ratio,
            user_id=self.user_id,
        )


class AgentsPicture(AgentsRequest):
    """What a new picture and an edited one take alike."""

    model: Word = "uni-1"
    aspect_ratio: AspectRatio | None = None
    output_format: Literal["png", "jpeg"] | None = None
    style: Word | None = Field(None, description="`auto` or `manga`.")
    web_search: bool | None = None

    def picture(self, kind: str, references: tuple[Reference, ...] | None) -> dict[str, Any]:
        return self.common(kind, self.model, self.aspect_ratio) | given(
            image_ref=[reference.wire() for reference in references or ()] or None,
            output_format=self.output_format,
            style=self.style,
            web_search=self.web_search,
        )

    def problems(self) -> Iterator[Problem]:
        if self.model in IMAGE_MODELS:
            yield from unknown_value("aspect_ratio", self.aspect_ratio, ASPECT_RATIOS, self.model)
            yield from unknown_value("style", self.style, ("auto", "manga"), self.model)


class AgentsImage(AgentsPicture):
    """A picture from words, and from pictures to go by if there are any."""

    image_ref: tuple[Reference, ...] | None = Field(None, max_length=9)

    def draft(self, parent: Parent | None) -> Draft:
        del parent
        return Draft("/generations", self.picture("image", self.image_ref))

    def problems(self) -> Iterator[Problem]:
        yield from super().problems()
        yield from reference_problems(self.image_ref)


class AgentsImageEdit(AgentsPicture):
    """A picture made from another one."""

    image_url: Picture | None = Field(None, description="The picture, without a parent job.")
    generation_id: GenerationId | None = None
    image_ref: tuple[Reference, ...] | None = Field(None, max_length=8)

    def draft(self, parent: Parent | None) -> Draft:
        body = self.picture("image_edit", self.image_ref)
        alone(parent, self.image_url, "image_url")
        if self.image_url is not None:
            return Draft("/generations", body | {"source": picture_reference(self.image_url)})
        source = generation_of(parent, self.generation_id, "image_url or generation_id")
        return Draft("/generations", body | {"source": {"generation_id": source}})

    def problems(self) -> Iterator[Problem]:
        yield from super().problems()
        yield from reference_problems(self.image_ref)
        if self.image_url is not None and self.generation_id is not None:
            yield ("generation_id",), "image_url says already what to edit: give one"


def reference_problems(references: tuple[Reference, ...] | None) -> Iterator[Problem]:
    for index, reference in enumerate(references or ()):
        if (reference.url is None) == (reference.generation_id is None):
            yield ("image_ref", index), "give exactly one of url and generation_id"


class AgentsMotion(AgentsRequest):
    """What every video takes."""

    model: Word = "ray-3.2"
    aspect_ratio: AspectRatio | None = None
    duration: Seconds | None = None
    resolution: Word | None = None
    hdr: bool | None = None
    exr_export: bool | None = Field(None, description="Files for film tools too; needs `hdr`.")

    def video(self) -> dict[str, Any]:
        """The vendor's `video` object, as far as all videos share it."""
        return given(
            duration=self.duration,
            resolution=self.resolution,
            hdr=self.hdr,
            exr_export=self.exr_export,
        )

    def drafted(self, kind: str, video: Mapping[str, Any], **more: Any) -> Draft:
        body = self.common(kind, self.model, self.aspect_ratio) | more
        return Draft("/generations", body | given(video=dict(video) or None))

    def problems(self) -> Iterator[Problem]:
        if self.exr_export and not self.hdr:
            yield ("exr_export",), "exr_export needs hdr to be true"
        if self.model in VIDEO_MODELS:
            yield from unknown_value("aspect_ratio", self.aspect_ratio, ASPECT_RATIOS, self.model)
            yield from unknown_value("duration", self.duration, DURATIONS, self.model)
            yield from unknown_value("resolution", self.resolution, RESOLUTIONS, self.model)


class AgentsNewVideo(AgentsMotion):
    """What every new video takes; what it begins and ends with is what sets them apart."""

    loop: bool | None = None

    def frames(self, parent: Parent | None) -> Mapping[str, Any]:
        """`start_frame` and `end_frame`, as far as there are any."""
        del parent
        return {}

    def draft(self, parent: Parent | None) -> Draft:
        frames = self.frames(parent)
        return self.drafted("video", self.video() | given(loop=self.loop) | dict(frames))

    def problems(self) -> Iterator[Problem]:
        yield from super().problems()
        if self.loop and self.duration == "10s":
            yield ("loop",), "a loop lasts 5s: leave the duration out, or the loop"
        if self.loop and self.hdr:
            yield ("loop",), "a loop cannot be hdr: leave one of them out"


class AgentsVideo(AgentsNewVideo):
    """A video from words, and from pictures to begin and to end with if there are any."""

    image_url: Picture | None = Field(None, description="Begin with this picture.")
    image_end_url: Picture | None = Field(None, description="End with this picture.")

    def frames(self, parent: Parent | None) -> Mapping[str, Any]:
        del parent
        return given(
            start_frame=self.image_url and picture_reference(self.image_url),
            end_frame=self.image_end_url and picture_reference(self.image_end_url),
        )


class AgentsExtend(AgentsNewVideo):
    """A video that goes on where an earlier one ended."""

    generation_id: GenerationId | None = None
    image_end_url: Picture | None = Field(None, description="End with this picture.")

    def frames(self, parent: Parent | None) -> Mapping[str, Any]:
        start = generation_of(parent, self.generation_id, "generation_id")
        end = self.image_end_url and picture_reference(self.image_end_url)
        return given(start_frame={"generation_id": start}, end_frame=end)


class AgentsReverseExtend(AgentsNewVideo):
    """A video that leads up to the beginning of an earlier one."""

    generation_id: GenerationId | None = None
    image_url: Picture | None = Field(None, description="Begin with this picture.")

    def frames(self, parent: Parent | None) -> Mapping[str, Any]:
        end = generation_of(parent, self.generation_id, "generation_id")
        start = self.image_url and picture_reference(self.image_url)
        return given(start_frame=start, end_frame={"generation_id": end})


class AgentsInterpolate(AgentsNewVideo):
    """A video between two earlier ones, or between one and a picture."""

    start_generation_id: GenerationId | None = Field(
        None, description="Begin where this video ended. A parent job fills the end that is free."
    )
    end_generation_id: GenerationId | None = Field(None, description="End where this video began.")
    image_url: Picture | None = Field(None, description="Begin with this picture instead.")
    image_end_url: Picture | None = Field(None, description="End with this picture instead.")

    def frames(self, parent: Parent | None) -> Mapping[str, Any]:
        ends = self._ends().filled(parent)
        return {
            "start_frame": {"generation_id": ends.start}
            if ends.start
            else picture_reference(ends.start_image or ""),
            "end_frame": {"generation_id": ends.end}
            if ends.end
            else picture_reference(ends.end_image or ""),
        }

    def problems(self) -> Iterator[Problem]:
        yield from super().problems()
        yield from self._ends().problems()

    def _ends(self) -> Ends:
        return Ends(
            self.start_generation_id, self.end_generation_id, self.image_url, self.image_end_url
        )


class AgentsRemake(AgentsMotion):
    """What is made of an earlier video takes that video: by URL, by id, or from the parent."""

    video_url: MediaUrl | None = Field(None, description="The video, without a parent job.")
    media_type: Word | None = Field(
        None, description="Of `video_url`; `video/mp4` where neither this nor its name tells."
    )
    generation_id: GenerationId | None = None

    def source(self, parent: Parent | None) -> dict[str, str]:
        alone(parent, self.video_url, "video_url")
        if self.video_url is not None:
            return video_reference(self.video_url, self.media_type)
        source = generation_of(parent, self.generation_id, "video_url or generation_id")
        return {"generation_id": source}

    def problems(self) -> Iterator[Problem]:
        yield from super().problems()
        if self.video_url is not None and self.generation_id is not None:
            yield ("generation_id",), "video_url says already what to work on: give one"
        if self.media_type is not None and self.video_url is None:
            yield ("media_type",), "media_type describes video_url: give that, or leave it out"


class Control(Part):
    """A trait of the source that the new video keeps."""

    enabled: bool | None = None


class Depth(Control):
    blur: float | None = None


class Normals(Control):
    augmentation: float | None = None


class Pose(Control):
    strength: Literal["precise", "coarse"] | None = None


class Trajectory(Control):
    sparsity: float | None = None


class Controls(Part):
    """Which traits of the source the new video keeps."""

    depth: Depth | None = None
    face: Control | None = None
    normals: Normals | None = None
    pose: Pose | None = None
    trajectory: Trajectory | None = None


class AgentsModifyVideo(AgentsRemake):
    """A video made anew from an earlier one."""

    mode: ModifyMode | None = None
    auto_controls: bool | None = None
    controls: Controls | None = None
    keyframes: tuple[Picture, ...] | None = Field(None, max_length=64)
    keyframe_indexes: tuple[int, ...] | None = Field(None, max_length=64)

    def draft(self, parent: Parent | None) -> Draft:
        edit = given(
            strength=self.mode,
            auto_controls=self.auto_controls,
            controls=self.controls and self.controls.model_dump(mode="json", exclude_none=True),
            keyframes=[*map(picture_reference, self.keyframes or ())] or None,
            keyframe_indexes=[*(self.keyframe_indexes or ())] or None,
        )
        video = self.video() | given(edit=edit or None)
        return self.drafted("video_edit", video, source=self.source(parent))


class Position(Part):
    """Where the source lies in the new frame, in parts of its width and height."""

    x_norm: float
    y_norm: float
    w_norm: float
    h_norm: float


class AgentsReframeVideo(AgentsRemake):
    """A video in another frame, with what was outside of it made up."""

    source_position: Position | None = None

    def draft(self, parent: Parent | None) -> Draft:
        position = self.source_position and self.source_position.model_dump()
        video = self.video() | given(source_position=position)
        return self.drafted("video_reframe", video, source=self.source(parent))

    def problems(self) -> Iterator[Problem]:
        yield from super().problems()
        if self.aspect_ratio is None:
            yield ("aspect_ratio",), "a reframe needs the aspect_ratio of the new frame"
