"""What every request to Luma's Agents API takes, with the vendor's nested `video` object laid flat.

Pictures may be given by content as well as by URL; earlier work by its id.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Field

from generation.contract.request import Problem, Prompt
from generation.providers.kit.media_inputs import content_of, is_url
from generation.providers.luma.inputs import (
    AspectRatio,
    Seconds,
    Word,
)
from generation.providers.luma.request import (
    Draft,
    LumaRequest,
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


def picture_reference(picture: str) -> dict[str, str]:
    """A picture as this API takes it: by URL, or as base64 and its media type."""
    if is_url(picture):
        return {"url": picture}
    media_type, data = content_of(picture)
    return {"data": data, "media_type": media_type}


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
