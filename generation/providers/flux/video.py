"""What callers may ask of FLUX.3 video."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, JsonValue

from generation.contract.request import Problem, Seed
from generation.providers.flux.request import FluxRequest
from generation.providers.kit.media_inputs import Address, normalised


def _framed(frame: str | tuple[float, str]) -> str | tuple[float, str]:
    return normalised(frame) if isinstance(frame, str) else (frame[0], normalised(frame[1]))


#: `maxItems` already excludes further items, but some linters want `items` beside `prefixItems`.
PAIR: dict[str, JsonValue] = {"items": {}}
#: A picture the video passes, or a pair of a second and the picture of that second.
Keyframe = Annotated[
    str | Annotated[tuple[Annotated[float, Field(ge=0)], str], Field(json_schema_extra=PAIR)],
    AfterValidator(_framed),
]


class Video(FluxRequest):
    """FLUX.3 video: from words, from pictures, from a video, or a finer copy of a draft."""

    pictures = ("keyframes",)

    mode: Literal["t2v", "i2v", "v2v", "draft_enhance"] = "t2v"
    prompt: str | None = Field(None, description="Required, except by `draft_enhance`.")
    aspect_ratio: Literal["21:9", "2:1", "16:9", "4:3", "1:1", "3:4", "9:16", "auto"] | None = None
    resolution: Literal["hd", "fhd"] | None = None
    duration: int | None = Field(None, ge=5, le=20, description="Seconds.")
    keyframes: tuple[Keyframe, ...] | None = Field(
        None,
        min_length=1,
        max_length=10,
        description="Pictures the video passes, or pairs of a second and a picture.",
    )
    start_video: Address | None = Field(None, description="What `v2v` goes on from.")
    generate_audio: bool | None = None
    draft: bool | None = Field(None, description="Quick and cheap; `draft_enhance` refines it.")
    draft_cache: Address | None = Field(
        None, description="What the draft to refine was finished with."
    )
    seed: Seed | None = None
    safety_tolerance: int = Field(2, ge=0, le=4, description="0 is strict, 4 is lenient.")
    version: str | None = Field(None, min_length=1, description="`latest`, or one of its names.")

    def problems(self) -> Iterator[Problem]:
        yield from super().problems()
        if self.mode != "draft_enhance" and not (self.prompt or "").strip():
            yield ("prompt",), f"{self.mode} needs one: say what to make"
        if self.keyframes is not None and self.mode in ("t2v", "draft_enhance"):
            yield ("keyframes",), f"{self.mode} takes none; mode i2v does"
        if self.start_video is not None and self.mode != "v2v":
            yield ("start_video",), f"{self.mode} takes none; mode v2v does"
        if self.draft_cache is not None and self.mode != "draft_enhance":
            yield ("draft_cache",), f"{self.mode} takes none; mode draft_enhance does"
