"""What callers may ask of the Agents API to make of an earlier video."""

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field

from generation.contract.operation import Parent
from generation.contract.request import Part, Problem
from generation.providers.kit.media_inputs import Address, Image
from generation.providers.luma.agents_request import (
    AgentsMotion,
    picture_reference,
)
from generation.providers.luma.inputs import (
    Frame,
    GenerationId,
    ModifyMode,
    Word,
)
from generation.providers.luma.request import (
    Draft,
    alone,
    generation_of,
    given,
)

_VIDEO_TYPES: Mapping[str, str] = {".mov": "video/quicktime", ".webm": "video/webm"}


def video_reference(url: str, media_type: str | None) -> dict[str, str]:
    """A video by URL. Its media type is asked for; where nobody says it, the name tells."""
    suffix = PurePosixPath(urlsplit(url).path).suffix.lower()
    return {"url": url, "media_type": media_type or _VIDEO_TYPES.get(suffix, "video/mp4")}


class AgentsRemake(AgentsMotion):
    """What is made of an earlier video takes that video: by URL, by id, or from the parent."""

    video_url: Address | None = Field(None, description="The video, without a parent job.")
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
    """Depth of the source."""

    blur: float | None = None


class Normals(Control):
    """Surface normals of the source."""

    augmentation: float | None = None


class Pose(Control):
    """Poses of persons in the source."""

    strength: Literal["precise", "coarse"] | None = None


class Trajectory(Control):
    """Movements in the source."""

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
    keyframes: tuple[Image, ...] | None = Field(None, max_length=64)
    keyframe_indexes: tuple[Frame, ...] | None = Field(None, max_length=64)

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
