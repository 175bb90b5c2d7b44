"""What all of Kling's requests are made of."""

from collections.abc import Iterable, Iterator, Sized
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
)
from pydantic_core import CoreSchema, core_schema

from generation.contract.operation import Parent
from generation.contract.request import LARGEST_INTEGER, Form, Part, Problem, Request, wrong


@dataclass(frozen=True, slots=True)
class AtLeast:
    """A list of so many.

    Unlike `min_length` it has nothing to say of a list whose entries are wrong: they have been
    complained about.
    """

    count: int

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._checked, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {**handler(schema), "minItems": self.count}

    def _checked(self, values: Sized) -> Sized:
        if len(values) < self.count:
            raise wrong(f"needs at least {self.count}")
        return values


def _seconds_as_text(value: Any) -> Any:
    """Kling wants whole seconds as a string; callers may give a number."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Seconds = Annotated[
    str,
    BeforeValidator(
        _seconds_as_text, json_schema_input_type=str | Annotated[int, Field(ge=1, le=99)]
    ),
    Form(r"^[1-9][0-9]?$", "whole seconds from 1 to 99, as in 5"),
]

#: Words, and not only blanks.
NOT_BLANK = Form(r"\S", "words, and not only blanks")
Prompt = Annotated[str, Field(max_length=2500)]
#: A prompt without which nothing can be made.
NeededPrompt = Annotated[str, Field(min_length=1, max_length=2500), NOT_BLANK]
#: A name or an id the vendor gave.
Name = Annotated[str, Field(min_length=1)]
#: Width to height.
Ratio = Annotated[str, Form(r"^[1-9][0-9]*:[1-9][0-9]*$", "width to height, as in 16:9")]
#: How closely the prompt is followed. The vendor takes 0.5 where it is left out.
CfgScale = Annotated[float, Field(ge=0, le=1)]

#: What the video models draw.
VIDEO_RATIOS = ("16:9", "9:16", "1:1")


class KlingRequest(Request):
    """A request whose fields must also fit each other."""

    def wire(self, parent: Parent | None) -> dict[str, Any]:
        """The body to send, without what belongs to the job.

        A follow-up takes from its parent what the caller left out, and raises `Rejected` where
        neither has it.
        """
        del parent
        return self.model_dump(mode="json", exclude_none=True)


class WatermarkInfo(Part):
    """Whether a copy with a watermark is made as well."""

    enabled: bool


class Voice(Part):
    """A voice that the prompt may name as `<<<voice_1>>>`."""

    voice_id: Name


class Element(Part):
    """A character or thing from the library, which the prompt may name as `<<<element_1>>>`."""

    element_id: int = Field(ge=1, le=LARGEST_INTEGER)


OnOff = Literal["on", "off"]
YesNo = Literal["yes", "no"]


def one_of(values: Iterable[Any]) -> str:
    """The values as a person lists them: `a, b or c`."""
    *most, last = map(str, values)
    return f"{', '.join(most)} or {last}" if most else last


def exactly_one(request: BaseModel, *names: str) -> Iterator[Problem]:
    """Of these fields one is given, and only one."""
    given = [name for name in names if getattr(request, name) is not None]
    if len(given) != 1:
        yield (given[1] if given else names[0],), f"give either {one_of(names)}"


def at_most_one(request: BaseModel, *names: str) -> Iterator[Problem]:
    """Of these fields no two are given."""
    given = [name for name in names if getattr(request, name) is not None]
    if len(given) > 1:
        yield (given[1],), f"give either {one_of(given)}, not both"


def under(place: str | tuple[str | int, ...], problems: Iterable[Problem]) -> Iterator[Problem]:
    """The problems of a part, seen from the request that holds it."""
    path = (place,) if isinstance(place, str) else place
    for where, what in problems:
        yield (*path, *where), what
