"""
JSON values as stations of the Suno-API family send them: numbers as strings, strings as numbers,
null or "" for nothing, an object where a list of one is meant.

Every reader is total.
"""

import json
import math
import re
from collections.abc import Mapping
from typing import Any, cast

from generation.operation import storable

_IDENTIFIER = re.compile(r"[A-Za-z0-9_.:~=-]{1,100}")
_URL = re.compile(r"https?://[^\s/]\S*", re.IGNORECASE)
_PERCENT = re.compile(r"([0-9]{1,3})(?:\.[0-9]+)?\s*%?")

EMPTY: Mapping[str, Any] = {}


def text(value: Any) -> str:
    """A string or an integer as text; "" for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return str(value).strip()


def first_text(source: Mapping[str, Any], *names: str) -> str:
    """The first of these fields that says anything, or ""."""
    return next((found for name in names if (found := text(source.get(name)))), "")


def identifier(value: Any) -> str:
    """An id, and no sentence; it fits every path and a list with commas. "" for anything else."""
    candidate = text(value)
    return candidate if _IDENTIFIER.fullmatch(candidate) else ""


def first_identifier(source: Mapping[str, Any], *names: str) -> str:
    """The first of these fields that holds an id, or ""."""
    return next((found for name in names if (found := identifier(source.get(name)))), "")


def url(value: Any) -> str:
    """An http(s) URL; "" for anything else."""
    candidate = text(value)
    return candidate if _URL.fullmatch(candidate) else ""


def first_url(source: Mapping[str, Any], *names: str) -> str:
    """The first of these fields that holds a URL, or ""."""
    return next((found for name in names if (found := url(source.get(name)))), "")


def mapping(value: Any) -> Mapping[str, Any]:
    """A JSON object; an empty one for anything else."""
    return cast(Mapping[str, Any], value) if isinstance(value, dict) else EMPTY


def mappings(value: Any) -> tuple[Mapping[str, Any], ...]:
    """The JSON objects in a list, or the one that stands for a list of one."""
    if isinstance(value, list):
        return tuple(found for each in cast(list[Any], value) if (found := mapping(each)))
    return (found,) if (found := mapping(value)) else ()


def unpacked(value: Any) -> Any:
    """The value, or the JSON object or list that was packed into a string."""
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        try:
            return storable(json.loads(value))
        except (ValueError, RecursionError):
            return value
    return value


def number(value: Any) -> float | None:
    """A finite number, also one in digits; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def positive(value: Any) -> float | None:
    """A number above 0; stations write 0 where they mean "not yet"."""
    found = number(value)
    return found if found and found > 0 else None


def percent(value: Any) -> int | None:
    """Progress from `"30%"` or `30`, at most 100; None where it is something else."""
    found = _PERCENT.fullmatch(str(value) if isinstance(value, float) else text(value))
    return min(int(found[1]), 100) if found else None


def kept(value: Any, depth: int = 6) -> Any:
    """The value as any store can keep it: no number that is none, and nothing nested too deep."""
    match value:
        case float():
            return value if math.isfinite(value) else None
        case list() if depth:
            return [kept(each, depth - 1) for each in cast(list[Any], value)]
        case dict() if depth:
            entries = cast(dict[str, Any], value)
            return {name: kept(each, depth - 1) for name, each in entries.items()}
        case list() | dict():
            return None
        case _:
            return value
