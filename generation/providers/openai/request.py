"""The model that an order names.

A value is refused where its limits are documented; every other value, such as a new model's name,
goes upstream.
"""

from typing import Annotated

from pydantic import AfterValidator, Field

from generation.contract.request import Form


def _stays_in_its_place(model: str) -> str:
    if not {".", ".."}.isdisjoint(model.split("/")):
        raise ValueError("is no model's name")
    return model


ModelName = Annotated[
    str,
    Field(
        max_length=200,
        description="Any model of the station, by its name there.",
    ),
    Form(r"^[^\s/]+(/[^\s/]+)*$", "a model's name without spaces, as in gpt-4o"),
    AfterValidator(_stays_in_its_place),
]
