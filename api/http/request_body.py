"""
Reading a request's body, within bounds.
"""

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
    """
    The whole body. Raises `Problem` (413) as soon as it is known to be longer than `limit` bytes,
    whether or not the caller announced its length.
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


#: Values of all kinds, all told. A batch of a hundred full orders has less than half of that.
MOST_VALUES = 20_000
#: A body with fewer commas than that has fewer values; one with more is not even parsed.
FEW_COMMAS, MOST_COMMAS = 5_000, 500_000


def check_before(raw: bytes) -> None:
    """Raises `Problem` (422) for what would take too long to parse."""
    if len(raw) > MOST_COMMAS and raw.count(b",") > MOST_COMMAS:
        raise too_much()


def check_after(raw: bytes, body: object) -> None:
    """Raises `Problem` (422) for what would take too long to validate."""
    if len(raw) > FEW_COMMAS and raw.count(b",") > FEW_COMMAS and has_too_many(body):
        raise too_much()


def has_too_many(body: object) -> bool:
    """Level by level, and no further than to the first one too many."""
    level, count = [body], 1
    while level and count <= MOST_VALUES:
        below = chain.from_iterable(values_of(value) for value in level)
        level = list(islice(below, MOST_VALUES + 1 - count))
        count += len(level)
    return count > MOST_VALUES


def values_of(value: object) -> Iterable[object]:
    match value:
        case dict():
            return cast(dict[str, object], value).values()
        case list():
            return cast(list[object], value)
        case _:
            return ()


def too_much() -> Problem:
    words = f"holds too many values; all told there may be {MOST_VALUES}"
    return invalid([Complaint("#", words, "length")])


#: Of more bytes than that, parsing once more is quicker than searching several times.
LARGE = 20_000
SPACED_COLONS = (b" :", b"\n:", b"\t:", b"\r:")


def check_names(raw: bytes, body: object) -> None:
    """
    Raises `Problem` (400) that names a name which one object in `raw` has twice. `body` is what a
    parser made of it.
    """
    # Each name has a colon: where there are no more of those than names, none was lost.
    names = names_in(body)
    if raw.count(b":") > names and not (len(raw) < LARGE and all_in_sentences(raw, names)):
        json.loads(raw, object_pairs_hook=all_different)


def all_in_sentences(raw: bytes, names: int) -> bool:
    """Whether all other colons are surely in texts: a name's follows its quote, mostly at once."""
    return raw.count(b'":') == names and not any(spaced in raw for spaced in SPACED_COLONS)


def names_in(value: object) -> int:
    """How many names the objects in it have, all told."""
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


#: How bodies begin that are no plain UTF-8, and what to say of them. UTF-16 without a byte order
#: mark shows itself by the NUL beside the first ASCII character.
FORMS = (
    (b"\x1f\x8b", "it is compressed; send it plain"),
    (b"\x28\xb5\x2f\xfd", "it is compressed with zstd; send it plain"),
    (b"\xef\xbb\xbf", "it begins with a byte order mark; send UTF-8 without one"),
    (b"\xff\xfe", "it is UTF-16; send UTF-8"),
    (b"\xfe\xff", "it is UTF-16; send UTF-8"),
    (b"\0", "it is UTF-16 or UTF-32; send UTF-8"),
    (b"{\0", "it is UTF-16 or UTF-32; send UTF-8"),
)


#: U+0000 as JSON spells it, and numbers so long or so large that no database keeps them.
SEARCHED_BYTES = 4096


_HUGE = re.compile(rb"[0-9](?:[eE]\+?[0-9]{3}|[0-9]{18})")


def read_json(raw: bytes) -> object:
    """
    The body. Raises `Problem` with the line and column where it stops being JSON, for a name that
    is given twice, and for what no database could keep.
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
    # Of a large body, looking at its values is quicker than reading its letters.
    suspicious = len(raw) > SEARCHED_BYTES or b"\\u0000" in raw or _HUGE.search(raw)
    if suspicious and (found := tuple(islice(unstorable(body), MOST_COMPLAINTS))):
        raise invalid(found)
    return body
