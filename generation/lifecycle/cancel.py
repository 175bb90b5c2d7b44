"""
What becomes of a caller's wish to cancel.
"""

from datetime import datetime

from generation.contract.errors import Acceptance, Fault
from generation.job import Billed, Job, JobState
from generation.lifecycle.context import Moment
from generation.lifecycle.ending import canceled, may_run_until, unbilled
from generation.lifecycle.running import MISSES_TO_LOSE


def request_cancel(job: Job, now: datetime) -> Job:
    """
    What a caller's wish to cancel makes of the job at once. A job that nobody has sent is canceled
    on the spot; one that may be upstream carries the wish until a worker has seen to it.
    """
    if job.state is JobState.QUEUED:
        return canceled(job, now, unbilled(job), "canceled before it was sent")
    if job.cancel_requested_at is not None:
        return job
    if job.state is JobState.SUBMITTING:
        return job.keep(now, cancel_requested_at=now)
    return job.keep(now, cancel_requested_at=now, wake_at=now)


def after_cancel(job: Job, stopped: bool | Fault | None, at: Moment) -> Job:
    """
    What became of a cancel upstream: agreed, refused, failed, or None where there is no such call.
    """
    match stopped:
        case True:
            return canceled(job, at.now, Billed.UNKNOWN, "canceled upstream")
        case Fault(accepted=Acceptance.NO, retryable=True) if job.misses + 1 < MISSES_TO_LOSE:
            again = at.until(job.deadline, at.now + at.rules.backoff(0, at.dice))
            return job.keep(at.now, misses=job.misses + 1, wake_at=again)
        case _:
            billed = Billed.UNKNOWN if job.state is JobState.IN_DOUBT else Billed.YES
            return canceled(
                job,
                at.now,
                billed,
                "detached: the upstream cannot stop it, its result is discarded",
                slot_until=may_run_until(job, at),
            )
