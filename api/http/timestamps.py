"""
Times as callers write them: RFC 3339.
"""

import re
from datetime import UTC, datetime
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

#: What is earlier counts as this: nothing here is older, and ids cannot be.
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)

_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)")


def read_time(value: object) -> datetime:
    """The moment in UTC. Raises `ValueError` for what is no time of RFC 3339."""
    words = "must be a time such as 2027-01-31T12:00:00Z"
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        raise ValueError(words)
    try:
        return max(datetime.fromisoformat(value.upper()).astimezone(UTC), EARLIEST)
    except (ValueError, OverflowError):
        raise ValueError(words) from None


def read_query_time(value: str) -> datetime:
    """The same from a query, where a plus that was not percent-encoded arrives as a blank."""
    return read_time(re.sub(r" (?=\d\d:\d\d$)", "+", value))


#: A field of a body.
Time = Annotated[
    datetime,
    BeforeValidator(read_time),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
