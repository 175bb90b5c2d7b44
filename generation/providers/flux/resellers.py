"""How Replicate and fal take the vendor's models: other names for the model and its fields.

A field that a reseller lacks is left out where it only has its default; where the caller gave it,
the order is refused, for the picture would not be the one that was ordered.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from math import gcd
from typing import Any, ClassVar

from generation.contract.errors import ErrorCode, Rejected
from generation.providers.flux.request import FluxRequest

#: The shapes that Replicate makes of models which take no size.
SHAPES = ("1:1", "16:9", "21:9", "3:2", "2:3", "4:5", "5:4", "3:4", "4:3", "9:16", "9:21")

#: The least and the most of each field.
Ranges = Mapping[str, tuple[float, float]]

#: The formats of every model that has no others.
JPEG_OR_PNG = frozenset({"jpeg", "png"})
ANY_FORMAT = JPEG_OR_PNG | {"webp"}

#: Both resellers begin at 1, where the vendor has a 0 that is stricter still.
SAFETY_TOLERANCE: Ranges = {"safety_tolerance": (1, 6)}


class Size(Enum):
    """How width and height are said."""

    #: The model takes none.
    NONE = auto()
    #: `aspect_ratio` is `custom`, and both stand beside it.
    CUSTOM = auto()
    #: Only as an `aspect_ratio`.
    SHAPE = auto()
    #: An `image_size` with both in it.
    OBJECT = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reseller:
    """One model as a reseller sells it."""

    name: ClassVar[str]

    model: str
    #: What our fields are called there.
    fields: Mapping[str, str]
    size: Size = Size.NONE
    #: Other models that are asked where so many pictures are given, or more.
    routes: Mapping[int, str] = field(default_factory=dict[int, str])
    #: The field that takes pictures as a list, where so many are given, or more.
    listed: str | None = None
    listed_from: int = 1
    #: What it makes of a picture.
    formats: frozenset[str] = JPEG_OR_PNG
    #: The least and the most it takes of a field, where that differs from the vendor's limits.
    ranges: Ranges = field(default_factory=dict[str, tuple[float, float]])

    def speak(self, request: FluxRequest) -> tuple[str, dict[str, Any]]:
        """The model to ask, and what to ask of it. Raises `Rejected` for what cannot be said."""
        said = request.said()
        pictures = [said[name] for name in request.pictures if name in said]
        body = self._size(said)
        names = self.fields
        if self.listed and len(pictures) >= self.listed_from:
            body[self.listed] = pictures
            names = {name: own for name, own in names.items() if name not in request.pictures}
            said = {name: value for name, value in said.items() if name not in request.pictures}
        self._refuse(request.insisted() & said.keys() | self._unsaid(request), names)
        self._check_values({name: said[name] for name in names if name in said})
        body |= {own: self.value(name, said[name]) for name, own in names.items() if name in said}
        return request.model or self._model(len(pictures)), body

    def value(self, name: str, value: Any) -> Any:
        """The value of our field as the reseller writes it."""
        del name
        return value

    def _model(self, pictures: int) -> str:
        fitting = [least for least in self.routes if least <= pictures]
        return self.routes[max(fitting)] if fitting else self.model

    def _refuse(self, given: frozenset[str], names: Mapping[str, str]) -> None:
        sizes = frozenset[str]() if self.size is Size.NONE else frozenset({"width", "height"})
        if lacking := sorted(given - names.keys() - sizes):
            raise Rejected(
                f"{self.name} takes no {', '.join(lacking)} for {self.model}: leave it out, or buy"
                " this order elsewhere",
                code=ErrorCode.UNSUPPORTED,
            )

    def _check_values(self, said: Mapping[str, Any]) -> None:
        """Raises `Rejected` for a value that the vendor takes and this reseller does not."""
        for name, (least, most) in {**SAFETY_TOLERANCE, **self.ranges}.items():
            if name in said and not least <= said[name] <= most:
                self._reject_value(name, said[name], f"{least:g} to {most:g}")
        if (format_ := said.get("output_format")) and format_ not in self.formats:
            self._reject_value("output_format", format_, " or ".join(sorted(self.formats)))

    def _reject_value(self, name: str, value: Any, taken: str) -> None:
        raise Rejected(
            f"{self.name} takes {name} {taken} for {self.model}, and not {value}: change it, or buy"
            " this order elsewhere",
            code=ErrorCode.UNSUPPORTED,
        )

    def _unsaid(self, request: FluxRequest) -> frozenset[str]:
        """A finetune is the vendor's own."""
        return request.insisted() & {"finetune_id", "finetune_strength"}

    def _size(self, said: Mapping[str, Any]) -> dict[str, Any]:
        width, height = said.get("width") or 0, said.get("height") or 0
        if self.size is Size.NONE or not (width or height):
            return {}
        if not (width and height):
            raise Rejected(f"{self.name} needs width and height both, or neither")
        match self.size:
            case Size.CUSTOM:
                return {"aspect_ratio": "custom", "width": width, "height": height}
            case Size.OBJECT:
                return {"image_size": {"width": width, "height": height}}
            case _:
                return {"aspect_ratio": self._shape(width, height)}

    def _shape(self, width: int, height: int) -> str:
        divisor = gcd(width, height)
        shape = f"{width // divisor}:{height // divisor}"
        if shape not in SHAPES:
            raise Rejected(
                f"{self.name} makes {self.model} pictures of these shapes only:"
                f" {', '.join(SHAPES)}; change width or height",
                code=ErrorCode.UNSUPPORTED,
            )
        return shape


class Replicate(Reseller):
    """A model at Replicate; names without an owner are the vendor's own."""

    __slots__ = ()

    name = "Replicate"

    def value(self, name: str, value: Any) -> Any:
        return "jpg" if name == "output_format" and value == "jpeg" else value


class Fal(Reseller):
    """A model at fal."""

    __slots__ = ()

    name = "fal"

    def value(self, name: str, value: Any) -> Any:
        return str(value) if name == "safety_tolerance" else value


def same(*names: str, **renamed: str) -> dict[str, str]:
    """Fields that keep their names, and those that do not."""
    return {**{name: name for name in names}, **renamed}
