"""
What an order's headers ask for, beside the order itself.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from api.http.problem_types import INVALID_HEADER
from api.http.problems import Problem

#: Nobody is kept waiting for longer; a caller that would wait longer asks again.
LONGEST_WAIT = timedelta(seconds=60)
LONGEST_CANCEL_AFTER = timedelta(hours=24)

_VISIBLE = re.compile(rb"[\x21-\x7e]{1,255}")
#: A string of RFC 9651, as in the IETF's draft of the header.
_QUOTED = re.compile(rb'"((?:[\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"')
_WAIT = re.compile(rb'\s*wait\s*=\s*"?([0-9]{1,9})"?\s*(?:;.*)?', re.IGNORECASE)
_WAIT_AT_ALL = re.compile(rb"\s*wait\s*(?:[=;].*)?", re.IGNORECASE)
_CANCEL_AFTER = re.compile(rb"([0-9]{1,6})([smh])")
_UNITS = {b"s": "seconds", b"m": "minutes", b"h": "hours"}
#: Clients that repeat a request without saying so, by how their user agent begins.
_REPEATERS = (b"fal-client/", b"@fal-ai/")


@dataclass(frozen=True, slots=True)
class Wishes:
    """The headers of one order, read and checked."""

    #: `Idempotency-Key`, without the quotes it may have come in.
    key: str | None = None
    #: `Prefer: wait=…`: for how long to wait for the job to end.
    wait: timedelta | None = None
    #: `Cancel-After`: the job's deadline, from now.
    cancel_after: timedelta | None = None
    #: Whether this may be a repetition; None where the client is not known to repeat by itself.
    again: bool | None = None


NONE = Wishes()
_NAMES = frozenset({b"idempotency-key", b"prefer", b"cancel-after", b"x-stainless-retry-count"})


def read_wishes(headers: Iterable[tuple[bytes, bytes]]) -> Wishes:
    """
    Of an ASGI scope's headers, in one pass. Raises `Problem` (400) that names the header and what
    it may be.
    """
    found: dict[bytes, bytes] = {}
    repeats = False
    for name, value in headers:
        if name in _NAMES:
            if name in found and name != b"prefer":
                raise unusable(name, "is given twice; give it once")
            found[name] = found[name] + b"," + value if name in found else value
        elif name == b"user-agent" and value.startswith(_REPEATERS):
            repeats = True
    if not found and not repeats:
        return NONE
    count = found.get(b"x-stainless-retry-count")
    return Wishes(
        key=read_key(found.get(b"idempotency-key")),
        wait=read_wait(found.get(b"prefer")),
        cancel_after=read_cancel_after(found.get(b"cancel-after")),
        again=count.strip() not in {b"", b"0"} if count is not None else repeats or None,
    )


def read_key(value: bytes | None) -> str | None:
    if value is None:
        return None
    bare = value.strip()
    if quoted := _QUOTED.fullmatch(bare):
        bare = re.sub(rb'\\(["\\])', rb"\1", quoted[1])
    if not _VISIBLE.fullmatch(bare):
        raise unusable(b"idempotency-key", "must be 1 to 255 visible ASCII characters, no spaces")
    return bare.decode("ascii")


def read_wait(value: bytes | None) -> timedelta | None:
    """The wait that is preferred. Preferences nobody here knows are ignored, as RFC 7240 says."""
    for preference in (value or b"").split(b","):
        if found := _WAIT.fullmatch(preference):
            return min(timedelta(seconds=int(found[1])), LONGEST_WAIT)
        if _WAIT_AT_ALL.fullmatch(preference):
            raise unusable(b"prefer", "must say how many whole seconds to wait, as in wait=30")
    return None


def read_cancel_after(value: bytes | None) -> timedelta | None:
    if value is None:
        return None
    found = _CANCEL_AFTER.fullmatch(value.strip())
    after = timedelta(**{_UNITS[found[2]]: int(found[1])}) if found else timedelta(0)
    if not timedelta(0) < after <= LONGEST_CANCEL_AFTER:
        raise unusable(
            b"cancel-after", 'must be a duration such as "5s", "10m" or "2h", of at most 24 hours'
        )
    return after


def unusable(header: bytes, words: str) -> Problem:
    return Problem(INVALID_HEADER, f"{TITLES[header]} {words}")


TITLES = {
    b"idempotency-key": "Idempotency-Key",
    b"prefer": "Prefer",
    b"cancel-after": "Cancel-After",
    b"x-stainless-retry-count": "X-Stainless-Retry-Count",
}
