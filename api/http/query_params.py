"""Query parameters: types that lists share, and the problems of unusable ones."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, WithJsonSchema
from starlette.datastructures import QueryParams

from api.http.problem_types import INVALID_QUERY
from api.http.problems import Problem
from api.http.timestamps import read_query_time
from api.http.validation_errors import no_such, verdict

#: Bounds of `limit`: the most entries on one page, and the number without a `limit`.
MOST = 100
USUAL = 50


class Query(BaseModel):
    """The query string of one endpoint; its fields are the parameters, by their aliases."""

    model_config = ConfigDict(frozen=True)


def to_limit(value: object) -> int:
    if not re.fullmatch(r"[0-9]{1,3}", str(value)) or not 1 <= int(str(value)) <= MOST:
        raise ValueError(f"must be a whole number from 1 to {MOST}")
    return int(str(value))


Limit = Annotated[
    int,
    BeforeValidator(to_limit),
    WithJsonSchema({"type": "integer", "minimum": 1, "maximum": MOST}),
]
#: An RFC 3339 time. A plus that was not percent-encoded is understood.
QueryTime = Annotated[
    datetime,
    BeforeValidator(read_query_time),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]


def one_of(names: Iterable[str]) -> BeforeValidator:
    """Return the validator of a parameter that has one of these values."""
    known = list(names)

    def check(value: str) -> str:
        if value not in known:
            raise ValueError(f"must be one of {', '.join(known)}")
        return value

    return BeforeValidator(check)


def matching(form: re.Pattern[str], text: str) -> BeforeValidator:
    """Return the validator of a parameter of this form; `must be …` completes its problem."""

    def check(value: str) -> str:
        if not form.fullmatch(value):
            raise ValueError(f"must be {text}")
        return value

    return BeforeValidator(check)


def check_names(given: QueryParams, known: Sequence[str], prefix: str | None = None) -> None:
    """Raise `Problem` (400) for a name that is unknown or given twice.

    With a `prefix`, any name may follow it.
    """
    seen: set[str] = set()
    for name, _ in given.multi_items():
        if name not in known and not (prefix and name.startswith(prefix)):
            listed = [*known, f"{prefix}NAME"] if prefix else known
            raise unusable(no_such(f"parameter {name[:60]!r}", name, listed))
        if name in seen:
            raise unusable(f"{name[:60]} is given twice; give it once")
        seen.add(name)


def unusable_value(errors: Sequence[Mapping[str, Any]]) -> Problem:
    """Return the problem for what FastAPI found wrong with parameters and headers."""
    _, *path = errors[0]["loc"]
    _, text = verdict(errors[0], BaseModel, tuple(path))  # pyright: ignore[reportArgumentType]
    return unusable(f"{'.'.join(map(str, path))} {text}")


def unusable(detail: str) -> Problem:
    return Problem(INVALID_QUERY, detail)
