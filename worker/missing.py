"""
Tasks that their upstream says it does not know, and for how long one process has heard so.

A task is only believed lost after a minute of that, and the minute is not read off a clock that may
be set, nor off another machine's.
"""

from datetime import datetime, timedelta

from generation.errors import ErrorCode, Fault, Rejected
from generation.status import Running, Status

#: Of more than that nothing is remembered: they are found missing for a little longer.
MOST = 100_000


class Missing:
    """What this process has heard since it began."""

    def __init__(self) -> None:
        self._since: dict[str, datetime] = {}

    def heard(self, job_id: str, answer: Status | Fault, steady: datetime) -> timedelta:
        """
        For how long the task has been missing in each answer, up to this one. `steady` is a time
        that only goes forward. What says nothing of the task says nothing of this either.
        """
        if not is_absence(answer):
            if not isinstance(answer, Fault):
                self._since.pop(job_id, None)
            return timedelta(0)
        if len(self._since) >= MOST:
            self._since.clear()
        return steady - self._since.setdefault(job_id, steady)


def is_absence(answer: Status | Fault) -> bool:
    """Whether the task is missing, or its file is while the task calls itself done."""
    if isinstance(answer, Running):
        return answer.so_far is not None
    return isinstance(answer, Rejected) and answer.code is ErrorCode.NOT_FOUND
