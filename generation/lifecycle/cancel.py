"""Decisions about a request to cancel."""

from datetime import datetime

from generation.contract.errors import Acceptance, Fault
from generation.job import Billed, Job, JobState
from generation.lifecycle.context import DecisionContext
from generation.lifecycle.ending import canceled, task_slot_until, unbilled
from generation.lifecycle.running import MISSES_TO_LOSE


def request_cancel(job: Job, now: datetime) -> Job:
    """Apply a request to cancel.

    A job that was not sent is canceled at once. For one that may be upstream the request is stored
    until a worker has handled it.
    """
    if job.state is JobState.QUEUED:
        return canceled(job, now, unbilled(job), "canceled before it was sent")
    if job.cancel_requested_at is not None:
        return job
    if job.state is JobState.SUBMITTING:
        return job.keep(now, cancel_requested_at=now)
    return job.keep(now, cancel_requested_at=now, wake_at=now)


def after_cancel(job: Job, stopped: bool | Fault | None, at: DecisionContext) -> Job:
    """The outcome of a cancel upstream.

    `stopped` is True or False as the upstream answered, a fault, or None if it has no such call.
    """
    match stopped:
        case True:
            return canceled(job, at.now, Billed.UNKNOWN, "canceled upstream")
        case Fault(accepted=Acceptance.NO, retryable=True) if job.misses + 1 < MISSES_TO_LOSE:
            again = at.until(job.deadline, at.now + at.rules.backoff(0, at.jitter))
            return job.keep(at.now, misses=job.misses + 1, wake_at=again)
        case _:
            billed = Billed.UNKNOWN if job.state is JobState.IN_DOUBT else Billed.YES
            return canceled(
                job,
                at.now,
                billed,
                "detached: the upstream cannot stop it, its result is discarded",
                slot_until=task_slot_until(job, at),
            )
