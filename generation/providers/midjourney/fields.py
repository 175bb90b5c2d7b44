"""Single fields of a reply, read tolerantly: proxies differ in number types, blanks and nulls.

Nothing here raises: a field that is absent or of an unusable type reads as empty.
"""

from collections.abc import Mapping
from typing import Any, cast


def text(value: object) -> str:
    """The string without the blanks around it, which new-api leaves behind its descriptions."""
    return value.strip() if isinstance(value, str) else ""


def integer(value: object) -> int | None:
    """A whole number, given as a number or in digits."""
    match value:
        case bool():
            return None
        case int():
            return value
        case float() if value.is_integer():
            return int(value)
        case str() if value.strip().isdecimal() and len(value) <= 20:
            return int(value)
        case _:
            return None


def positive(value: object) -> int | None:
    """A whole number above zero; proxies write 0 where they mean "unknown"."""
    number = integer(value)
    return number if number and number > 0 else None


def identifier(value: object) -> str | None:
    """An id, which is a string of digits at most proxies and a number at some."""
    if isinstance(value, str):
        return value.strip() or None
    number = positive(value)
    return None if number is None else str(number)


def mapping(value: object) -> Mapping[str, Any]:
    return cast(Mapping[str, Any], value) if isinstance(value, dict) else {}


def sequence(value: object) -> list[Any]:
    return cast(list[Any], value) if isinstance(value, list) else []
