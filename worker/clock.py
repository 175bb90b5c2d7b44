"""
Noticing that the machine's clock was set back.
"""

from datetime import datetime, timedelta

#: Less than this is a correction, and costs nobody more than itself.
TOLERATED = timedelta(seconds=30)


class ClockWatch:
    """Compares the clock with one that only goes forward. Belongs to one process."""

    def __init__(self) -> None:
        self._last: tuple[datetime, float] | None = None

    def went_back(self, now: datetime, monotonic: float) -> timedelta | None:
        """By how much the clock was set back since this was last asked; None where it was not."""
        last, self._last = self._last, (now, monotonic)
        if last is None:
            return None
        back = last[0] + timedelta(seconds=monotonic - last[1]) - now
        return back if back > TOLERATED else None
