"""The machine's clock, and detection of clock steps."""

from datetime import UTC, datetime, timedelta
from time import monotonic

#: A smaller step is a correction.
TOLERATED = timedelta(seconds=30)
#: A clock that was set forward is trusted after this time: by then it was corrected, or it was
#: right.
BELIEVED_AFTER = timedelta(minutes=10)
#: Beyond this no clock that was ahead, however far, makes later times doubtful.
LONGEST_DOUBT = timedelta(days=1)


def wall() -> datetime:
    """Return the time of the machine's clock."""
    return datetime.now(UTC)


def is_recent(then: datetime | None, now: datetime, within: timedelta) -> bool:
    """Return whether `then` is at most this long ago. A time in the future is not recent."""
    return then is not None and timedelta(0) <= now - then < within


class Clock:
    """The machine's clock, compared with a monotonic one. One per process."""

    def __init__(self) -> None:
        #: Set when the clock was found set back; the code that handles it resets it.
        self.went_back = False
        self._last: tuple[datetime, float] | None = None
        #: Times from before this may come from a wrong clock.
        self._even_since = wall()
        #: A time that has surely passed, and when that was on the monotonic clock.
        self._sure: tuple[datetime, float] | None = None
        #: By how much it was set back, and not forward again.
        self._behind = timedelta(0)
        self._set_at = monotonic()

    def now(self) -> datetime:
        """Return the time, in UTC. All code asks here, so that every step is noticed."""
        now, steady = wall(), monotonic()
        last, self._last = self._last, (now, steady)
        if last is not None:
            self._compare(now, last[0] + timedelta(seconds=steady - last[1]))
        return now

    def certain_now(self) -> datetime:
        """Return a time that has surely passed, for actions that cannot be undone.

        It is the clock's time or, for a while after it was set forward, the time without that step.
        """
        now = self.now()
        if self._sure is None:
            return now
        if monotonic() - self._sure[1] >= BELIEVED_AFTER.total_seconds():
            self._sure = None
            return now
        return self._unset(now)

    def even_for(self) -> timedelta:
        """Return how long this process has seen no clock step."""
        self.now()
        return timedelta(seconds=monotonic() - self._set_at)

    def measures(self, since: datetime, until: datetime) -> bool:
        """Return whether no clock step falls between these two moments.

        False also if one could have happened without this process noticing.
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
        # After a step back, times up to the expected one come twice.
        self._even_since = max(now, min(expected, now + LONGEST_DOUBT))

    def _unset(self, expected: datetime) -> datetime:
        """Return the time without the steps that are still in doubt."""
        if self._sure is None:
            return expected
        time, steady = self._sure
        return min(expected, time + timedelta(seconds=monotonic() - steady))
