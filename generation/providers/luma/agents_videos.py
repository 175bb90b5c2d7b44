"""What callers may ask of the Agents API for a new video."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Field

from generation.contract.operation import Parent
from generation.contract.request import Problem
from generation.providers.kit.media_inputs import Image
from generation.providers.luma.agents_request import (
    AgentsMotion,
    picture_reference,
)
from generation.providers.luma.ends import Ends
from generation.providers.luma.inputs import (
    GenerationId,
)
from generation.providers.luma.request import (
    Draft,
    generation_of,
    given,
)


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

    image_url: Image | None = Field(None, description="Begin with this picture.")
    image_end_url: Image | None = Field(None, description="End with this picture.")

    def frames(self, parent: Parent | None) -> Mapping[str, Any]:
        del parent
        return given(
            start_frame=self.image_url and picture_reference(self.image_url),
            end_frame=self.image_end_url and picture_reference(self.image_end_url),
        )


class AgentsExtend(AgentsNewVideo):
    """A video that goes on where an earlier one ended."""

    generation_id: GenerationId | None = None
    image_end_url: Image | None = Field(None, description="End with this picture.")

    def frames(self, parent: Parent | None) -> Mapping[str, Any]:
        start = generation_of(parent, self.generation_id, "generation_id")
        end = self.image_end_url and picture_reference(self.image_end_url)
        return given(start_frame={"generation_id": start}, end_frame=end)


class AgentsReverseExtend(AgentsNewVideo):
    """A video that leads up to the beginning of an earlier one."""

    generation_id: GenerationId | None = None
    image_url: Image | None = Field(None, description="Begin with this picture.")

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
    image_url: Image | None = Field(None, description="Begin with this picture instead.")
    image_end_url: Image | None = Field(None, description="End with this picture instead.")

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
