"""
What all orders have in common: fields, the rules between them, and the model they name.

A value is refused here where its limits are documented; every other value, such as a new model's
name, goes upstream.
"""

from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from generation.operation import Request

#: A rule that is broken: the path of the field at fault, and what to change.
Problem = tuple[tuple[str | int, ...], str]


def _not_blank(prompt: str) -> str:
    if not prompt.strip():
        raise ValueError("must not be empty")
    return prompt


def _stays_in_its_place(model: str) -> str:
    if not {".", ".."}.isdisjoint(model.split("/")):
        raise ValueError("is no model's name")
    return model


Prompt = Annotated[str, AfterValidator(_not_blank)]

ModelName = Annotated[
    str,
    Field(
        max_length=200,
        pattern=r"^[^\s/]+(/[^\s/]+)*$",
        description="Any model of the station, by its name there.",
    ),
    AfterValidator(_stays_in_its_place),
]


class OpenAIRequest(Request):
    """An order whose fields must also fit each other."""

    def problems(self) -> Iterator[Problem]:
        """The rules between fields that this request breaks."""
        yield from ()

    @model_validator(mode="after")
    def _fits_together(self) -> "OpenAIRequest":
        broken = [
            InitErrorDetails(
                type=PydanticCustomError("value_error", "{what}", {"what": what}),
                loc=path,
                input=None,
            )
            for path, what in self.problems()
        ]
        if broken:
            raise ValidationError.from_exception_data(type(self).__name__, broken)
        return self
