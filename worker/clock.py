"""
The machine's clock, and noticing that it was set back.
"""

from datetime import UTC, datetime, timedelta
from time import monotonic

#: Less than this is a correction, and costs nobody more than itself.
TOLERATED = timedelta(seconds=30)


def wall() -> datetime:
    """What the machine's clock says."""
    return datetime.now(UTC)


class Clock:
    """The machine's clock, held against one that only goes forward. Belongs to one process."""

    def __init__(self) -> None:
        #: Set whenever the clock was found set back; whoever sees to it resets it.
        self.went_back = False
        self._last: tuple[datetime, float] | None = None

    def now(self) -> datetime:
        """The time, in UTC. Everybody asks here, so no time that was given out goes unnoticed."""
        now, steady = wall(), monotonic()
        last, self._last = self._last, (now, steady)
        if last is not None and now - last[0] < timedelta(seconds=steady - last[1]) - TOLERATED:
            self.went_back = True
        return now
