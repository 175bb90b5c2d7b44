"""The values a request may hold: prompts, durations, and names of earlier work."""

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from generation.contract.request import LARGEST_INTEGER, Form

_WHOLE_SECONDS = re.compile(r"[1-9][0-9]?")


def _seconds(value: Any) -> Any:
    """Luma writes `5s`; callers may leave the unit out or give a number."""
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value}s"
    plain = isinstance(value, str) and _WHOLE_SECONDS.fullmatch(value)
    return f"{value}s" if plain else value


Seconds = Annotated[
    str,
    BeforeValidator(_seconds, json_schema_input_type=str | Annotated[int, Field(ge=1, le=99)]),
    Form(r"^[1-9][0-9]?s$", "whole seconds from 1 to 99, as in 5 or 5s"),
]

AspectRatio = Annotated[str, Form(r"^[1-9][0-9]*:[1-9][0-9]*$", "width to height, as in 16:9")]

Pixels = Annotated[int, Field(ge=0, le=LARGEST_INTEGER)]

#: A frame of a video, counted from its beginning.
Frame = Annotated[int, Field(ge=-LARGEST_INTEGER, le=LARGEST_INTEGER)]

#: How closely a video that is made anew keeps to its source, from `adhere_1` to `reimagine_3`.
ModifyMode = Annotated[
    str,
    Form(
        r"^(adhere|flex|reimagine)_[1-3]$", "adhere, flex or reimagine and _1 to _3, as in flex_2"
    ),
]

#: A word of the upstream's, such as a model's name; unknown ones go upstream.
Word = Annotated[str, Field(min_length=1, max_length=100)]

GenerationId = Annotated[
    str,
    Field(description="The upstream id of an earlier generation of the same account."),
    Form(r"^[\w:~@=+-][\w.:~@=+-]{0,199}$", "an id of the upstream's, of up to 200 characters"),
]
