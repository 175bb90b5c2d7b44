"""
`GET /v1/events` and `GET /v1/jobs/{id}/events`: what has happened, pulled.
"""

import asyncio
from collections.abc import Sequence

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from api.events.broadcaster import Hub
from api.events.query import FeedQuery, cursor_of, read_feed_query, read_log_query
from api.http.query_params import unusable
from api.lookup import own_job
from generation.store import ApiKey, EventPayload, Store

HEADERS = {"Cache-Control": "no-store"}


class Feed:
    """The endpoints that read the log of events. Each sees the events of its caller's tenant."""

    def __init__(self, store: Store, hub: Hub) -> None:
        self._store = store
        self._hub = hub

    async def page(self, request: Request, caller: ApiKey) -> Response:
        """A page of the feed; where there is nothing yet, it waits if it was asked to."""
        query = read_feed_query(request)
        place = await first_place(self._store, caller.tenant, query)
        found, end = await self._read(caller, place, query)
        if not found and query.wait:
            # Not the end that was read: what comes until somebody listens belongs to this page.
            await self._wait(caller, place, query)
            found, end = await self._read(caller, place, query)
        has_more = len(found) > query.limit
        found = found[: query.limit]
        place = found[-1].head.position or place if found and has_more else max(place, end)
        return events_answer(found, cursor_of(place), has_more)

    async def of_job(self, request: Request, caller: ApiKey) -> Response:
        """What has happened to one job, from its beginning."""
        query = read_log_query(request)
        job = await own_job(self._store.jobs, request, caller)
        found = await self._store.events.of_job(job.id, query.after, query.limit + 1)
        page, has_more = found[: query.limit], len(found) > query.limit
        last = page[-1].head.sequence if page else query.after
        return events_answer(page, str(last), has_more)

    async def _read(
        self, caller: ApiKey, place: int, query: FeedQuery
    ) -> tuple[Sequence[EventPayload], int]:
        """One event more than asked for, where there is one, and the end of the feed before it."""
        end = await self._store.events.place()
        found = await self._store.events.after(caller.tenant, place, query.limit + 1, query.types)
        return found, max([end, *(told.head.position or 0 for told in found)])

    async def _wait(self, caller: ApiKey, place: int, query: FeedQuery) -> None:
        """Until something may have happened, the time is up, or the process is to end."""
        with self._hub.listening(caller.tenant, types=query.types) as listener:
            try:
                async with asyncio.timeout(query.wait.total_seconds()):
                    joined = await listener.joined()
                    behind = await self._store.events.after(caller.tenant, place, 1, query.types)
                    if joined is not None and not behind:
                        await listener.next()
            except TimeoutError:
                return


async def first_place(store: Store, tenant: str, query: FeedQuery) -> int:
    """
    Where this reader begins: everything it is to have lies beyond. Raises `Problem` (400) for a
    cursor of another deployment's, which would wait for events that are years away.
    """
    if query.since is not None:
        return await store.events.place_at(tenant, query.since)
    if query.after == 0 or (query.after is None and not query.latest):
        return 0
    end = await store.events.place()
    if query.after is not None and query.after > end:
        raise unusable(
            "this cursor is beyond the end of the feed, so it is of another deployment, or of this"
            " one before its database was made anew; begin again without it"
        )
    return end if query.after is None else query.after


def events_answer(events: Sequence[EventPayload], cursor: str, has_more: bool) -> Response:
    """A page of payloads, each byte for byte as the log has it."""
    tail = to_json({"next_cursor": cursor, "has_more": has_more})
    data = b",".join(event.body for event in events)
    return Response(
        b'{"data":[' + data + b"]," + tail[1:], headers=HEADERS, media_type="application/json"
    )
