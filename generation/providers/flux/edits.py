"""What callers may ask of the models that work on a picture they are given."""

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from generation.contract.request import LARGEST_INTEGER, Problem, Prompt, Seed
from generation.providers.flux.request import (
    Finetuned,
    Flux1,
    FluxRequest,
    OutputFormat,
    Side,
    Steps,
)
from generation.providers.kit.media_inputs import Image

#: How many pixels a picture can grow on one side.
_Border = Field(0, ge=0, le=2048)


class Fill(Finetuned):
    """FLUX.1 Fill [pro]: repaint the white part of a mask."""

    pictures = ("image", "mask")

    image: Image
    mask: Image | None = Field(
        None,
        description="As large as the image, white where it is repainted; absent: where the image is"
        " transparent.",
    )
    prompt: str = ""
    steps: Steps = 50
    guidance: float = Field(60, ge=1.5, le=100)


class Expand(Flux1):
    """FLUX.1 Expand [pro]: add to the sides of a picture."""

    pictures = ("image",)

    image: Image
    top: int = _Border
    bottom: int = _Border
    left: int = _Border
    right: int = _Border
    prompt: str = ""
    steps: Steps = 50
    guidance: float = Field(60, ge=1.5, le=100)

    def problems(self) -> Iterator[Problem]:
        yield from super().problems()
        if not (self.top or self.bottom or self.left or self.right):
            yield ("top",), "is 0, as are bottom, left and right: say where the picture is to grow"


class Controlled(Finetuned):
    """A picture that keeps the structure of another."""

    pictures = ("control_image", "preprocessed_image")

    prompt: Prompt
    control_image: Image | None = None
    preprocessed_image: Image | None = Field(
        None, description="The structure itself, in the place of a picture to take it from."
    )
    steps: Steps = 50

    def problems(self) -> Iterator[Problem]:
        yield from super().problems()
        if self.control_image is None and self.preprocessed_image is None:
            yield ("control_image",), "is missing: give it, or a preprocessed_image"


class Canny(Controlled):
    """FLUX.1 Canny [pro]: keep the edges."""

    canny_low_threshold: int = Field(50, ge=0, le=500)
    canny_high_threshold: int = Field(200, ge=0, le=500)
    guidance: float = Field(30, ge=1, le=100)


class Depth(Controlled):
    """FLUX.1 Depth [pro]: keep the depth."""

    guidance: float = Field(15, ge=1, le=100)


class Redux(FluxRequest):
    """FLUX.1 Redux [dev], which only resellers run: variations of a picture."""

    pictures = ("image",)

    image: Image
    width: Side = 1024
    height: Side = 768
    seed: Seed | None = None
    steps: int | None = Field(None, ge=1, le=50)
    guidance: float | None = Field(None, ge=1, le=10)
    output_format: OutputFormat = "jpeg"


class Tool(FluxRequest):
    """What the vendor's tools have in common. They are not in its reference yet."""

    seed: Seed | None = None
    safety_tolerance: int | None = Field(None, ge=0, le=6)
    output_format: OutputFormat | None = None


class Outpaint(Tool):
    """A picture on a larger canvas."""

    pictures = ("input_image",)

    input_image: Image
    width: int = Field(ge=1, le=LARGEST_INTEGER, description="Of the whole canvas.")
    height: int = Field(ge=1, le=LARGEST_INTEGER, description="Of the whole canvas.")
    prompt: str | None = None
    mode: Literal["high", "fast"] | None = Field(None, description="`high` where it is left out.")


class Erase(Tool):
    """A picture without what a mask covers."""

    pictures = ("image", "mask")

    image: Image
    mask: Image
    dilate_pixels: int | None = Field(
        None, ge=0, le=LARGEST_INTEGER, description="How far the mask is widened."
    )


class TryOn(Tool):
    """A person in a garment."""

    pictures = ("person", "garment")

    person: Image
    garment: Image
    prompt: str | None = None
