"""
Tasks that their upstream says it does not know, or calls done without a file, and for how long one
process has heard so.

A task is only believed lost, or to stay without its file, after a minute of that, and the minute is
not read off a clock that may be set, nor off another machine's.
"""

from datetime import datetime, timedelta

from generation.contract.errors import ErrorCode, Fault, Rejected, UnrecognizedReply
from generation.contract.status import Running, Status, Succeeded

#: Of more than that nothing is remembered: they are found missing for a little longer.
MOST = 100_000


class Missing:
    """What this process has heard since it began."""

    def __init__(self) -> None:
        #: Of each job what it lacks, and since when.
        self._since: dict[str, tuple[ErrorCode, datetime]] = {}

    def heard(self, job_id: str, answer: Status | Fault, steady: datetime) -> timedelta:
        """
        For how long each answer has said the same of the task, up to this one: that it is missing,
        or that its file is. `steady` is a time that only goes forward. What says nothing of the
        task says nothing of this either.
        """
        lack = lack_in(answer)
        if lack is None:
            if not isinstance(answer, Fault):
                self._since.pop(job_id, None)
            return timedelta(0)
        known = self._since.get(job_id)
        if known is None or known[0] is not lack:
            if len(self._since) >= MOST:
                self._since.clear()
            self._since[job_id] = known = lack, steady
        return steady - known[1]


def lack_in(answer: Status | Fault) -> ErrorCode | None:
    """What the upstream itself says is not there: the task, or its file; None for neither."""
    match answer:
        case Running(so_far=Succeeded()):
            return ErrorCode.ASSET_MISSING
        case Rejected(code=ErrorCode.NOT_FOUND) | UnrecognizedReply(code=ErrorCode.ASSET_MISSING):
            return answer.code
        case _:
            return None
