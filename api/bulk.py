"""
How much a body may hold, whatever its size. A megabyte of one picture is nothing; a megabyte of
numbers is a million things to look at, one after the other, while everybody else waits.
"""

from collections.abc import Iterable
from itertools import chain, islice
from typing import cast

from api.problems import Complaint, Problem, invalid

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
