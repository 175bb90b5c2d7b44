"""What callers may ask of Dream Machine for a new picture."""

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from generation.contract.operation import Parent
from generation.contract.request import Part, Problem
from generation.providers.kit.media_inputs import Address
from generation.providers.luma.dream_machine_models import ASPECT_RATIOS, IMAGE_MODELS, DreamPrompt
from generation.providers.luma.inputs import (
    AspectRatio,
    Word,
)
from generation.providers.luma.request import (
    Draft,
    LumaRequest,
    unknown_value,
)


class WeightedImage(Part):
    """A picture to go by, and how closely."""

    url: Address
    weight: float | None = Field(None, ge=0, le=1)


class CharacterImages(Part):
    """Pictures of one character."""

    images: tuple[Address, ...] = Field(max_length=4)


class CharacterReference(Part):
    """The character that the picture shows."""

    identity0: CharacterImages


class DreamImage(LumaRequest):
    """A picture by Photon.

    The vendor's `sync` is not offered: it would hold a paid answer on an open connection for up to
    a minute, and waiting is what this service does.
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
