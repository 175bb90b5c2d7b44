"""Pictures made of words and of other pictures."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from generation.contract.request import Part, Problem
from generation.providers.kling.requests.fields import (
    AtLeast,
    Element,
    KlingRequest,
    Name,
    NeededPrompt,
    Prompt,
    Ratio,
    WatermarkInfo,
    one_of,
)
from generation.providers.kling.requests.media import Picture
from generation.providers.kling.requests.shots import reference_problems
from generation.providers.kling.requests.video import ListedPicture

Count = Annotated[int, Field(ge=1, le=9)]
Share = Annotated[float, Field(ge=0, le=1)]
#: How far a picture grows to one side, in widths or heights of its own.
Growth = Annotated[float, Field(ge=0, le=2)]

RATIOS = ("16:9", "9:16", "1:1", "4:3", "3:4", "3:2", "2:3", "21:9")
_MODELS = frozenset({"kling-v1", "kling-v1-5", "kling-v2", "kling-v2-1", "kling-v3"})
_OMNI_MODELS = frozenset({"kling-image-o1", "kling-v3-omni"})

#: References of one omni picture, and how often an expanded picture may hold its original.
MOST_REFERENCES, MOST_GROWTH = 10, 3


class ImageGeneration(KlingRequest):
    """Up to nine pictures from words, or from words and a picture."""

    model_name: Name = "kling-v3"
    prompt: NeededPrompt
    negative_prompt: Prompt | None = None
    image: Picture | None = None
    image_reference: Literal["subject", "face"] | None = None
    image_fidelity: Share | None = None
    human_fidelity: Share | None = None
    element_list: tuple[Element, ...] | None = None
    resolution: str = "1k"
    n: Count = 1
    aspect_ratio: Ratio = "16:9"
    watermark_info: WatermarkInfo | None = None

    def problems(self) -> Iterator[Problem]:
        if self.model_name in _MODELS:
            yield from _ratio_problems(self.model_name, self.aspect_ratio)
        if self.image is not None and self.negative_prompt is not None:
            yield ("negative_prompt",), "not taken beside an image"
        for name in ("image_reference", "image_fidelity", "human_fidelity"):
            if self.image is None and getattr(self, name) is not None:
                yield (name,), "says how to use an image; give one"


class OmniImage(KlingRequest):
    """Pictures from words that name other pictures and elements, as in `<<<image_1>>>`."""

    model_name: Name = "kling-image-o1"
    prompt: NeededPrompt
    image_list: tuple[ListedPicture, ...] | None = None
    element_list: tuple[Element, ...] | None = None
    resolution: str = "1k"
    #: `series`: pictures that belong together, `series_amount` of them.
    result_type: Literal["single", "series"] | None = None
    n: Count | None = None
    series_amount: Annotated[int, Field(ge=2, le=9)] | None = None
    aspect_ratio: Ratio | Literal["auto"] = "auto"
    watermark_info: WatermarkInfo | None = None

    def problems(self) -> Iterator[Problem]:
        images, elements = len(self.image_list or ()), len(self.element_list or ())
        if images + elements > MOST_REFERENCES:
            yield (
                ("image_list",),
                f"image_list and element_list hold at most {MOST_REFERENCES} together",
            )
        if self.model_name in _OMNI_MODELS and self.aspect_ratio != "auto":
            yield from _ratio_problems(self.model_name, self.aspect_ratio)
        if self.series_amount is not None and self.result_type != "series":
            yield ("series_amount",), "needs result_type series"
        if self.n is not None and self.result_type == "series":
            yield ("n",), "a series has a series_amount instead"
        yield from reference_problems(
            {"prompt": self.prompt}, {"image": images, "element": elements}
        )


class SubjectPicture(Part):
    """A picture of one thing that is to appear."""

    subject_image: Picture


class MultiImage2Image(KlingRequest):
    """Pictures in which things from several pictures meet, in a scene and style of others."""

    model_name: Name = "kling-v2"
    prompt: Prompt | None = None
    subject_image_list: Annotated[tuple[SubjectPicture, ...], Field(max_length=4), AtLeast(1)]
    scene_image: Picture | None = None
    style_image: Picture | None = None
    n: Count = 1
    aspect_ratio: Ratio = "16:9"
    watermark_info: WatermarkInfo | None = None

    def problems(self) -> Iterator[Problem]:
        if self.model_name in _MODELS:
            yield from _ratio_problems(self.model_name, self.aspect_ratio)


class Expand(KlingRequest):
    """A picture that goes on beyond its edges, to at most three times its area."""

    image: Picture
    up_expansion_ratio: Growth = 0
    down_expansion_ratio: Growth = 0
    left_expansion_ratio: Growth = 0
    right_expansion_ratio: Growth = 0
    prompt: Prompt | None = None
    n: Count = 1
    watermark_info: WatermarkInfo | None = None

    def problems(self) -> Iterator[Problem]:
        height = 1 + self.up_expansion_ratio + self.down_expansion_ratio
        area = height * (1 + self.left_expansion_ratio + self.right_expansion_ratio)
        if area <= 1:
            yield ("up_expansion_ratio",), "at least one side must grow"
        elif area > MOST_GROWTH:
            yield (
                ("up_expansion_ratio",),
                f"the new picture is {area:g} times as large; {MOST_GROWTH} times is the most",
            )


class VirtualTryOn(KlingRequest):
    """Somebody in other clothes. Model v1-5 takes an upper and a lower part on one picture."""

    model_name: Name = "kolors-virtual-try-on-v1"
    human_image: Picture
    cloth_image: Picture


class ImageRecognize(KlingRequest):
    """What a picture shows: its subject, head, face and clothes, each cut out."""

    image: Picture


class AiMultiShot(KlingRequest):
    """Something on a picture, seen from other sides."""

    element_frontal_image: Picture


def _ratio_problems(model_name: str, ratio: str) -> Iterator[Problem]:
    if ratio not in RATIOS:
        yield ("aspect_ratio",), f"{model_name} takes {one_of(RATIOS)}"
