"""Lenient reader of JSON values as upstreams send them.

They send numbers as strings, strings as numbers, null or "" for nothing, an object encoded as a
string, sentences where URLs belong. Every reader is total: an absent or unusable value reads as
empty or None.
"""

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, cast
from urllib.parse import urlsplit

from generation.contract.reply import first_document, storable

#: Fit for every store and for one step of a path.
_IDENTIFIER = re.compile(r"[^\s/?#]{1,200}")
#: Line breaks pass here, for whoever refuses such a URL to say so; a blank makes it a sentence.
_URL = re.compile(r"https?://[^\s/][\S\r\n\t]*", re.IGNORECASE)
#: A path at the station, or a host without its scheme. A JPEG in bare base64 begins with `/9j/`.
_PATH = re.compile(r"(?!/9j/)/[^\s/\\][^\s\\]{0,4000}|//[\w-]+(\.[\w-]+)+(:\d+)?/[^\s\\]{0,4000}")
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


def texts(value: Any) -> Iterator[str]:
    """The strings in a list, or a string by itself."""
    yield from filter(None, map(text, sequence(value)))


def identifier(value: Any) -> str:
    """An id that fits every store and every path; "" for anything else."""
    candidate = text(value)
    return candidate if _IDENTIFIER.fullmatch(candidate) else ""


def first_identifier(source: Mapping[str, Any], *names: str) -> str:
    """The first of these fields that holds an id, or ""."""
    return next((found for name in names if (found := identifier(source.get(name)))), "")


def mapping(value: Any) -> Mapping[str, Any]:
    """A JSON object; an empty one for anything else."""
    return cast(Mapping[str, Any], value) if isinstance(value, dict) else EMPTY


def mappings(value: Any) -> tuple[Mapping[str, Any], ...]:
    """The JSON objects in a list; none for anything else."""
    return one_or_more(value) if isinstance(value, list) else ()


def one_or_more(value: Any) -> tuple[Mapping[str, Any], ...]:
    """The JSON objects in a list, or the one that stands for a list of one."""
    return tuple(found for each in sequence(value) if (found := mapping(each)))


def sequence(value: Any) -> list[Any]:
    """A JSON list; a single value is a list of one, and nothing is none."""
    if isinstance(value, list):
        return cast(list[Any], value)
    return [] if value is None else [value]


def unpacked(value: Any) -> Mapping[str, Any]:
    """An object, or one that was packed into a string, as stations do with upstream bodies."""
    return mapping(opened(value))


def opened(value: Any) -> Any:
    """The value, or the JSON object or list that was packed into a string."""
    if not isinstance(value, str):
        return value
    packed = value.lstrip("\ufeff \t\r\n")
    if not packed.startswith(("{", "[")):
        return value
    try:
        return storable(first_document(packed))
    except (ValueError, RecursionError):
        return value


def url(value: Any) -> str:
    """An http(s) URL with a host; "" for anything else."""
    candidate = text(value)
    if not _URL.fullmatch(candidate):
        return ""
    try:
        return candidate if urlsplit(candidate).hostname else ""
    except ValueError:
        return ""


def first_url(source: Mapping[str, Any], *names: str) -> str:
    """The first of these fields that holds a URL, or ""."""
    return next((found for name in names if (found := url(source.get(name)))), "")


def address(value: Any) -> str:
    """Return where a file is: a URL, or a path from the station's root.

    Stations that do not know their own address write paths. "" for anything else.
    """
    candidate = text(value)
    return candidate if _PATH.fullmatch(candidate) else url(candidate)


def first_address(source: Mapping[str, Any], *names: str) -> str:
    """The first of these fields that says where a file is, or ""."""
    return next((found for name in names if (found := address(source.get(name)))), "")


def number(value: Any) -> int | float | None:
    """A finite number, also one in digits; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    if not math.isfinite(found):
        return None
    return value if isinstance(value, int) else found


def number_text(value: Any) -> str:
    """A string or any finite number as text; "" for anything else."""
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else ""
    return text(value)


def count(value: Any) -> int | None:
    """A number of things, of a size that any store can hold."""
    found = number(value)
    return int(found) if found is not None and 0 <= found < 1e12 else None


def positive(value: Any) -> float | None:
    """A number above zero, as `number` reads it; stations write 0 where they mean "not yet"."""
    found = number(value)
    return float(found) if found and found > 0 else None


def pixels(value: Any) -> int | None:
    """A width or a height."""
    found = positive(value)
    return int(found) if found and found.is_integer() and found < 1e6 else None


def percent(value: Any) -> int | None:
    """Progress from `"30%"` or `30`, at most 100; None where it is something else."""
    found = _PERCENT.fullmatch(str(value) if isinstance(value, float) else text(value))
    return min(int(found[1]), 100) if found else None
