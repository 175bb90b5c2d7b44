"""
JSON values as Luma's vendors and relays really send them. Every reader is total: what is absent or
of an unusable type reads as empty.
"""

import json
import math
import re
from collections.abc import Mapping
from typing import Any, cast

from generation.operation import storable

_IDENTIFIER = re.compile(r"[\w:~@=+-][\w.:~@=+-]{0,199}")
_URL = re.compile(r"https?://[^\s/]\S*", re.IGNORECASE)
_PERCENT = re.compile(r"([0-9]{1,3})(?:\.[0-9]+)?\s*%?")

EMPTY: Mapping[str, Any] = {}


def text(value: Any) -> str:
    """A string or an integer as text."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return str(value).strip()


def first_text(source: Mapping[str, Any], *names: str) -> str:
    """The first of these fields that says anything."""
    return next((found for name in names if (found := text(source.get(name)))), "")


def identifier(value: Any) -> str:
    """An id that fits every store and every path."""
    candidate = text(value)
    return candidate if _IDENTIFIER.fullmatch(candidate) else ""


def mapping(value: Any) -> Mapping[str, Any]:
    """A JSON object."""
    return cast(Mapping[str, Any], value) if isinstance(value, dict) else EMPTY


def mappings(value: Any) -> tuple[Mapping[str, Any], ...]:
    """The JSON objects in a list."""
    if not isinstance(value, list):
        return ()
    return tuple(found for each in cast(list[Any], value) if (found := mapping(each)))


def unpacked(value: Any) -> Mapping[str, Any]:
    """An object, or one that was packed into a string, as relays do with upstream bodies."""
    if isinstance(value, str) and value.lstrip().startswith("{"):
        return mapping(first_document(value))
    return mapping(value)


def first_document(body: str) -> Any:
    """
    The first JSON value of a text that may hold several; None where it begins with none.

    The gateway behind many relays copies its upstream's error and appends one of its own.
    """
    start = body.lstrip("\ufeff \t\r\n")
    try:
        document, end = json.JSONDecoder().raw_decode(start)
    except (ValueError, RecursionError):
        return None
    rest = start[end:].lstrip()
    return storable(document) if rest[:1] in ("", "{", "[") else None


def url(value: Any) -> str:
    """An http(s) URL; relays put sentences where URLs belong."""
    candidate = text(value)
    return candidate if _URL.fullmatch(candidate) else ""


def positive(value: Any) -> float | None:
    """A finite number above zero, given as a number or as text."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if 0 < number < math.inf else None


def pixels(value: Any) -> int | None:
    """A width or a height."""
    number = positive(value)
    return int(number) if number and number.is_integer() and number < 1e6 else None


def percent(value: Any) -> int | None:
    """Progress from `"30%"` or `30`, at most 100."""
    found = _PERCENT.fullmatch(str(value) if isinstance(value, float) else text(value))
    return min(int(found[1]), 100) if found else None
