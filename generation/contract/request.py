"""What a caller may ask of an operation, and how a request says what is wrong with it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationError,
    model_validator,
)
from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError, core_schema

#: A rule that is broken: the path of the field at fault, and what to change.
Problem = tuple[tuple[str | int, ...], str]


class Part(BaseModel):
    """A part of a request: strict about names, humble about values."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Request(Part):
    """What a caller may ask of an operation. Its fields must also fit each other."""

    def problems(self) -> Iterator[Problem]:
        """The rules between fields that this request breaks."""
        yield from ()

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        broken = [
            InitErrorDetails(type=wrong(what), loc=path, input=None)
            for path, what in self.problems()
        ]
        if broken:
            raise ValidationError.from_exception_data(type(self).__name__, broken)
        return self


def wrong(what: str) -> PydanticCustomError:
    """An error whose message is `what` and nothing else."""
    return PydanticCustomError("value_error", "{what}", {"what": what})


#: The largest whole number that every database and JSON reader keeps: 64 bits, one for the sign.
LARGEST_INTEGER = 2**63 - 1
#: What makes a result repeatable, of whatever size the model takes.
Seed = Annotated[int, Field(ge=-LARGEST_INTEGER - 1, le=LARGEST_INTEGER)]


@dataclass(frozen=True, slots=True)
class Form:
    """Texts that match a pattern; `wanted` completes the error "must be".

    It comes after the `Field` that limits their length.
    """

    pattern: str
    wanted: str

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._checked, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {**handler(schema), "pattern": self.pattern}

    def _checked(self, text: str) -> str:
        if not re.search(self.pattern, text) or (self.pattern.endswith("$") and text[-1:] == "\n"):
            raise PydanticCustomError("form", "must be {wanted}", {"wanted": self.wanted})
        return text


def _not_blank(prompt: str) -> str:
    if not prompt.strip():
        raise ValueError("must not be empty: say what to make")
    return prompt


def split(
    model: type[BaseModel], given: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a model knows of a request, and the fields that it does not know."""
    known = {
        name
        for field, info in model.model_fields.items()
        for name in (field, *_aliases(info.validation_alias))
    }
    return (
        {name: value for name, value in given.items() if name in known},
        {name: value for name, value in given.items() if name not in known},
    )


def _aliases(alias: object) -> Iterator[str]:
    choices = alias.choices if isinstance(alias, AliasChoices) else [alias]
    yield from (choice for choice in choices if isinstance(choice, str))


#: Words, and not only blanks.
Prompt = Annotated[str, Field(min_length=1), AfterValidator(_not_blank)]
