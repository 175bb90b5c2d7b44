"""
Looks that the upstream refused as too fast, or for the key: whether it is the job or the key.

One job whose looks are refused is no reason to look at no other. The key's looks pause when a
second, different job meets the same, and no look with this key was answered in between.
"""

from collections.abc import Sequence

from generation.store import Lane


class RefusedLooks:
    """What this process has seen, by lane: the first job that was refused."""

    def __init__(self) -> None:
        self._first: dict[Lane, str] = {}

    def is_about_key(self, lane: Lane, job_ids: Sequence[str]) -> bool:
        """Note a refused look at these jobs. True where it can no longer be one job's doing."""
        first = self._first.setdefault(lane, job_ids[0])
        return any(job_id != first for job_id in job_ids)

    def answered(self, lane: Lane) -> None:
        """A look with this key was answered."""
        self._first.pop(lane, None)
