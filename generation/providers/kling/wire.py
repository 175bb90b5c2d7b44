"""
JSON values as relays really send them: numbers as strings, strings as numbers, null for nothing.

Every reader is total.
"""

import json
import math
import re
from collections.abc import Mapping
from typing import Any, cast

from generation.operation import storable

_IDENTIFIER = re.compile(r"[^\s/?#]{1,200}")
_URL = re.compile(r"https?://[^\s/]\S*", re.IGNORECASE)
_PERCENT = re.compile(r"([0-9]{1,3})(?:\.[0-9]+)?\s*%?")

EMPTY: Mapping[str, Any] = {}


def text(value: Any) -> str:
    """A string or an integer as text; "" for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return str(value).strip()


def identifier(value: Any) -> str:
    """An id that fits every store and every path; "" for anything else."""
    candidate = text(value)
    return candidate if _IDENTIFIER.fullmatch(candidate) else ""


def first_identifier(source: Mapping[str, Any], *names: str) -> str:
    """The first of these fields that holds an id, or ""."""
    return next((found for name in names if (found := identifier(source.get(name)))), "")


def first_text(source: Mapping[str, Any], *names: str) -> str:
    """The first of these fields that says anything, or ""."""
    return next((found for name in names if (found := text(source.get(name)))), "")


def mapping(value: Any) -> Mapping[str, Any]:
    """A JSON object; an empty one for anything else."""
    return cast(Mapping[str, Any], value) if isinstance(value, dict) else EMPTY


def mappings(value: Any) -> tuple[Mapping[str, Any], ...]:
    """The JSON objects in a list; none for anything else."""
    if not isinstance(value, list):
        return ()
    return tuple(found for each in cast(list[Any], value) if (found := mapping(each)))


def unpacked(value: Any) -> Mapping[str, Any]:
    """An object, or one that was packed into a string, as stations do with upstream bodies."""
    if isinstance(value, str) and value.lstrip().startswith("{"):
        try:
            return mapping(storable(json.loads(value)))
        except (ValueError, RecursionError):
            return EMPTY
    return mapping(value)


def url(value: Any) -> str | None:
    """An http(s) URL, or None: stations put sentences where URLs belong."""
    candidate = text(value)
    return candidate if _URL.fullmatch(candidate) else None


def seconds(value: Any) -> float | None:
    """A play time in seconds, from `"5.04"` or `5`; None where it is no positive number."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if 0 < number < math.inf else None


def percent(value: Any) -> int | None:
    """Progress from `"30%"` or `30`, at most 100; None where it is something else."""
    found = _PERCENT.fullmatch(str(value) if isinstance(value, float) else text(value))
    return min(int(found[1]), 100) if found else None


def number_text(value: Any) -> str:
    """A string or any finite number as text; "" for anything else."""
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else ""
    return text(value)
