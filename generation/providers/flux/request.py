"""What all orders have in common: fields, the rules between them, and the model they name.

A value is refused here where the vendor's limits are documented; every other value, such as a new
model's name, goes upstream.
"""

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field

from generation.contract.request import Form, Problem, Request, Seed

#: Fields that are about the order and not part of what is asked of the model.
_ABOUT = frozenset({"model", "finetune_id", "finetune_strength"})

#: The widest shape any model makes.
_WIDEST = 21 / 9


def _shape(ratio: str) -> str:
    width, _, height = ratio.partition(":")
    if not 1 / _WIDEST <= int(width) / int(height) <= _WIDEST:
        raise ValueError("is between 21:9 and 9:21")
    return ratio


AspectRatio = Annotated[
    str,
    Field(description="From 21:9 to 9:21."),
    Form(r"^[1-9][0-9]{0,3}:[1-9][0-9]{0,3}$", "width to height, as in 16:9"),
    AfterValidator(_shape),
]

#: A side of a FLUX.1 picture.
Side = Annotated[int, Field(ge=256, le=1440, multiple_of=32)]

OutputFormat = Literal["jpeg", "png", "webp"]

Steps = Annotated[int, Field(ge=15, le=50)]

ModelName = Annotated[
    str,
    Field(
        max_length=200,
        description="Another model that takes the same fields, by its name at the station.",
    ),
    Form(
        r"^[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)*$",
        "a model's name, as in flux-kontext-pro or black-forest-labs/flux-dev",
    ),
]


class FluxRequest(Request):
    """An order whose fields must also fit each other."""

    #: The fields that hold pictures, in the order in which a prompt may number them.
    pictures: ClassVar[tuple[str, ...]] = ()

    model: ModelName | None = None

    def said(self) -> dict[str, Any]:
        """What is asked of the model, with the defaults that were left to us."""
        return self.model_dump(mode="json", exclude_none=True, exclude=set(_ABOUT))

    def insisted(self) -> frozenset[str]:
        """The fields that the caller gave; dropping one of them silently would not be right."""
        return frozenset(n for n in self.model_fields_set if getattr(self, n) is not None)


class Flux1(FluxRequest):
    """What every FLUX.1 order takes beside its own fields."""

    seed: Seed | None = Field(None, description="The same seed and request give the same picture.")
    prompt_upsampling: bool = Field(False, description="Let a language model enrich the prompt.")
    safety_tolerance: int = Field(2, ge=0, le=6, description="0 is strict, 6 is lenient.")
    output_format: OutputFormat = "jpeg"


class Finetuned(Flux1):
    """An order that may be carried out by a finetune of the vendor's model."""

    finetune_id: str | None = Field(
        None, min_length=1, description="Yours, from the vendor; it is used in the model's place."
    )
    finetune_strength: float | None = Field(None, ge=0)

    def problems(self) -> Iterator[Problem]:
        yield from super().problems()
        if self.finetune_strength is not None and self.finetune_id is None:
            yield ("finetune_strength",), "says how strong a finetune is: name one in finetune_id"
