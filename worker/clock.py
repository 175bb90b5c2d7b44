"""
The machine's clock, and noticing that it was set.
"""

from datetime import UTC, datetime, timedelta
from time import monotonic

#: Less than this is a correction, and costs nobody more than itself.
TOLERATED = timedelta(seconds=30)
#: For longer than this no clock that was ahead, however far, makes later times doubtful.
LONGEST_DOUBT = timedelta(days=1)


def wall() -> datetime:
    """What the machine's clock says."""
    return datetime.now(UTC)


def is_recent(then: datetime | None, now: datetime, within: timedelta) -> bool:
    """Whether `then` is no longer ago than this. What a clock set back makes future is not."""
    return then is not None and timedelta(0) <= now - then < within


class Clock:
    """The machine's clock, held against one that only goes forward. Belongs to one process."""

    def __init__(self) -> None:
        #: Set whenever the clock was found set back; whoever sees to it resets it.
        self.went_back = False
        self._last: tuple[datetime, float] | None = None
        #: What was read off the clock before then may have been read off a wrong one.
        self._even_since = wall()

    def now(self) -> datetime:
        """The time, in UTC. Everybody asks here, so no time that was given out goes unnoticed."""
        now, steady = wall(), monotonic()
        last, self._last = self._last, (now, steady)
        if last is not None:
            self._compare(now, last[0] + timedelta(seconds=steady - last[1]))
        return now

    def measures(self, since: datetime, until: datetime) -> bool:
        """
        Whether the time between these two moments is as long as they say: the clock has not been
        set in between, in either direction, nor could it have been without this process noticing.
        """
        return self._even_since <= since <= until

    def _compare(self, now: datetime, expected: datetime) -> None:
        if abs(now - expected) <= TOLERATED:
            return
        self.went_back = self.went_back or now < expected
        # After a step back, moments up to the expected one come twice.
        self._even_since = max(now, min(expected, now + LONGEST_DOUBT))
