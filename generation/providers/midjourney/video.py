"""What callers may ask of Midjourney's videos: one from a picture, or one that goes on."""

from typing import Any, Literal

from pydantic import Field, ValidationInfo, field_validator

from generation.contract.errors import Rejected
from generation.contract.operation import Parent
from generation.contract.status import AssetType
from generation.providers.kit.media_inputs import Image
from generation.providers.midjourney.prompts import Prompt
from generation.providers.midjourney.request import ParentTask, Submit, followed


class VideoRequest(Submit):
    """Videos from a first frame or, with a parent, a video that goes on."""

    prompt: Prompt = Field(description="What moves, and how.")
    image: Image | None = Field(
        None,
        description="The first frame: an https URL, which every proxy reads, or a data URI or bare"
        " base64. Left out only where a video is extended.",
    )
    end_image: Image | None = Field(None, description="The last frame.")
    motion: Literal["low", "high"] | None = Field(None, description="`low` upstream by default.")
    loop: bool | None = Field(None, description="Whether it ends where it began.")
    video_type: str | None = Field(
        None,
        min_length=1,
        description="`vid_1.1_i2v_480` (the default upstream) or `vid_1.1_i2v_720`.",
    )
    batch_size: Literal[1, 2, 4] | None = Field(
        None, description="How many videos; 4 upstream by default, at four times the price of 1."
    )
    upstream_id: ParentTask = None
    index: int | None = Field(
        None, ge=0, le=3, description="Which of the parent's videos goes on, counted from 0."
    )

    @field_validator("upstream_id")
    @classmethod
    def _one_beginning(cls, upstream_id: str | None, info: ValidationInfo) -> str | None:
        if upstream_id is not None and info.data.get("image") is not None:
            raise ValueError("a video that is extended begins at its end: leave out image")
        return upstream_id

    def body(self, parent: Parent | None) -> dict[str, Any]:
        body = self.wire(exclude={"upstream_id", "index"})
        if parent is None and self.upstream_id is None:
            if self.image is None:
                raise Rejected("a video needs an image to begin with, or a video to extend")
            if self.index is not None:
                raise Rejected("index names a video of a parent, and there is none: leave it out")
            return body
        if self.image is not None:
            raise Rejected("a video that is extended begins at its end: leave out image")
        upstream_id = followed(self.upstream_id, parent)
        return {**body, "action": "extend", "taskId": upstream_id, "index": self._which(parent)}

    def _which(self, parent: Parent | None) -> int:
        """The video to extend; it need not be named where there is one."""
        if parent is not None and not made_video(parent):
            raise Rejected("the parent made no video that could be extended")
        count = len(videos_of(parent)) if parent else 0
        if self.index is None and count == 1:
            return 0
        if self.index is None:
            raise Rejected("say which of the parent's videos goes on: index 0 to 3")
        if self.index >= count > 0:
            raise Rejected(f"the parent made {count} video(s), so that index is 0 to {count - 1}")
        return self.index


def videos_of(parent: Parent) -> list[str]:
    """The addresses of the videos a job made."""
    return [asset.url for asset in parent.result.assets if asset.type is AssetType.VIDEO]


def made_video(parent: Parent) -> bool:
    """Whether it made videos, or the grid of previews that some proxies give for them."""
    done = str(parent.result.details.get("action", parent.operation)).upper()
    return bool(videos_of(parent)) or "VIDEO" in done
