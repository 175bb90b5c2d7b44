"""
Whose requests wait for each other: one lane for each receiver of webhooks, in this process.
"""

from collections import deque
from datetime import timedelta
from time import monotonic

from generation.store import Claimed
from generation.webhooks.endpoint import MAX_ENDPOINT_CONCURRENCY, RegisteredEndpoint

#: A delivery waits no longer than this for its lane; then it is put aside.
PATIENCE = timedelta(seconds=5)
#: How many wait in a lane for each that is on the wire: enough to keep it busy between two claims.
WAITING = 10


class DeliveryLane:
    """
    What one receiver holds. A receiver that is slow or away gets one request at a time, so that
    however many there are of them, they do not hold everything that sends.
    """

    __slots__ = (
        *("key", "running", "waiting", "troubled", "behind", "concurrency", "rate", "ordered"),
        *("free_at", "timed"),
    )

    def __init__(self, key: str) -> None:
        self.key = key
        self.running = 0
        #: What was claimed for it and is not on the wire yet, each with the moment it came.
        self.waiting: deque[tuple[float, Claimed]] = deque()
        #: The latest attempt met nobody, or found somebody with too much to do.
        self.troubled = False
        #: Something was put aside for it.
        self.behind = False
        self.concurrency = MAX_ENDPOINT_CONCURRENCY
        self.rate: float | None = None
        self.ordered = False
        #: When the rate permits the next request, in monotonic seconds.
        self.free_at = 0.0
        #: Somebody will start it then.
        self.timed = False

    def heed(self, endpoint: RegisteredEndpoint | None) -> None:
        """Take over what the endpoint's owner wants."""
        if endpoint is not None:
            self.ordered = endpoint.ordered
            self.concurrency = 1 if endpoint.ordered else endpoint.concurrency
            self.rate = endpoint.rate

    def width(self, free: int) -> int:
        """How many may be on the wire, in a process that could take on `free` more in all."""
        return 1 if self.troubled else max(1, min(self.concurrency, free // 8))

    def room(self, free: int) -> int:
        """How many more it takes on, to send or to wait."""
        width = self.width(free)
        most = width if self.troubled or self.ordered else width * (1 + WAITING)
        if self.rate is not None:
            most = min(most, 1 + int(self.rate * PATIENCE.total_seconds()))
        return max(0, most - self.running - len(self.waiting))

    def take(self, claimed: Claimed) -> None:
        self.waiting.append((monotonic(), claimed))

    def next(self, free: int) -> Claimed | None:
        """What may be sent now; it counts as on the wire from here on."""
        if not self.waiting or self.running >= self.width(free) or self.pause() > 0:
            return None
        if self.rate is not None:
            self.free_at = max(self.free_at, monotonic()) + 1 / self.rate
        self.running += 1
        return self.waiting.popleft()[1]

    def pause(self) -> float:
        """For how many seconds the rate permits nothing."""
        return 0.0 if self.rate is None else self.free_at - monotonic()

    def overdue(self) -> list[Claimed]:
        """Give up what has waited too long."""
        given_up: list[Claimed] = []
        oldest = monotonic() - PATIENCE.total_seconds()
        while self.waiting and self.waiting[0][0] < oldest:
            given_up.append(self.waiting.popleft()[1])
        return given_up

    @property
    def is_idle(self) -> bool:
        """Nothing is known of it that a new lane would not know."""
        return not (self.running or self.waiting or self.troubled or self.behind or self.timed)
