"""uvicorn's HTTP protocol with limits on heads, bodies and slow readers.

What is not HTTP is answered by a problem document. The parser keeps a head in memory until it is
complete, and what a reader does not take stays in memory too, so all of them have time limits. This
module is the only one that uses private parts of uvicorn; `pyproject.toml` bounds its version.
"""

from asyncio import TimerHandle, Transport
from typing import Any

import structlog
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from api.http.middleware import request_id_of
from api.http.problem_types import BODY_TOO_SLOW, HEAD_TOO_LARGE, MALFORMED_HTTP
from api.http.problems import MEDIA_TYPE, Problem, problem_answer

log = structlog.get_logger(__name__)

#: Limit of the request line and the header fields together.
MAX_HEAD_BYTES = 64 * 1024
#: Time for a head to arrive.
HEAD_SECONDS = 20.0
#: Time for the body to arrive. The largest one needs 4.5 Mbit/s.
BODY_SECONDS = 60.0
#: A reader that takes nothing of a response for this time is disconnected. Streams can be resumed.
STALL_SECONDS = 30.0
#: Checks in that time. A single check could find a response that was written just now.
STALL_CHECKS = 6
#: After a refusal the connection stays open for this time, and its data is ignored.
LINGER_SECONDS = 1.0

REASONS = {400: "Bad Request", 408: "Request Timeout", 431: "Request Header Fields Too Large"}


class HeadTooLarge(Exception):
    """Ends the parsing of a request."""


class LimitedHttpProtocol(HttpToolsProtocol):
    """One connection. A request that arrives in one piece needs no timers."""

    #: The public URL, for links to the pages of problems.
    base_url = ""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        #: A head has begun and is not whole. Between requests, and while one is answered, none has.
        self._in_head = False
        #: A head is whole and the body after it is not.
        self._in_body = False
        #: Bytes of the head in earlier pieces, and all bytes of this piece.
        self._head_bytes = 0
        self._piece_bytes = 0
        #: Whether a request ended in this piece: what follows it is not all of the next head.
        self._ended_in_piece = False
        self._too_large = False
        self._refused = False
        self._timeout: TimerHandle | None = None
        #: Runs while the reader has not taken all that was sent; how much that was at the last
        #: check, and how many checks in a row have found that nothing was taken.
        self._stall: TimerHandle | None = None
        self._untaken = 0
        self._stalled_checks = 0

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        self._piece_bytes = len(data)
        self._ended_in_piece = False
        super().data_received(data)
        if self._in_head and not self._refused:
            self._head_bytes += 0 if self._ended_in_piece else len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self._too_large = True
                self.send_400_response("")
            elif self._timeout is None:
                self._wait_for_head()
        elif self._in_body and self._timeout is None:
            self._timeout = self.loop.call_later(BODY_SECONDS, self._on_body_timeout)

    def on_message_begin(self) -> None:
        self._in_head = True
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Trailer fields come this way too. They are not header fields, and are ignored."""
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        if self._head_bytes + self._piece_bytes > MAX_HEAD_BYTES and self._is_too_large():
            self._too_large = True
            raise HeadTooLarge
        self._in_head = False
        self._in_body = True
        self._head_bytes = 0
        if self._timeout is not None:
            self._stop_waiting()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._ended_in_piece = True
        self._in_body = False
        if self._timeout is not None:
            self._stop_waiting()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        self._watch_reader()
        super().on_response_complete()

    def pause_writing(self) -> None:
        """Called by the transport when its buffer is full."""
        self._watch_reader()
        super().pause_writing()

    def send_400_response(self, msg: str) -> None:
        """Refuse the request. uvicorn calls this for everything that the parser cannot read."""
        del msg
        answering = self.cycle is not None and not self.cycle.response_complete  # pyright: ignore[reportUnnecessaryComparison]
        problem = (
            Problem(HEAD_TOO_LARGE, f"a request's head may have at most {MAX_HEAD_BYTES} bytes")
            if self._too_large
            else Problem(MALFORMED_HTTP, "the request cannot be read as HTTP/1.1")
        )
        self._refuse(None if answering else problem)

    def _on_body_timeout(self) -> None:
        """Refuse a request whose body has not arrived, and wake the endpoint that waits for it."""
        words = f"the body was not whole {BODY_SECONDS:.0f} seconds after its head"
        # Behind a request that is still being answered, it would be taken for that one's answer.
        answering = self.cycle.response_started or self.pipeline
        self._refuse(None if answering else Problem(BODY_TOO_SLOW, words))
        self.cycle.disconnected = True
        self.cycle.message_event.set()

    def _refuse(self, problem: Problem | None) -> None:
        """Send this problem, if there is one, and ignore all further data."""
        if problem is not None:
            self.transport.write(refusal(problem, self.base_url))
            self.transport.write_eof()
        # Closed at once, with more on its way to us, the answer would be lost on its way to them.
        self._refused = True
        self.loop.call_later(LINGER_SECONDS, self.transport.close)

    def _watch_reader(self) -> None:
        if self._stall is None and (untaken := self.transport.get_write_buffer_size()):
            self._untaken, self._stalled_checks = untaken, 0
            self._stall = self.loop.call_later(STALL_SECONDS / STALL_CHECKS, self._check_reader)

    def _check_reader(self) -> None:
        """Close the connection of a reader that has taken nothing for the whole time."""
        self._stall = None
        before, self._untaken = self._untaken, self.transport.get_write_buffer_size()
        if not self._untaken:
            return
        self._stalled_checks = self._stalled_checks + 1 if self._untaken >= before else 0
        if self._stalled_checks < STALL_CHECKS:
            self._stall = self.loop.call_later(STALL_SECONDS / STALL_CHECKS, self._check_reader)
            return
        log.info("reader_disconnected", untaken_bytes=self._untaken)
        self.transport.abort()

    def _is_too_large(self) -> bool:
        fields = sum(len(name) + len(value) + 4 for name, value in self.headers)
        return len(self.url) + fields > MAX_HEAD_BYTES

    def _wait_for_head(self) -> None:
        self._timeout = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._timeout is not None:
            self._timeout.cancel()
            self._timeout = None


def protocol_class(base_url: str) -> type[LimitedHttpProtocol]:
    """Return the protocol class of an API with this public URL."""
    return type("LimitedHttpProtocol", (LimitedHttpProtocol,), {"base_url": base_url})


def refusal(problem: Problem, base_url: str) -> bytes:
    """Return a whole HTTP response, after which the connection is closed."""
    request_id = request_id_of({"headers": []}).decode()
    answer = problem_answer(problem, instance="/", request_id=request_id, base_url=base_url)
    status = problem.kind.status
    head = (
        f"HTTP/1.1 {status} {REASONS[status]}\r\ncontent-type: {MEDIA_TYPE}\r\n"
        f"content-length: {len(answer.body)}\r\nx-request-id: {request_id}\r\n"
        "connection: close\r\n\r\n"
    )
    return head.encode() + bytes(answer.body)
