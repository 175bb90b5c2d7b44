"""
What a person says of a job in doubt, who has looked in the station's own books.
"""

from collections.abc import Mapping
from datetime import datetime

from generation.contract.errors import (
    AccountBlocked,
    ErrorCode,
    Fault,
    InDoubt,
    NotAccepted,
)
from generation.job import Billed, Job, JobError, JobState, Then
from generation.lifecycle import MISSES_TO_LOSE, Moment, ended, send_again, unbilled

ABSENT = "a person has found that the upstream never received it"
#: What is done about it, in words.
NEXT: Mapping[Then, str] = {Then.REQUEUE: "it is sent again", Then.FAIL: "it fails"}


def created(job: Job, upstream_id: str, now: datetime) -> Job:
    """Its task is there, under this id: the job goes on, and is looked at at once."""
    return job.move(
        JobState.RUNNING,
        now,
        upstream_id=upstream_id,
        started_at=now,
        billed=Billed.YES,
        misses=0,
        reason="",
        wake_at=now,
    )


def not_created(job: Job, then: Then, now: datetime) -> Job:
    """
    Its task was never created, as a person says, who may be wrong. The upstream is asked once more,
    where it can be, by a worker; what that finds counts.
    """
    words = f"{ABSENT}; the upstream is asked once more, and unless it has the task {NEXT[then]}"
    return job.keep(now, resolved_as=then, misses=0, reason=words, wake_at=now)


def carry_out(job: Job, fault: Fault | None, at: Moment) -> Job:
    """
    That search has not found it: the job is sent again with the same key, or fails unbilled. An
    upstream that cannot be reached, or says nothing, is asked three times before the person's word
    is all there is.
    """
    if is_unheard(fault) and job.misses + 1 < MISSES_TO_LOSE:
        assert fault is not None
        again = at.retry(fault, job.deadline, at.rules.backoff(job.misses, at.dice))
        return job.keep(at.now, misses=job.misses + 1, wake_at=again)
    if job.resolved_as is Then.REQUEUE:
        return send_again(job, f"{ABSENT}; {NEXT[Then.REQUEUE]}", at.now)
    return ended(
        job,
        JobState.FAILED,
        at.now,
        billed=unbilled(job),
        error=JobError(code=ErrorCode.IN_DOUBT, message=ABSENT, retryable=True),
    )


def is_unheard(fault: Fault | None) -> bool:
    """Whether the search itself got no answer, as it may the next time."""
    match fault:
        case NotAccepted() | AccountBlocked():
            return True
        case InDoubt():
            return not fault.words or (fault.upstream_status or 200) >= 500
        case _:
            return False
