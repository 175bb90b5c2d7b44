"""
`GET /v1/jobs/{id}/stream` and `GET /v1/events/stream`: what happens, as it happens.

A stream first tells what the store has beyond the event its reader has seen last, then what the hub
hears; each event has a number that only rises, so what comes both ways is told once. A stream may
break at any point, and so may the process: the reader comes again with `Last-Event-ID`.
"""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import timedelta

import structlog
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Send

from api.auth.api_keys import Callers
from api.auth.revalidation import Welcome
from api.events.broadcaster import Hub, News, Subscription
from api.events.endpoints import first_place
from api.events.query import STREAM_PARAMETERS, cursor_of, read_feed_query, read_resumed
from api.http.timeouts import uncut
from api.lookup import own_job
from generation.events import ENDINGS, PROGRESS
from generation.job import Job
from generation.store import ApiKey, EventPayload, ProgressPayload, Store

log = structlog.get_logger(__name__)

#: Something is sent at least this often, so that nobody on the way takes the line for dead.
PING_EVERY = timedelta(seconds=15)
PING = KEEPALIVE_COMMENT
#: After how many milliseconds a reader reconnects once a stream has ended. Sent within the first
#: event: a block that has nothing but `retry` is an event without data to some readers.
RETRY = b"retry: 3000\n"

HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


def frame(body: bytes, event_type: str, event_id: str | None) -> bytes:
    """One event. Without an id, a reader that resumes does so from the event before it."""
    return format_sse_event(data_str=body.decode(), event=event_type, id=event_id)


class EventStream(StreamingResponse):
    """
    Sends frames as they come. However it ends, the generator is closed at once. A reader that takes
    nothing is cut off by the connection itself (`api.http.uvicorn_protocol`).
    """

    media_type = "text/event-stream"

    def __init__(self, frames: AsyncGenerator[bytes]) -> None:
        super().__init__(frames, headers=HEADERS)
        self._frames = frames

    async def stream_response(self, send: Send) -> None:
        await send(
            {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        )
        retry = RETRY
        async with aclosing(self._frames):
            try:
                async for each in self._frames:
                    is_event = not each.startswith(b":")
                    body = retry + each if is_event else each
                    await send({"type": "http.response.body", "body": body, "more_body": True})
                    retry = b"" if is_event else retry
            except (SQLAlchemyError, OSError) as error:
                # It ends like any other; the reader comes again and resumes where it was.
                log.warning("stream_broken", error=f"{type(error).__name__}: {error}")
        await send({"type": "http.response.body", "body": b"", "more_body": False})


#: Events read at once while a stream catches up.
PAGE = 100


class Streams:
    """The endpoints that stay open. Each sees what happens to its caller's tenant."""

    def __init__(self, store: Store, hub: Hub, callers: Callers) -> None:
        self._store = store
        self._hub = hub
        self._callers = callers

    async def of_job(self, request: Request, caller: ApiKey) -> Response:
        """One job until it has ended; 204 where it has, and all of it was told: come no more."""
        after = read_resumed(request)
        job = await own_job(self._store.jobs, request, caller)
        if job.is_terminal and not await self._store.events.of_job(job.id, after, 1):
            return Response(status_code=204)
        return EventStream(self._job(job, after, Welcome(self._callers, caller)))

    async def of_tenant(self, request: Request, caller: ApiKey) -> Response:
        """Everything that happens, from now on or from where the reader says."""
        query = read_feed_query(request, STREAM_PARAMETERS)
        place = await first_place(self._store, caller.tenant, query)
        return EventStream(self._tenant(place, query.types, Welcome(self._callers, caller)))

    async def _job(self, job: Job, after: int, welcome: Welcome) -> AsyncGenerator[bytes]:
        yield PING  # the headers reach the reader at once, not with the first event
        percent: int | None = None
        with self._hub.listening(job.tenant, job_id=job.id) as listener:
            await listener.joined()
            ended = job.is_terminal
            while told := await uncut(self._store.events.of_job(job.id, after, PAGE)):
                for event in told:
                    yield job_frame(event)
                after = told[-1].head.sequence
                percent = percent_of(told[-1]) or percent
                ended = ended or told[-1].head.type in ENDINGS
            while not ended and await uncut(welcome.holds()) and (news := await hear(listener)):
                match news:
                    case bytes():
                        yield news
                    case ProgressPayload() if news.percent != percent:
                        percent = news.percent
                        yield frame(news.body, PROGRESS, None)
                    case EventPayload() if news.head.sequence > after:
                        after = news.head.sequence
                        percent = percent_of(news) or percent
                        yield job_frame(news)
                        ended = news.head.type in ENDINGS
                    case _:
                        pass

    async def _tenant(
        self, place: int, types: tuple[str, ...], welcome: Welcome
    ) -> AsyncGenerator[bytes]:
        yield PING  # the headers reach the reader at once, not with the first event
        tenant = welcome.tenant
        # A reader from far behind listens only when it has nearly caught up: its queue has a bound.
        behind = True
        while behind:
            told = await uncut(self._store.events.after(tenant, place, PAGE, types))
            for event in told:
                yield feed_frame(event)
            place = place_of(told[-1]) if told else place
            behind = len(told) == PAGE
        with self._hub.listening(tenant, types=types) as listener:
            await listener.joined()
            while told := await uncut(self._store.events.after(tenant, place, PAGE, types)):
                for event in told:
                    yield feed_frame(event)
                place = place_of(told[-1])
            while await uncut(welcome.holds()) and (news := await hear(listener)):
                if isinstance(news, bytes):
                    yield news
                elif isinstance(news, EventPayload) and place_of(news) > place:
                    place = place_of(news)
                    yield feed_frame(news)


async def hear(listener: Subscription) -> News | bytes | None:
    """What comes next; a ping where nothing has come for a while, None at the end."""
    try:
        async with asyncio.timeout(PING_EVERY.total_seconds()):
            return await listener.next()
    except TimeoutError:
        return PING


def job_frame(event: EventPayload) -> bytes:
    return frame(event.body, event.head.type, str(event.head.sequence))


def feed_frame(event: EventPayload) -> bytes:
    return frame(event.body, event.head.type, cursor_of(place_of(event)))


def place_of(event: EventPayload) -> int:
    return event.head.position or 0


def percent_of(event: EventPayload) -> int | None:
    """How far the job was, where the event says so for its own sake."""
    return json.loads(event.body)["data"]["progress"] if event.head.type == PROGRESS else None
