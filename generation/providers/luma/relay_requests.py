"""What callers may ask of Luma through a relay, which drives the vendor's own site.

The fields have the names that the vendor's API has for them; on the wire they have the site's.
Model, duration and resolution are additions of some relays, and others ignore them.
"""

from typing import Any
from urllib.parse import quote

from pydantic import Field

from generation.contract.operation import Parent
from generation.contract.request import Prompt
from generation.providers.kit.media_inputs import Image
from generation.providers.luma.inputs import (
    AspectRatio,
    GenerationId,
    Seconds,
    Word,
)
from generation.providers.luma.request import Draft, LumaRequest, generation_of, given


class RelayMotion(LumaRequest):
    """What a new video and one that goes on take alike."""

    prompt: Prompt
    aspect_ratio: AspectRatio = "16:9"
    expand_prompt: bool | None = Field(None, description="Let Luma write more of the prompt.")
    image_end_url: Image | None = Field(None, description="End with this picture.")
    loop: bool | None = None
    model: Word | None = Field(None, description="`ray-v1` or `ray-v2`, at relays that read it.")
    duration: Seconds | None = Field(None, description="`5s` or `9s`, at relays that read it.")
    resolution: Word | None = Field(None, description="Up to `1080p`, at relays that read it.")

    def body(self) -> dict[str, Any]:
        return given(
            user_prompt=self.prompt,
            aspect_ratio=self.aspect_ratio,
            expand_prompt=self.expand_prompt,
            image_end_url=self.image_end_url,
            loop=self.loop,
            model_name=self.model,
            duration=self.duration,
            resolution=self.resolution,
        )


class RelayVideo(RelayMotion):
    """A video from words, and from pictures to begin and to end with if there are any."""

    image_url: Image | None = Field(None, description="Begin with this picture.")

    def draft(self, parent: Parent | None) -> Draft:
        del parent
        return Draft("/generations", self.body() | given(image_url=self.image_url))


class RelayExtend(RelayMotion):
    """A video that goes on where an earlier one ended."""

    generation_id: GenerationId | None = None

    def draft(self, parent: Parent | None) -> Draft:
        source = generation_of(parent, self.generation_id, "generation_id")
        return Draft(f"/generations/{quote(source, safe='')}/extend", self.body())


class RelayDownload(LumaRequest):
    """The clean copy of a video that came with a watermark only."""

    generation_id: GenerationId | None = None

    def draft(self, parent: Parent | None) -> Draft:
        source = generation_of(parent, self.generation_id, "generation_id")
        return Draft(f"/generations/{quote(source, safe='')}/download_video_url", {}, "GET")
