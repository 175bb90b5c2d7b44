"""Streams of events (server-sent events) of a job or of a tenant.

A stream first sends what is stored after the last event its reader has seen, then what the
broadcaster delivers. Numbers of events only increase, so that an event that comes both ways is sent
once. A stream may break at any point: the reader resumes with `Last-Event-ID`.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from datetime import timedelta

import structlog
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import StreamingResponse
from starlette.types import Send

from api.auth.revalidation import KeyRevalidation
from api.events.broadcaster import EventBroadcaster, StreamItem, Subscription
from api.events.query import cursor_of
from api.http.timeouts import uncut
from generation.events import ENDINGS, PROGRESS
from generation.job import Job
from generation.store import EventPayload, EventStore, ProgressPayload

log = structlog.get_logger(__name__)

#: A comment is sent after this time without an event, so that proxies keep the connection open.
PING_EVERY = timedelta(seconds=15)
PING = KEEPALIVE_COMMENT
#: Milliseconds after which a reader reconnects. Sent within the first event, because some readers
#: take a block with nothing but `retry` for an event without data.
RETRY = b"retry: 3000\n"
#: Stored events read at a time.
PAGE = 100

HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class EventStream(StreamingResponse):
    """A response that sends frames as they come, and closes their generator when it ends.

    `api.http.uvicorn_protocol` closes the connection of a reader that does not read.
    """

    media_type = "text/event-stream"

    def __init__(self, frames: AsyncGenerator[bytes], headers: Mapping[str, str] = {}) -> None:
        super().__init__(frames, headers={**HEADERS, **headers})
        self._frames = frames

    async def stream_response(self, send: Send) -> None:
        await send(
            {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        )
        retry = RETRY
        async with aclosing(self._frames):
            try:
                async for frame in self._frames:
                    is_event = not frame.startswith(b":")
                    body = retry + frame if is_event else frame
                    await send({"type": "http.response.body", "body": body, "more_body": True})
                    retry = b"" if is_event else retry
            except (SQLAlchemyError, OSError) as error:
                # The stream just ends; the reader reconnects and resumes.
                log.warning("stream_broken", error=f"{type(error).__name__}: {error}")
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def stream_job_events(
    events: EventStore, broadcaster: EventBroadcaster, job: Job, after: int, access: KeyRevalidation
) -> AsyncGenerator[bytes]:
    """Yield the events of a job after a sequence, and its progress, until the job has ended."""
    yield PING  # sends the headers at once
    percent: int | None = None
    with broadcaster.listening(job.tenant, job_id=job.id) as subscription:
        await subscription.joined()
        ended = job.is_terminal
        while stored := await uncut(events.of_job(job.id, after, PAGE)):
            for event in stored:
                yield job_frame(event)
            after = stored[-1].head.sequence
            percent = percent_of(stored[-1]) or percent
            ended = ended or stored[-1].head.type in ENDINGS
        while not ended and await uncut(access.holds()) and (item := await next_item(subscription)):
            match item:
                case bytes():
                    yield item
                case ProgressPayload() if item.percent != percent:
                    percent = item.percent
                    yield frame_of(item.body, PROGRESS, None)
                case EventPayload() if item.head.sequence > after:
                    after = item.head.sequence
                    percent = percent_of(item) or percent
                    yield job_frame(item)
                    ended = item.head.type in ENDINGS
                case _:
                    pass


async def stream_tenant_events(
    events: EventStore,
    broadcaster: EventBroadcaster,
    position: int,
    types: Sequence[str],
    access: KeyRevalidation,
) -> AsyncGenerator[bytes]:
    """Yield the events of a tenant after a position of the feed."""
    yield PING  # sends the headers at once
    tenant = access.tenant
    # Subscribe only when nearly caught up: the queue of a subscription is bounded.
    behind = True
    while behind:
        stored = await uncut(events.after(tenant, position, PAGE, types))
        for event in stored:
            yield feed_frame(event)
        position = position_of(stored[-1]) if stored else position
        behind = len(stored) == PAGE
    with broadcaster.listening(tenant, types=types) as subscription:
        await subscription.joined()
        while stored := await uncut(events.after(tenant, position, PAGE, types)):
            for event in stored:
                yield feed_frame(event)
            position = position_of(stored[-1])
        while await uncut(access.holds()) and (item := await next_item(subscription)):
            if isinstance(item, bytes):
                yield item
            elif isinstance(item, EventPayload) and position_of(item) > position:
                position = position_of(item)
                yield feed_frame(item)


async def next_item(subscription: Subscription) -> StreamItem | bytes | None:
    """Return the next item, a ping after a while without one, or None at the end."""
    try:
        async with asyncio.timeout(PING_EVERY.total_seconds()):
            return await subscription.next()
    except TimeoutError:
        return PING


def frame_of(body: bytes, event_type: str, event_id: str | None) -> bytes:
    """Return one event. Without an id, a reader resumes after the event before it."""
    return format_sse_event(data_str=body.decode(), event=event_type, id=event_id)


def job_frame(event: EventPayload) -> bytes:
    return frame_of(event.body, event.head.type, str(event.head.sequence))


def feed_frame(event: EventPayload) -> bytes:
    return frame_of(event.body, event.head.type, cursor_of(position_of(event)))


def position_of(event: EventPayload) -> int:
    return event.head.position or 0


def percent_of(event: EventPayload) -> int | None:
    """Return the progress in a stored progress event; None for other events."""
    return json.loads(event.body)["data"]["progress"] if event.head.type == PROGRESS else None
