"""What callers may ask of the models that make pictures from words, and from pictures with them."""

from collections.abc import Iterator

from pydantic import Field

from generation.contract.request import LARGEST_INTEGER, Problem, Prompt, Seed
from generation.providers.flux.request import (
    AspectRatio,
    Finetuned,
    Flux1,
    FluxRequest,
    OutputFormat,
    Side,
)
from generation.providers.kit.media_inputs import Image

#: The largest picture FLUX.2 makes: 4 megapixels.
_LARGEST = 4 * 1024 * 1024


class Pro11(Flux1):
    """FLUX 1.1 [pro]."""

    pictures = ("image_prompt",)

    prompt: Prompt
    width: Side = 1024
    height: Side = 768
    image_prompt: Image | None = None


class Dev(Pro11):
    """FLUX.1 [dev]."""

    steps: int | None = Field(None, ge=1, le=50)
    guidance: float | None = Field(None, ge=1.5, le=5)


class Pro(Dev, Finetuned):
    """FLUX.1 [pro]."""

    interval: int | None = Field(None, ge=1, le=4, description="More allows more variety.")


class Schnell(FluxRequest):
    """FLUX.1 [schnell], which only resellers run."""

    prompt: Prompt
    width: Side = 1024
    height: Side = 768
    seed: Seed | None = None
    steps: int | None = Field(None, ge=1, le=12)
    output_format: OutputFormat = "jpeg"


class Ultra(Finetuned):
    """FLUX 1.1 [pro] ultra: about four megapixels, by shape."""

    pictures = ("image_prompt",)

    prompt: Prompt
    aspect_ratio: AspectRatio = "16:9"
    raw: bool = Field(False, description="Less polished, more like a photograph.")
    image_prompt: Image | None = None
    image_prompt_strength: float | None = Field(
        None, ge=0, le=1, description="0.1 where it is left out."
    )

    def problems(self) -> Iterator[Problem]:
        yield from super().problems()
        if self.image_prompt_strength is not None and self.image_prompt is None:
            yield ("image_prompt_strength",), "says how much an image_prompt counts: give one"


class Kontext(Flux1):
    """FLUX.1 Kontext: a picture from words, or a picture changed as the words say."""

    pictures = ("input_image", "input_image_2", "input_image_3", "input_image_4")

    prompt: Prompt
    input_image: Image | None = Field(None, description="Absent: a picture from words alone.")
    input_image_2: Image | None = Field(None, description="Experimental, as are 3 and 4.")
    input_image_3: Image | None = None
    input_image_4: Image | None = None
    aspect_ratio: AspectRatio | None = Field(
        None, description="From 21:9 to 9:21; absent: the model decides."
    )


class Flux2(FluxRequest):
    """What every FLUX.2 order takes."""

    prompt: Prompt
    width: int | None = Field(
        None, ge=0, le=LARGEST_INTEGER, multiple_of=16, description="0 or absent: automatic."
    )
    height: int | None = Field(
        None, ge=0, le=LARGEST_INTEGER, multiple_of=16, description="0 or absent: automatic."
    )
    seed: Seed | None = None
    prompt_upsampling: bool | None = Field(
        None, description="Let a language model enrich the prompt."
    )
    safety_tolerance: int = Field(2, ge=0, le=5, description="0 is strict, 5 is lenient.")
    output_format: OutputFormat = "jpeg"
    input_image: Image | None = Field(None, description="Absent: a picture from words alone.")
    input_image_2: Image | None = None
    input_image_3: Image | None = None
    input_image_4: Image | None = None

    def problems(self) -> Iterator[Problem]:
        yield from super().problems()
        for name, side in (("width", self.width), ("height", self.height)):
            if side and side < 64:
                yield (name,), "is at least 64, or 0 for automatic"
        if (self.width or 0) * (self.height or 0) > _LARGEST:
            yield ("width",), f"times height is more than 4 megapixels ({_LARGEST} pixels)"


class Flux2Klein(Flux2):
    """FLUX.2 [klein]: quick, with up to four pictures to go by."""

    pictures = ("input_image", "input_image_2", "input_image_3", "input_image_4")


class Flux2Pro(Flux2):
    """FLUX.2 [pro] and [max], with up to eight pictures to go by."""

    pictures = (*Flux2Klein.pictures, *(f"input_image_{number}" for number in range(5, 9)))

    input_image_5: Image | None = None
    input_image_6: Image | None = None
    input_image_7: Image | None = None
    input_image_8: Image | None = None


class Flux2Flex(Flux2Pro):
    """FLUX.2 [flex]: the one whose work can be tuned."""

    prompt_upsampling: bool | None = Field(
        True, description="Let a language model enrich the prompt."
    )
    steps: int = Field(50, ge=1, le=50)
    guidance: float | None = Field(None, ge=1.5, le=10)
