"""
Following a stream of events over as many connections as it takes, without any I/O.
"""

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

#: An API that is being stopped closes its streams; it, or another, is there again soon.
CLOSED = httpx.ReadError("the stream was closed")

#: A connection that was open for so many seconds was no false start.
HELD = 5.0


class StreamState:
    """
    Where a stream stands: what came last, and how long nothing has come. With `to_the_end` it is
    `done` once its job has ended.
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
        #: The id of the latest message; the next connection goes on after it.
        self.last_id = after
        self._silent_since = monotonic()
        #: When the present connection was made; never, while there is none.
        self._opened_at = inf
        self._pause = FIRST_PAUSE

    @property
    def headers(self) -> Mapping[str, str]:
        accept = {"accept": "text/event-stream", "cache-control": "no-store"}
        return accept if self.last_id is None else {**accept, "last-event-id": self.last_id}

    def check(self, response: httpx.Response) -> float | None:
        """None where it may be read, else after how long to ask again. Raises a `GenqError`."""
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
        """After how long to connect again. Raises `Unreachable` when patience has run out."""
        if monotonic() - self._opened_at >= self._held:
            # It was well to its end: the API pings, which is not heard here, so nothing happened.
            self._silent_since, self._pause = monotonic(), FIRST_PAUSE
        self._opened_at = inf
        wait = self._next_pause()
        if monotonic() + wait > self._silent_since + self._patience:
            raise unreachable(error)
        return wait

    def read_message(self, message: ServerSentEvent) -> Event | None:
        """The event of a message; None for one that carries nothing. Raises `NotGenq`."""
        self._silent_since, self._pause = monotonic(), FIRST_PAUSE
        if message.id:
            self.last_id = message.id
        if not message.data:
            return None
        try:
            event = parse_event(json.loads(message.data), message.id or None)
        except (ValueError, KeyError, TypeError) as error:
            raise NotGenq(f"the stream's message is no event: {error!r}") from None
        self.done = self._to_the_end and event.data.get("state") in TERMINAL
        return event

    def _next_pause(self) -> float:
        pause, self._pause = self._pause, min(self._pause * 2, LONGEST_PAUSE)
        return pause
