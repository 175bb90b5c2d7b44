"""Times and deadlines as callers write them."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

from generation.duration_text import parse_duration

#: An earlier time counts as this one: nothing stored is older, and ids cannot be.
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
#: The longest time until the deadline of a job.
MAX_DEADLINE = timedelta(hours=24)
DEADLINE_FORMS = (
    'a time such as "2026-01-31T12:00:00Z", a duration such as "90s", "10m" or "2h", or seconds'
)

_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)")


def read_time(value: object) -> datetime:
    """Return an RFC 3339 time in UTC. Raises `ValueError` for anything else."""
    time = parse_time(value) if isinstance(value, str) else None
    if time is None:
        raise ValueError("must be a time such as 2027-01-31T12:00:00Z")
    return max(time, EARLIEST)


def read_query_time(value: str) -> datetime:
    """Return a time from a query string, in which a plus that was not encoded is a space."""
    return read_time(re.sub(r" (?=\d\d:\d\d$)", "+", value))


def parse_time(text: str) -> datetime | None:
    if not _TIME.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


#: A field of a body.
Time = Annotated[
    datetime,
    BeforeValidator(read_time),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]


class UnusableDeadline(ValueError):
    """The deadline cannot be used; the message completes the sentence `deadline …`."""


def read_deadline(value: object, now: datetime) -> datetime:
    """Return the deadline that `value` means.

    It is an RFC 3339 time, or a duration from `now`: text (`90s`, `10m`, `2h`) or a number of
    seconds. Raises `UnusableDeadline` for anything else, for a time that has passed and for one
    that is more than 24 hours away.
    """
    wait = _wait(value, now)
    if wait is None:
        raise UnusableDeadline(f"must be {DEADLINE_FORMS}")
    if wait <= timedelta(0):
        raise UnusableDeadline("must lie in the future")
    if wait > MAX_DEADLINE:
        hours = MAX_DEADLINE.total_seconds() / 3600
        raise UnusableDeadline(f"must be at most {hours:g} hours from now")
    return now + wait


def _wait(value: object, now: datetime) -> timedelta | None:
    match value:
        case bool():
            return None
        case int() | float():
            # Limited, so that no number is too large for a timedelta.
            limit = MAX_DEADLINE.total_seconds() + 1
            return timedelta(seconds=min(max(value, -1), limit))
        case str():
            time = parse_time(value)
            return parse_duration(value) if time is None else time - now
        case _:
            return None
