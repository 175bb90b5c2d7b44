"""
Names that are given twice in one JSON object: a parser would keep the last and forget the rest.
"""

import json
from typing import Any, cast

from api.kinds import MALFORMED_JSON
from api.problems import Problem

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
