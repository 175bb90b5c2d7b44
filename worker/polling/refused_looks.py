"""
Looks that the upstream refused as too fast, or for the key: whether it is the job or the key.

One job whose looks are refused is no reason to look at no other. The key's looks pause when a
second, different job is soon refused for the same reason, and no look with this key was answered in
between.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from generation.contract.errors import Fault
from generation.store import Lane

#: Two refusals further apart than this have nothing to do with each other.
TOGETHER = timedelta(seconds=60)


class RefusedLooks:
    """What this process has seen: by lane and error code, the job that was refused, and when."""

    def __init__(self) -> None:
        self._latest: dict[Lane, dict[str, tuple[str, datetime]]] = {}

    def is_about_key(self, lane: Lane, fault: Fault, job_ids: Sequence[str], now: datetime) -> bool:
        """Note a refused look at these jobs. True where it can no longer be one job's doing."""
        seen = self._latest.setdefault(lane, {})
        before = seen.get(fault.code.value)
        seen[fault.code.value] = (job_ids[-1], now)
        if len(job_ids) > 1:
            return True
        return before is not None and before[0] != job_ids[0] and now - before[1] <= TOGETHER

    def answered(self, lane: Lane) -> None:
        """A look with this key was answered."""
        self._latest.pop(lane, None)
