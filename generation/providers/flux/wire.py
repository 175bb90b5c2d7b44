"""
JSON values as the vendor and its resellers really send them.

Every reader is total: a value that is absent or of no use reads as empty or None.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from urllib.parse import urlsplit

from generation.operation import storable

_IDENTIFIER = re.compile(r"[^\s/?#]{1,200}")
_URL = re.compile(r"https?://[^\s/]\S{0,4000}", re.IGNORECASE)
_PLAIN = re.compile(r"[!-~]+")
_HOST = re.compile(r"[a-z0-9.-]+|[0-9a-f:.]+", re.IGNORECASE)

EMPTY: Mapping[str, Any] = {}


def text(value: Any) -> str:
    """A string or an integer as text; "" for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return str(value).strip()


def first_text(source: Mapping[str, Any], *names: str) -> str:
    """The first of these fields that says anything, or ""."""
    return next((found for name in names if (found := text(source.get(name)))), "")


def identifier(source: Mapping[str, Any], *names: str) -> str:
    """The first of these fields that holds an id fit for every store and every path, or ""."""
    candidates = (text(source.get(name)) for name in names)
    return next((each for each in candidates if _IDENTIFIER.fullmatch(each)), "")


def mapping(value: Any) -> Mapping[str, Any]:
    """A JSON object; an empty one for anything else."""
    return cast(Mapping[str, Any], value) if isinstance(value, dict) else EMPTY


def sequence(value: Any) -> list[Any]:
    """A JSON list; a single value is a list of one, and nothing is none."""
    if isinstance(value, list):
        return cast(list[Any], value)
    return [] if value is None else [value]


def unpacked(value: Any) -> Mapping[str, Any]:
    """An object, or one that was packed into a string, as stations do with upstream bodies."""
    if isinstance(value, str) and value.lstrip().startswith("{"):
        try:
            return mapping(storable(json.loads(value)))
        except (ValueError, RecursionError):
            return EMPTY
    return mapping(value)


def url(value: Any) -> str:
    """An http(s) URL; "" for anything else, such as the sentences stations put in its place."""
    candidate = text(value)
    if not _URL.fullmatch(candidate):
        return ""
    try:
        urlsplit(candidate)
    except ValueError:
        return ""
    return candidate


def askable(value: Any) -> str:
    """A URL that our own client can send a request to; "" for anything else."""
    candidate = url(value)
    if not _PLAIN.fullmatch(candidate):
        return ""
    parts = urlsplit(candidate)
    try:
        usable = parts.port is None or parts.port > 0
    except ValueError:
        return ""
    return candidate if usable and _HOST.fullmatch(parts.hostname or "") else ""


def number(value: Any) -> int | float | None:
    """A finite number; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if isinstance(value, int) or math.isfinite(value) else None


def positive(value: Any) -> float | None:
    """A number above zero of a size that a float can hold."""
    found = number(value)
    return float(found) if found is not None and 0 < found < 1e15 else None


def pixels(value: Any) -> int | None:
    """A width or a height."""
    found = positive(value)
    return int(found) if found is not None and 1 <= found < 1e6 else None


def moment(value: Any, later: timedelta = timedelta(0)) -> datetime | None:
    """A point in time, and so much later: seconds since the epoch, or ISO 8601 with its zone."""
    try:
        if isinstance(value, str):
            found = datetime.fromisoformat(value)
            return found.astimezone(UTC) + later if found.tzinfo else None
        seconds = positive(value)
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC) + later
    except (ValueError, OverflowError, OSError):
        return None


def texts(value: Any) -> Iterator[str]:
    """The strings in a list, or a string by itself."""
    yield from filter(None, map(text, sequence(value)))
