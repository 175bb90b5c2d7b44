"""Refused looks: whether the cause is the job or the key.

Refused looks of one job stop no others. The looks of a key pause when a second, different job is
soon refused for the same reason, and no look with this key was answered in between.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from generation.contract.errors import Fault
from generation.store import StationKey

#: Two refusals further apart than this are unrelated.
TOGETHER = timedelta(seconds=60)


class RefusedLookTracker:
    """What this process has observed: by key and error code, the job that was refused, and when."""

    def __init__(self) -> None:
        self._latest: dict[StationKey, dict[str, tuple[str, datetime]]] = {}

    def is_about_key(
        self, station_key: StationKey, fault: Fault, job_ids: Sequence[str], now: datetime
    ) -> bool:
        """Record a refused look at these jobs.

        Returns True if one job can no longer be the cause.
        """
        seen = self._latest.setdefault(station_key, {})
        before = seen.get(fault.code.value)
        seen[fault.code.value] = (job_ids[-1], now)
        if len(job_ids) > 1:
            return True
        return before is not None and before[0] != job_ids[0] and now - before[1] <= TOGETHER

    def answered(self, station_key: StationKey) -> None:
        """Record that a look with this key was answered."""
        self._latest.pop(station_key, None)
