"""
JSON values as OpenAI's form and its many imitations really send them.

Every reader is total: a value that is absent or of no use reads as empty or None.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, cast
from urllib.parse import urlsplit

from generation.operation import storable

#: An id fit for every store; what begins as a sentence is none.
_IDENTIFIER = re.compile(r"[^\s/?#]{1,200}")
_URL = re.compile(r"https?://[^\s/]\S{0,4000}", re.IGNORECASE)

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
    """An id, or ""."""
    candidate = text(value)
    return candidate if _IDENTIFIER.fullmatch(candidate) else ""


def mapping(value: Any) -> Mapping[str, Any]:
    """A JSON object; an empty one for anything else."""
    return cast(Mapping[str, Any], value) if isinstance(value, dict) else EMPTY


def sequence(value: Any) -> list[Any]:
    """A JSON list; a single value is a list of one, and nothing is none."""
    if isinstance(value, list):
        return cast(list[Any], value)
    return [] if value is None else [value]


def mappings(value: Any) -> Iterator[Mapping[str, Any]]:
    """The JSON objects in a list, or the one that stands for a list of one."""
    yield from filter(None, map(mapping, sequence(value)))


def unpacked(value: Any) -> Mapping[str, Any]:
    """An object, or one that was packed into a string, as stations do with upstream bodies."""
    if isinstance(value, str) and value.lstrip().startswith("{"):
        try:
            return mapping(storable(json.loads(value)))
        except (ValueError, RecursionError):
            return EMPTY
    return mapping(value)


def url(value: Any) -> str:
    """An http(s) URL; "" for anything else, such as a path on the model's own machine."""
    candidate = text(value)
    if not _URL.fullmatch(candidate):
        return ""
    try:
        return candidate if urlsplit(candidate).hostname else ""
    except ValueError:
        return ""


def count(value: Any) -> int | None:
    """A number of things, of a size that any store can hold."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return int(value) if 0 <= value < 1e12 else None


def pixels(value: Any) -> int | None:
    """A width or a height."""
    found = count(value)
    return found if found and found < 1e6 else None
