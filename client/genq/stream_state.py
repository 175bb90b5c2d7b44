"""Follows a stream of events across connections, without any I/O."""

import json
from collections.abc import Mapping
from math import inf
from time import monotonic

import httpx
from httpx_sse import ServerSentEvent

from genq.errors import NotGenq
from genq.event import Event, parse_event
from genq.job import TERMINAL
from genq.steps import FIRST_PAUSE, LONGEST_PAUSE, RETRY_STATUSES, refusal, retry_after, unreachable

#: A stopping API closes its streams; a new one is expected soon.
CLOSED = httpx.ReadError("the stream was closed")

#: A connection open for this many seconds resets the retry time.
HELD = 5.0


class StreamState:
    """The position in a stream and the time without messages.

    With `to_the_end` it is `done` once its job has ended.
    """

    def __init__(
        self,
        patience: float,
        *,
        after: str | None = None,
        to_the_end: bool = False,
        held: float = HELD,
    ) -> None:
        self._patience = patience
        self._held = held
        self._to_the_end = to_the_end
        self.done = False
        #: The id of the last message; the next connection continues after it.
        self.last_id = after
        self._silent_since = monotonic()
        #: When the current connection was opened; infinity if there is none.
        self._opened_at = inf
        self._pause = FIRST_PAUSE

    @property
    def headers(self) -> Mapping[str, str]:
        accept = {"accept": "text/event-stream", "cache-control": "no-store"}
        return accept if self.last_id is None else {**accept, "last-event-id": self.last_id}

    def check(self, response: httpx.Response) -> float | None:
        """Return None if the response may be read, else the seconds until a retry.

        Raises a `GenqError`.
        """
        if response.is_success:
            self._opened_at = monotonic()
            return None
        if response.status_code not in RETRY_STATUSES:
            raise refusal(response)
        wait = max(self._next_pause(), retry_after(response) or 0)
        if monotonic() + wait > self._silent_since + self._patience:
            raise refusal(response)
        return wait

    def connection_lost(self, error: httpx.TransportError = CLOSED) -> float:
        """Return the seconds until the next connection. Raises `Unreachable` after `patience`."""
        if monotonic() - self._opened_at >= self._held:
            # It was alive until its end: pings are not visible here.
            self._silent_since, self._pause = monotonic(), FIRST_PAUSE
        self._opened_at = inf
        wait = self._next_pause()
        if monotonic() + wait > self._silent_since + self._patience:
            raise unreachable(error)
        return wait

    def read_message(self, message: ServerSentEvent) -> Event | None:
        """Return the event; None for a message without data. Raises `NotGenq`."""
        self._silent_since, self._pause = monotonic(), FIRST_PAUSE
        if message.id:
            self.last_id = message.id
        if not message.data:
            return None
        try:
            event = parse_event(json.loads(message.data), message.id or None)
        except (ValueError, KeyError, TypeError) as error:
            raise NotGenq(f"the stream's message is not an event: {error!r}") from None
        self.done = self._to_the_end and event.data.get("state") in TERMINAL
        return event

    def _next_pause(self) -> float:
        pause, self._pause = self._pause, min(self._pause * 2, LONGEST_PAUSE)
        return pause
