"""What a caller may ask of an operation, and how a request says what is wrong with it."""

from collections.abc import Iterator
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

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


def _not_blank(prompt: str) -> str:
    if not prompt.strip():
        raise ValueError("must not be empty: say what to make")
    return prompt


#: Words, and not only blanks.
Prompt = Annotated[str, Field(min_length=1), AfterValidator(_not_blank)]
