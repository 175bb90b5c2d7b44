"""Reads a list of the API page by page, without any I/O."""

from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

from genq.steps import Steps

#: The largest page of the API.
PAGE = 100

T = TypeVar("T")

#: A page's items and the cursor of the next page, for query parameters and a patience in seconds.
FetchPage = Callable[[Mapping[str, str], float], Steps[tuple[list[T], str | None]]]


class Pages(Generic[T]):
    """Up to `limit` items of a list that matches these filters; all items for None."""

    def __init__(self, fetch: FetchPage[T], filters: Mapping[str, str], limit: int | None) -> None:
        self._fetch = fetch
        self._params = dict(filters)
        self._left = limit
        #: Whether the last page has been read.
        self.done = limit is not None and limit <= 0

    def next(self, patience: float) -> Steps[list[T]]:
        """Return the next page's items."""
        size = {} if self._left is None else {"limit": str(min(self._left, PAGE))}
        items, cursor = yield from self._fetch(self._params | size, patience)
        if self._left is not None:
            self._left -= len(items)
        self.done = cursor is None or (self._left is not None and self._left <= 0)
        self._params["cursor"] = cursor or ""
        return items
