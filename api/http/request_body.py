"""Reads JSON bodies, with limits of size, of time to parse and of what databases can store."""

import json
import re
from collections.abc import Iterable
from itertools import chain, islice
from typing import Any, cast

from pydantic_core import from_json
from starlette.requests import ClientDisconnect, Request

from api.http.problem_types import BODY_TOO_LARGE, MALFORMED_JSON
from api.http.problems import Complaint, Problem, invalid
from api.http.validation_errors import MOST_COMPLAINTS, unstorable


async def read_body(request: Request, limit: int) -> bytes:
    """Return the whole body.

    Raises `Problem` (413) as soon as it is known to be longer than `limit` bytes, with or without a
    `Content-Length`.
    """
    announced = request.headers.get("content-length", "")
    if announced.isascii() and announced.isdecimal() and int(announced) > limit:
        raise too_large(limit)
    message = await request.receive()
    if message["type"] == "http.request" and not message.get("more_body"):
        return whole(message.get("body", b""), limit)
    parts = bytearray()
    while message["type"] == "http.request":
        parts += message.get("body", b"")
        if len(parts) > limit:
            raise too_large(limit)
        if not message.get("more_body"):
            return bytes(parts)
        message = await request.receive()
    raise ClientDisconnect


def whole(body: bytes, limit: int) -> bytes:
    if len(body) > limit:
        raise too_large(limit)
    return body


def too_large(limit: int) -> Problem:
    return Problem(BODY_TOO_LARGE, f"the body may have at most {limit} bytes")


#: Limits the number of JSON values in a body; validating them blocks the event loop. A batch of a
#: hundred full submissions has less than half of it.
MAX_VALUES = 20_000
#: With fewer commas the values are not counted; with more the body is not parsed.
FEW_COMMAS, MAX_COMMAS = 5_000, 500_000


def check_before(raw: bytes) -> None:
    """Raise `Problem` (422) for a body that would take too long to parse."""
    if len(raw) > MAX_COMMAS and raw.count(b",") > MAX_COMMAS:
        raise too_much()


def check_after(raw: bytes, body: object) -> None:
    """Raise `Problem` (422) for a body that would take too long to validate."""
    if len(raw) > FEW_COMMAS and raw.count(b",") > FEW_COMMAS and has_too_many(body):
        raise too_much()


def has_too_many(body: object) -> bool:
    """Count values level by level, up to the first one above the limit."""
    level, count = [body], 1
    while level and count <= MAX_VALUES:
        below = chain.from_iterable(values_of(value) for value in level)
        level = list(islice(below, MAX_VALUES + 1 - count))
        count += len(level)
    return count > MAX_VALUES


def values_of(value: object) -> Iterable[object]:
    match value:
        case dict():
            return cast(dict[str, object], value).values()
        case list():
            return cast(list[object], value)
        case _:
            return ()


def too_much() -> Problem:
    words = f"holds too many values; all told there may be {MAX_VALUES}"
    return invalid([Complaint("#", words, "length")])


#: For more bytes, parsing again is faster than searching several times.
LARGE = 20_000
SPACED_COLONS = (b" :", b"\n:", b"\t:", b"\r:")


def check_names(raw: bytes, body: object) -> None:
    """Raise `Problem` (400) if an object in `raw` has a name twice. `body` is its parsed value."""
    # Each name has a colon: if there are not more of them than names, none was lost.
    names = names_in(body)
    if raw.count(b":") > names and not (len(raw) < LARGE and all_in_sentences(raw, names)):
        json.loads(raw, object_pairs_hook=all_different)


def all_in_sentences(raw: bytes, names: int) -> bool:
    """Whether all other colons are certainly inside of strings."""
    return raw.count(b'":') == names and not any(spaced in raw for spaced in SPACED_COLONS)


def names_in(value: object) -> int:
    """Return the number of names of all objects in the value."""
    if type(value) is dict:
        held = cast(dict[str, object], value)
        count, inner = len(held), list(held.values())
    elif type(value) is list:
        count, inner = 0, cast(list[object], value)
    else:
        return 0
    for each in inner:
        kind = type(each)
        if kind is dict or kind is list:
            count += names_in(each)
    return count


def all_different(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            words = f"the body gives {name[:100]!r} twice in one object; give it once"
            raise Problem(MALFORMED_JSON, words)
        found[name] = value
    return found


#: First bytes of bodies that are not plain UTF-8, and what to tell the caller. UTF-16 without a
#: byte order mark has a NUL beside the first ASCII character.
FORMS = (
    (b"\x1f\x8b", "it is compressed; send it plain"),
    (b"\x28\xb5\x2f\xfd", "it is compressed with zstd; send it plain"),
    (b"\xef\xbb\xbf", "it begins with a byte order mark; send UTF-8 without one"),
    (b"\xff\xfe", "it is UTF-16; send UTF-8"),
    (b"\xfe\xff", "it is UTF-16; send UTF-8"),
    (b"\0", "it is UTF-16 or UTF-32; send UTF-8"),
    (b"{\0", "it is UTF-16 or UTF-32; send UTF-8"),
)


#: In a longer body every value is checked; in a shorter one its bytes are searched first.
SEARCHED_BYTES = 4096
#: Numbers so long or so large that no database stores them.
_HUGE = re.compile(rb"[0-9](?:[eE]\+?[0-9]{3}|[0-9]{18})")


def read_json(raw: bytes) -> object:
    """Return the parsed body.

    Raises `Problem`: 400 with the line and column of a syntax error, or for a name that an object
    has twice; 422 for values that no database can store.
    """
    if not raw.strip():
        raise Problem(MALFORMED_JSON, "the body is empty; send a JSON object")
    check_before(raw)
    try:
        body = from_json(raw, allow_inf_nan=False)
    except ValueError as error:
        words = next((words for start, words in FORMS if raw.startswith(start)), error)
        raise Problem(MALFORMED_JSON, f"the body is not JSON: {words}") from error
    check_after(raw, body)
    check_names(raw, body)
    # For a large body, checking its values is faster than searching its bytes.
    suspicious = len(raw) > SEARCHED_BYTES or b"\\u0000" in raw or _HUGE.search(raw)
    if suspicious and (found := tuple(islice(unstorable(body), MOST_COMPLAINTS))):
        raise invalid(found)
    return body
