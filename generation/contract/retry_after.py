"""Reads how long an upstream asks to wait, from headers, body fields or sentences.

The value is advice of a foreign system, so it is read leniently and limited to a day.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

#: No upstream is waited for longer than this on its own word.
LONGEST_WAIT = timedelta(days=1)

#: LiteLLM passes the headers of the vendor behind it on under this prefix.
_PREFIXES = ("", "llm_provider-")
#: When a limit is full again, and what is left of it.
_LIMITS = (
    ("x-ratelimit-reset-requests", "x-ratelimit-remaining-requests"),
    ("x-ratelimit-reset-tokens", "x-ratelimit-remaining-tokens"),
    ("x-ratelimit-reset-after", "x-ratelimit-remaining"),
    ("x-ratelimit-reset", "x-ratelimit-remaining"),
    ("ratelimit-reset", "ratelimit-remaining"),
)
#: Larger numbers are seconds since the epoch, and still larger ones milliseconds.
_EPOCH_FROM, _MILLISECONDS_FROM = 1e9, 1e11

#: Of a body, no more is searched.
_SEARCHED = 10_000
_FIELD = re.compile(
    rb'\\?"retry[_-]?(?:after|delay)(?P<unit>[_-]?ms)?\\?"\s*:\s*\\?"?(?P<wait>[0-9][0-9.]{0,11})'
    rb"(?P<suffix>ms)?",
    re.IGNORECASE,
)
_SENTENCE = re.compile(
    r"(?:try again|retry|resets?)\b[^.\n]{0,20}?\b(?:in|after)\b[ ~:]*(?P<en>[0-9][0-9.]*"
    r" ?(?:ms|s|m|h|sec|min|hour|millisecond|second|minute)[a-z]*(?:[0-9][0-9.]*[a-z]+)*)"
    r"|(?P<zh>[0-9]+) ?(?P<unit>毫秒|秒|分钟|小时)之?[后後].{0,4}[试試]",
    re.IGNORECASE,
)
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?(ms|mil|s|m|h)[a-z]*?(?=[0-9]|$|\b)", re.IGNORECASE)
_SECONDS: Mapping[str, float] = {
    "ms": 0.001,
    "mil": 0.001,
    "s": 1,
    "m": 60,
    "h": 3600,
    "毫秒": 0.001,
    "秒": 1,
    "分钟": 60,
    "小时": 3600,
}


def parse_retry_after(value: str, now: datetime) -> timedelta | None:
    """Return the wait of a `Retry-After` header (RFC 9110): whole seconds, or an HTTP date.

    None if it is neither. The wait is not limited; a date in the past gives a negative one.
    """
    value = value.strip()
    if value.isascii() and value.isdigit():
        return timedelta(seconds=int(value[:9]))  # nine digits of seconds are 30 years already
    return until_date(value, now)


def until_date(value: str, now: datetime) -> timedelta | None:
    """Return the time from `now` until an HTTP date; a date without a zone is UTC."""
    try:
        date = parsedate_to_datetime(value)
    except (ValueError, TypeError, OverflowError):
        return None
    return (date if date.tzinfo else date.replace(tzinfo=UTC)) - now


def in_headers(headers: Mapping[str, str], *, limited: bool) -> timedelta | None:
    """Return the wait in the headers; `retry-after-ms` comes first because it is finer.

    `limited` says that the answer reports a limit: other answers carry the times of their limits,
    too, without asking to wait.
    """
    for prefix in _PREFIXES:
        if wait := _milliseconds(headers.get(f"{prefix}retry-after-ms", "")):
            return wait
        if (wait := _seconds_or_date(headers.get(f"{prefix}retry-after", ""))) is not None:
            return wait
    return _limit_reset(headers) if limited else None


def in_body(body: bytes) -> timedelta | None:
    """Return the wait in a field such as `"retry_after": 8`, also in JSON encoded in JSON."""
    found = _FIELD.search(body, 0, _SEARCHED)
    if not found:
        return None
    scale = 0.001 if found["unit"] or found["suffix"] else 1
    return _capped(_number(found["wait"].decode()), scale)


def in_words(text: str) -> timedelta | None:
    """Return the wait in a sentence: `resets in ~8s`, `try again in 1m30s`, `请在 8 秒后重试`."""
    found = _SENTENCE.search(text[:_SEARCHED])
    if not found:
        return None
    if found["zh"]:
        return _capped(_number(found["zh"]), _SECONDS[found["unit"]])
    return _duration(found["en"])


def _limit_reset(headers: Mapping[str, str]) -> timedelta | None:
    """Return the reset of the exhausted limit, or else the earliest reset."""
    waits = [
        (wait, _number(headers.get(remaining, "")) == 0)
        for prefix in _PREFIXES
        for reset, remaining in ((prefix + a, prefix + b) for a, b in _LIMITS)
        if (wait := _reset(headers.get(reset, "").strip())) is not None
    ]
    used_up = [wait for wait, is_used_up in waits if is_used_up]
    return max(used_up) if used_up else min((wait for wait, _ in waits), default=None)


def _reset(value: str) -> timedelta | None:
    """Read `1s`, `6m0s`, a number of seconds, or a point in time."""
    number = _number(value)
    if number is None:
        return _duration(value) or _seconds_or_date(value)
    if number < _EPOCH_FROM:
        return _capped(number)
    moment = number / 1000 if number > _MILLISECONDS_FROM else number
    return _capped(max(moment - datetime.now(UTC).timestamp(), 0))


def _milliseconds(value: str) -> timedelta | None:
    return _capped(_number(value), 0.001) or None


def _seconds_or_date(value: str) -> timedelta | None:
    number = _number(value.strip())
    if number is not None:
        return _capped(number)
    wait = until_date(value.strip(), datetime.now(UTC))
    return None if wait is None else min(max(wait, timedelta(0)), LONGEST_WAIT)


def _duration(value: str) -> timedelta | None:
    parts = _PART.findall(value[:40])
    seconds = sum(float(number) * _SECONDS[unit.lower()] for number, unit in parts)
    return _capped(seconds) if parts else None


def _number(value: str) -> float | None:
    """Return a number that is not negative; None for anything else."""
    try:
        number = float(value)
    except ValueError:
        return None
    return number if number >= 0 else None  # not NaN either


def _capped(number: float | None, scale: float = 1) -> timedelta | None:
    if number is None:
        return None
    return timedelta(seconds=min(number * scale, LONGEST_WAIT.total_seconds()))
