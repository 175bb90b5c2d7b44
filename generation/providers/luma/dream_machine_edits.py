"""What callers may ask of Dream Machine to make of an earlier video or picture."""

from collections.abc import Iterator
from typing import Any, Literal
from urllib.parse import quote

from pydantic import Field

from generation.contract.operation import Parent
from generation.contract.request import Problem, Prompt
from generation.contract.status import AssetType
from generation.providers.kit.media_inputs import Address
from generation.providers.luma.dream_machine_models import ASPECT_RATIOS, IMAGE_MODELS, VIDEO_MODELS
from generation.providers.luma.inputs import (
    AspectRatio,
    GenerationId,
    ModifyMode,
    Pixels,
    Word,
)
from generation.providers.luma.request import (
    Draft,
    LumaRequest,
    file_of,
    generation_of,
    given,
    unknown_value,
)


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

    image_url: Address | None = Field(None, description="The picture, without a parent job.")
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

    video_url: Address | None = Field(None, description="The video, without a parent job.")
    first_frame_url: Address | None = Field(None, description="How the new video begins.")

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

    video_url: Address | None = Field(None, description="The video, without a parent job.")
    mode: ModifyMode
    model: Word = "ray-2"
    first_frame_url: Address | None = Field(None, description="How the new video begins.")
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
