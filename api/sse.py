"""
Server-sent events: frames, and the answer that sends them.

Specification: html.spec.whatwg.org, section "Server-sent events".
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import timedelta

import structlog
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import StreamingResponse
from starlette.types import Send

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
    nothing is cut off by the connection itself (`api.wire`).
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
