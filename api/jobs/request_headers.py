"""The headers of a submission."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from api.http.openapi import header_parameter
from api.http.problem_types import INVALID_HEADER
from api.http.problems import Problem
from api.http.timestamps import MAX_DEADLINE
from generation.duration_text import parse_duration

#: A longer wait is shortened to this; the caller can ask again.
MAX_WAIT = timedelta(seconds=60)

_VISIBLE = re.compile(rb"[\x21-\x7e]{1,255}")
#: A string of RFC 9651, as in the IETF's draft of the header.
_QUOTED = re.compile(rb'"((?:[\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"')
_WAIT = re.compile(rb'\s*wait\s*=\s*"?([0-9]{1,9})"?\s*(?:;.*)?', re.IGNORECASE)
_ANY_WAIT = re.compile(rb"\s*wait\s*(?:[=;].*)?", re.IGNORECASE)
#: User agents of clients that repeat requests without saying so.
_REPEATING_AGENTS = (b"fal-client/", b"@fal-ai/")
_NAMES = {
    b"idempotency-key": "Idempotency-Key",
    b"prefer": "Prefer",
    b"cancel-after": "Cancel-After",
    b"x-stainless-retry-count": "X-Stainless-Retry-Count",
}
IDEMPOTENCY_KEY = header_parameter(
    "Idempotency-Key",
    "1 to 255 visible characters of your choice. Equal submissions with the same key are one job,"
    " however often they are sent. The key is kept for at least 7 days after the job has ended.",
    "order-42",
)
PREFER = header_parameter(
    "Prefer",
    "`wait=N`: respond once the job has ended, or after N seconds, at most 60.",
    "wait=30",
)
CANCEL_AFTER = header_parameter(
    "Cancel-After", "The `deadline` of jobs without one: `5s`, `10m`, `2h`.", "10m"
)


@dataclass(frozen=True, slots=True)
class SubmitHeaders:
    """The headers of one submission, validated."""

    #: `Idempotency-Key`, without quotes.
    key: str | None = None
    #: `Prefer: wait=…`: time to wait for the job's end.
    wait: timedelta | None = None
    #: `Cancel-After`: time until the job's deadline.
    cancel_after: timedelta | None = None
    #: Whether the client says that it repeats a request; None for clients that never do so.
    is_repeat: bool | None = None


NO_HEADERS = SubmitHeaders()


def parameters(*headers: dict[str, Any]) -> dict[str, Any]:
    """Return what `openapi_extra` takes. The endpoints read these headers by themselves."""
    return {"parameters": [*headers]}


def read_submit_headers(headers: Iterable[tuple[bytes, bytes]]) -> SubmitHeaders:
    """Read the headers of an ASGI scope in one pass. Raises `Problem` (400)."""
    found: dict[bytes, bytes] = {}
    repeats = False
    for name, value in headers:
        if name in _NAMES:
            if name in found and name != b"prefer":
                raise unusable_header(name, "is given twice; give it once")
            found[name] = found[name] + b"," + value if name in found else value
        elif name == b"user-agent" and value.startswith(_REPEATING_AGENTS):
            repeats = True
    if not found and not repeats:
        return NO_HEADERS
    count = found.get(b"x-stainless-retry-count")
    return SubmitHeaders(
        key=read_key(found.get(b"idempotency-key")),
        wait=read_wait(found.get(b"prefer")),
        cancel_after=read_cancel_after(found.get(b"cancel-after")),
        is_repeat=count.strip() not in {b"", b"0"} if count is not None else repeats or None,
    )


def read_key(value: bytes | None) -> str | None:
    if value is None:
        return None
    key = value.strip()
    if quoted := _QUOTED.fullmatch(key):
        key = re.sub(rb'\\(["\\])', rb"\1", quoted[1])
    if not _VISIBLE.fullmatch(key):
        raise unusable_header(
            b"idempotency-key", "must be 1 to 255 visible ASCII characters, no spaces"
        )
    return key.decode("ascii")


def read_wait(value: bytes | None) -> timedelta | None:
    """Return the preferred wait. Unknown preferences are ignored, as RFC 7240 says."""
    for preference in (value or b"").split(b","):
        if found := _WAIT.fullmatch(preference):
            return min(timedelta(seconds=int(found[1])), MAX_WAIT)
        if _ANY_WAIT.fullmatch(preference):
            raise unusable_header(b"prefer", "must have a number of whole seconds, as in wait=30")
    return None


def read_cancel_after(value: bytes | None) -> timedelta | None:
    if value is None:
        return None
    after = parse_duration(value.decode("latin-1").strip(), needs_unit=True)
    if after is None or not timedelta(0) < after <= MAX_DEADLINE:
        raise unusable_header(
            b"cancel-after", 'must be a duration such as "5s", "10m" or "2h", of at most 24 hours'
        )
    return after


def unusable_header(name: bytes, detail: str) -> Problem:
    return Problem(INVALID_HEADER, f"{_NAMES[name]} {detail}")
