"""Tasks that their upstream does not know, or calls done without a file, and for how long.

A task counts as lost, or as finally without its file, only after a minute, which is measured by
this process's monotonic clock.
"""

from datetime import datetime, timedelta

from generation.contract.errors import ErrorCode, Fault, Rejected, UnrecognizedReply
from generation.contract.status import Running, Status, Succeeded

#: The most jobs that are remembered. Others are found missing a little longer.
MOST = 100_000


class NotFoundTracker:
    """What this process has observed since it started."""

    def __init__(self) -> None:
        #: What each job lacks, and since when.
        self._since: dict[str, tuple[ErrorCode, datetime]] = {}

    def heard(self, job_id: str, answer: Status | Fault, steady: datetime) -> timedelta:
        """Return for how long the answers have said the same of the task, up to this one.

        They may say that it is missing, or that its file is. `steady` is a monotonic time. An
        answer that says nothing of the task changes nothing.
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
    """Return what the upstream itself says is missing: the task, or its file; None for neither."""
    match answer:
        case Running(so_far=Succeeded()):
            return ErrorCode.ASSET_MISSING
        case Rejected(code=ErrorCode.NOT_FOUND) | UnrecognizedReply(code=ErrorCode.ASSET_MISSING):
            return answer.code
        case _:
            return None
