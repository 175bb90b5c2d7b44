"""Field readers for the Suno-API family.

Ids come in lists with commas, results encoded as strings, and whole documents are passed on.
"""

import json
import math
import re
from collections.abc import Mapping
from typing import Any, cast

from generation.contract.reply import storable
from generation.providers.kit import json_reader as wire

_IDENTIFIER = re.compile(r"[A-Za-z0-9_.:~=-]{1,100}")


def identifier(value: Any) -> str:
    """An id, and no sentence; it fits every path and a list with commas. "" for anything else."""
    candidate = wire.text(value)
    return candidate if _IDENTIFIER.fullmatch(candidate) else ""


def first_identifier(source: Mapping[str, Any], *names: str) -> str:
    """The first of these fields that holds an id, or ""."""
    return next((found for name in names if (found := identifier(source.get(name)))), "")


def unpacked(value: Any) -> Any:
    """The value, or the JSON object or list that was packed into a string."""
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        try:
            return storable(json.loads(value))
        except (ValueError, RecursionError):
            return value
    return value


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
