"""
The machine's clock, and noticing that it was set.
"""

from datetime import UTC, datetime, timedelta
from time import monotonic

#: Less than this is a correction, and costs nobody more than itself.
TOLERATED = timedelta(seconds=30)
#: A clock that was set forward is believed after this: by then somebody has set it right again, or
#: it was right.
BELIEVED_AFTER = timedelta(minutes=10)
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
        #: What it says no earlier than, and when that was, on the clock that only goes forward.
        self._sure: tuple[datetime, float] | None = None
        #: By how much it was set back, and not forward again.
        self._behind = timedelta(0)
        self._set_at = monotonic()

    def now(self) -> datetime:
        """The time, in UTC. Everybody asks here, so no time that was given out goes unnoticed."""
        now, steady = wall(), monotonic()
        last, self._last = self._last, (now, steady)
        if last is not None:
            self._compare(now, last[0] + timedelta(seconds=steady - last[1]))
        return now

    def surely(self) -> datetime:
        """
        A time that has come for sure, for what cannot be taken back: what the clock says or, for a
        while after it was set forward, what it would say had it not been.
        """
        now = self.now()
        if self._sure is None:
            return now
        if monotonic() - self._sure[1] >= BELIEVED_AFTER.total_seconds():
            self._sure = None
            return now
        return self._unset(now)

    def even_for(self) -> timedelta:
        """How long this process has not seen it set; no longer than it has watched."""
        self.now()
        return timedelta(seconds=monotonic() - self._set_at)

    def measures(self, since: datetime, until: datetime) -> bool:
        """
        Whether the time between these two moments is as long as they say: the clock has not been
        set in between, in either direction, nor could it have been without this process noticing.
        """
        return self._even_since <= since <= until

    def _compare(self, now: datetime, expected: datetime) -> None:
        if abs(now - expected) <= TOLERATED:
            return
        self._set_at = monotonic()
        if now < expected:
            self.went_back = True
            self._behind = max(self._unset(expected) - now, timedelta(0))
        else:
            caught_up = min(now - expected, self._behind)
            self._behind -= caught_up
            if now - expected - caught_up > TOLERATED:
                self._sure = self._unset(expected + caught_up), monotonic()
        # After a step back, moments up to the expected one come twice.
        self._even_since = max(now, min(expected, now + LONGEST_DOUBT))

    def _unset(self, expected: datetime) -> datetime:
        """What it would say, had it never been set while it was in doubt."""
        if self._sure is None:
            return expected
        time, steady = self._sure
        return min(expected, time + timedelta(seconds=monotonic() - steady))
