"""Upstream tasks and files that an order names by their ids, where it follows no job."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

#: Of the ids that an order names, so many are looked up.
MOST_NAMED = 100
#: Names that end so hold ids: `upstream_id`, `continue_clip_id`, `videoId`, `task_ids`, `id`.
NAMES = re.compile(r"(^|_)ids?$|[a-z]Ids?$")
IDS = re.compile(r"\S{1,300}")


def tasks_named(given: Mapping[str, Any]) -> frozenset[str]:
    """Whatever in this input may be the id of something upstream, however deep it stands."""
    return frozenset(_ids(given, named=False))


def _ids(value: object, *, named: bool) -> Iterator[str]:
    match value:
        case dict():
            for name, inner in cast(dict[str, Any], value).items():
                yield from _ids(inner, named=NAMES.search(name) is not None)
        case list():
            for inner in cast(list[Any], value):
                yield from _ids(inner, named=named)
        case str() if named and IDS.fullmatch(value):
            yield value
        case _:
            return
