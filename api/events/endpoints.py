"""Events: the log page by page, and streams.

A job's log is numbered by `sequence`; the feed of a tenant by positions, which its cursors hold.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Depends, Path, Request, Security
from fastapi.security import SecurityScopes
from pydantic_core import to_json
from starlette.responses import Response

from api.auth.dependencies import API_KEY, BEARER, Reader, authenticate
from api.auth.revalidation import KeyRevalidation
from api.auth.stream_tokens import admit_by_token, new_token
from api.dependencies import InContainer, query_of
from api.events.query import (
    LATEST,
    EventQuery,
    JobEventQuery,
    JobStreamQuery,
    LastCursor,
    LastSequence,
    Start,
    StreamQuery,
    cursor_of,
)
from api.events.schemas import EVENT, EventPage, StreamToken
from api.events.streams import EventStream, stream_job_events, stream_tenant_events
from api.http.query_params import unusable
from api.http.responses import NOT_KEPT, json_answer
from api.lookup import own_job
from api.routing import new_router
from generation.access.permissions import Scope
from generation.store import ApiKey, EventPayload, Store

#: A page of any site may read what a stream token opens.
ANY_ORIGIN = {"Access-Control-Allow-Origin": "*"}
JobId = Annotated[str, Path(description="The job's `id`.")]

router = new_router("Events")


def frames(event_id: str) -> dict[int | str, dict[str, Any]]:
    """Return the response of a stream, for the OpenAPI document."""
    data = to_json({name: EVENT[name] for name in ("type", "timestamp")}).decode()[:-1]
    text = f"retry: 3000\n\nevent: job.succeeded\ndata: {data}, …}}\nid: {event_id}\n\n"
    return {
        200: {
            "description": "Server-sent events; a comment `: ping` after 15 seconds without one.",
            "content": {"text/event-stream": {"example": text}},
        }
    }


@router.get("/v1/events", response_model=EventPage)
async def list_events(
    caller: Reader, query: Annotated[EventQuery, query_of(EventQuery)], container: InContainer
) -> Response:
    """List events.

    The events of your tenant, oldest first. Pass `next_cursor` as `after` to read every event once,
    whatever breaks in between. With `wait`, an empty page is returned only after that time.
    """
    store = container.store
    position = await start_position(store, caller.tenant, query.start)
    found, end = await read_feed(store, caller.tenant, position, query)
    if not found and query.wait:
        # Keep `position`: events between `end` and the start of the wait belong to this page.
        await wait_for_event(container, caller.tenant, position, query)
        found, end = await read_feed(store, caller.tenant, position, query)
    has_more = len(found) > query.limit
    found = found[: query.limit]
    last = found[-1].head.position or position if has_more else max(position, end)
    return page_response(found, cursor_of(last), has_more)


@router.get("/v1/jobs/{job_id}/events", response_model=EventPage)
async def list_job_events(
    request: Request,
    caller: Reader,
    job_id: JobId,
    query: Annotated[JobEventQuery, query_of(JobEventQuery)],
    container: InContainer,
) -> Response:
    """List a job's events.

    Oldest first. Here `after` and `next_cursor` are a `sequence` of the job.
    """
    del job_id
    job = await own_job(container.store.jobs, request, caller)
    after = query.after or 0
    found = await container.store.events.of_job(job.id, after, query.limit + 1)
    page, has_more = found[: query.limit], len(found) > query.limit
    last = page[-1].head.sequence if page else after
    return page_response(page, str(last), has_more)


async def admit_reader(
    request: Request,
    required: SecurityScopes,
    container: InContainer,
    job_id: JobId,
    _bearer: Annotated[object, Depends(BEARER)],
    _api_key: Annotated[object, Depends(API_KEY)],
) -> ApiKey:
    """Return the caller of a job's stream, by API key or by a token in the URL."""
    token = request.query_params.get("token")
    if token is None:
        return await authenticate(request, required, container, None, None)
    return await admit_by_token(container.store, token, job_id)


@router.get(
    "/v1/jobs/{job_id}/stream",
    response_class=EventStream,
    status_code=200,
    responses=frames("4") | {204: {"description": "The job has ended and all was read: stop."}},
)
async def stream_job(
    request: Request,
    caller: Annotated[ApiKey, Security(admit_reader, scopes=[Scope.READ.value])],
    query: Annotated[JobStreamQuery, query_of(JobStreamQuery)],
    container: InContainer,
    last_event_id: LastSequence = None,
) -> Response:
    """Stream a job.

    Server-sent events from the job's first one, or after `Last-Event-ID`, until the job has ended;
    then the stream closes. The `id` of an event is its `sequence`. Progress is sent at most twice a
    second and has no `id`: it is not stored, and not repeated after a break.
    """
    after = last_event_id or 0
    headers = {} if query.token is None else ANY_ORIGIN
    job = await own_job(container.store.jobs, request, caller)
    if job.is_terminal and not await container.store.events.of_job(job.id, after, 1):
        return Response(status_code=204, headers=headers)
    access = KeyRevalidation(container.callers, caller)
    frames = stream_job_events(container.store.events, container.hub, job, after, access)
    return EventStream(frames, headers)


@router.post("/v1/jobs/{job_id}/stream-token", response_model=StreamToken, status_code=201)
async def issue_stream_token(
    request: Request, caller: Reader, job_id: JobId, container: InContainer
) -> Response:
    """Issue a stream token.

    For browsers: `EventSource` sends no headers, and a page must not contain an API key. The token
    opens the stream of this job only, from any site, for one hour and as long as your key is valid.
    """
    del job_id
    job = await own_job(container.store.jobs, request, caller)
    document = await new_token(container.store, job.id, caller.id, datetime.now(UTC))
    path = f"/v1/jobs/{job.id}/stream?token={document['token']}"
    return json_answer(document | {"url": container.base_url + path}, 201, NOT_KEPT)


@router.get(
    "/v1/events/stream",
    response_class=EventStream,
    status_code=200,
    responses=frames(cursor_of(1234)),
)
async def stream_events(
    caller: Reader,
    query: Annotated[StreamQuery, query_of(StreamQuery)],
    container: InContainer,
    last_event_id: LastCursor = None,
) -> Response:
    """Stream all events.

    Server-sent events of your tenant from now on, after `Last-Event-ID`, or from `after` or `since`
    on. The `id` of an event is a cursor that `GET /v1/events` takes as well. The stream does not
    end by itself: connect again when it breaks.
    """
    # A browser connects again to the same URL: its header is newer than `after` and `since`.
    start = query.start if last_event_id is None else last_event_id
    store = container.store
    position = await start_position(store, caller.tenant, LATEST if start is None else start)
    access = KeyRevalidation(container.callers, caller)
    return EventStream(
        stream_tenant_events(store.events, container.hub, position, query.types, access)
    )


async def start_position(store: Store, tenant: str, start: Start) -> int:
    """Return the position after which a reader starts.

    Raises `Problem` (400) for a cursor of another deployment, whose events would never come.
    """
    if isinstance(start, datetime):
        return await store.events.place_at(tenant, start)
    if not start:
        return 0
    end = await store.events.place()
    if start == LATEST:
        return end
    if start > end:
        raise unusable(
            "this cursor is beyond the end of the feed, so it is of another deployment, or of this"
            " one before its database was replaced; start again without it"
        )
    return start


async def read_feed(
    store: Store, tenant: str, position: int, query: EventQuery
) -> tuple[Sequence[EventPayload], int]:
    """Return up to one event more than asked for, and the end of the feed before them."""
    end = await store.events.place()
    found = await store.events.after(tenant, position, query.limit + 1, query.types)
    return found, max([end, *(event.head.position or 0 for event in found)])


async def wait_for_event(
    container: InContainer, tenant: str, position: int, query: EventQuery
) -> None:
    """Wait until an event may have happened, the time is up, or the process ends."""
    with container.hub.listening(tenant, types=query.types) as subscription:
        try:
            async with asyncio.timeout(query.wait):
                joined = await subscription.joined()
                missed = await container.store.events.after(tenant, position, 1, query.types)
                if joined is not None and not missed:
                    await subscription.next()
        except TimeoutError:
            return


def page_response(events: Sequence[EventPayload], cursor: str, has_more: bool) -> Response:
    """Return a page of payloads, each byte for byte as stored."""
    tail = to_json({"next_cursor": cursor, "has_more": has_more})
    data = b",".join(event.body for event in events)
    return Response(
        b'{"data":[' + data + b"]," + tail[1:], headers=NOT_KEPT, media_type="application/json"
    )
