"""
How a caller says when a job is to be given up.
"""

import re
from datetime import UTC, datetime, timedelta

LONGEST = timedelta(hours=24)
EXAMPLES = (
    'a time such as "2026-01-31T12:00:00Z", a duration such as "90s", "10m" or "2h", or seconds'
)

_DURATION = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)([smh]?)")
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600}
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")


class UnusableDeadline(ValueError):
    """The deadline cannot be used; the message says what to write instead."""


def read_deadline(value: object, now: datetime) -> datetime:
    """
    The moment meant: an RFC 3339 time, or a duration from `now` as text (`90s`, `10m`, `2h`) or as
    a number of seconds. Raises `UnusableDeadline` for anything else, for what is past and for what
    is more than 24 hours away.
    """
    wait = _wait(value, now)
    if wait is None:
        raise UnusableDeadline(f"must be {EXAMPLES}")
    if wait <= timedelta(0):
        raise UnusableDeadline("must lie in the future")
    if wait > LONGEST:
        raise UnusableDeadline(f"must be at most {LONGEST.total_seconds() / 3600:g} hours from now")
    return now + wait


def _wait(value: object, now: datetime) -> timedelta | None:
    match value:
        case bool():
            return None
        case int() | float():
            return _from_seconds(value)
        case str() if found := _DURATION.fullmatch(value):
            return _from_seconds(float(found[1]) * _SECONDS[found[2]])
        case str() if _TIME.fullmatch(value):
            return _until(value, now)
        case _:
            return None


def _from_seconds(seconds: float) -> timedelta:
    """Cut to what is out of bounds anyway, so that no number is too large for a timedelta."""
    limit = LONGEST.total_seconds() + 1
    return timedelta(seconds=min(max(seconds, -1), limit))


def _until(text: str, now: datetime) -> timedelta | None:
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC) - now
    except (ValueError, OverflowError):
        return None
