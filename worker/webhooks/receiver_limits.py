"""Concurrency and rate limit of one receiver, in this process."""

from collections import deque
from datetime import timedelta
from time import monotonic

from generation.store import ClaimedDelivery
from generation.webhooks.endpoint import MAX_ENDPOINT_CONCURRENCY, RegisteredEndpoint

#: A delivery waits no longer than this for a free request; then it is set aside.
PATIENCE = timedelta(seconds=5)
#: How many deliveries wait for each open request: enough to keep it busy between two claims.
WAITING = 10


class ReceiverLimit:
    """The deliveries of one receiver.

    A slow or unreachable receiver gets one request at a time, so that many of them do not use up
    all requests of the process.
    """

    __slots__ = (
        *("key", "running", "waiting", "is_failing", "has_set_aside"),
        *("concurrency", "rate", "ordered", "free_at", "timed"),
    )

    def __init__(self, key: str) -> None:
        self.key = key
        self.running = 0
        #: Claimed deliveries that are not sent yet, each with its arrival time.
        self.waiting: deque[tuple[float, ClaimedDelivery]] = deque()
        #: The latest attempt reached nobody, or an overloaded receiver.
        self.is_failing = False
        #: Something was set aside for it.
        self.has_set_aside = False
        self.concurrency = MAX_ENDPOINT_CONCURRENCY
        self.rate: float | None = None
        self.ordered = False
        #: When the rate permits the next request, in monotonic seconds.
        self.free_at = 0.0
        #: A timer will start it then.
        self.timed = False

    def apply_endpoint(self, endpoint: RegisteredEndpoint | None) -> None:
        """Apply the settings of the endpoint's owner."""
        if endpoint is not None:
            self.ordered = endpoint.ordered
            self.concurrency = 1 if endpoint.ordered else endpoint.concurrency
            self.rate = endpoint.rate

    def width(self, free: int) -> int:
        """Return how many requests may be open, in a process with `free` more in all."""
        return 1 if self.is_failing else max(1, min(self.concurrency, free // 8))

    def free_slots(self, free: int) -> int:
        """Return how many more deliveries it accepts, to send or to wait."""
        width = self.width(free)
        most = width if self.is_failing or self.ordered else width * (1 + WAITING)
        if self.rate is not None:
            most = min(most, 1 + int(self.rate * PATIENCE.total_seconds()))
        return max(0, most - self.running - len(self.waiting))

    def take(self, claimed: ClaimedDelivery) -> None:
        self.waiting.append((monotonic(), claimed))

    def next(self, free: int) -> ClaimedDelivery | None:
        """Return the deliveries to send now; they count as open from here on."""
        if not self.waiting or self.running >= self.width(free) or self.pause() > 0:
            return None
        if self.rate is not None:
            self.free_at = max(self.free_at, monotonic()) + 1 / self.rate
        self.running += 1
        return self.waiting.popleft()[1]

    def pause(self) -> float:
        """Return for how many seconds the rate permits nothing."""
        return 0.0 if self.rate is None else self.free_at - monotonic()

    def overdue(self) -> list[ClaimedDelivery]:
        """Return, and drop, what has waited too long."""
        given_up: list[ClaimedDelivery] = []
        oldest = monotonic() - PATIENCE.total_seconds()
        while self.waiting and self.waiting[0][0] < oldest:
            given_up.append(self.waiting.popleft()[1])
        return given_up

    @property
    def is_idle(self) -> bool:
        """Return whether a new object would know as much."""
        return not (
            self.running or self.waiting or self.is_failing or self.has_set_aside or self.timed
        )
