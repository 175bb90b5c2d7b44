"""Decisions about a job in doubt that a person has checked in the station's own list of tasks."""

from collections.abc import Mapping
from datetime import datetime

from generation.contract.errors import (
    AccountBlocked,
    ErrorCode,
    Fault,
    InDoubt,
    NotAccepted,
)
from generation.job import Billed, DoubtResolution, Job, JobError, JobState
from generation.lifecycle import (
    MISSES_TO_LOSE,
    DecisionContext,
    ended,
    requeue_after_doubt,
    unbilled,
)

ABSENT = "a person has found that the upstream never received it"
#: What happens then, as text.
NEXT: Mapping[DoubtResolution, str] = {
    DoubtResolution.REQUEUE: "it is sent again",
    DoubtResolution.FAIL: "it fails",
}


def created(job: Job, upstream_id: str, now: datetime) -> Job:
    """The task exists under this id: the job goes on and is looked at at once."""
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


def not_created(job: Job, then: DoubtResolution, now: datetime) -> Job:
    """A person says that the task was never created, and may be wrong.

    A worker asks the upstream once more where it can; what that finds counts.
    """
    words = f"{ABSENT}; the upstream is asked once more, and unless it has the task {NEXT[then]}"
    return job.keep(now, resolved_as=then, misses=0, reason=words, wake_at=now)


def carry_out(job: Job, fault: Fault | None, at: DecisionContext) -> Job:
    """The last search did not find the task: the job is submitted again, or fails unbilled.

    It keeps its key. An upstream that cannot be reached, or does not answer, is asked three times
    first.
    """
    if search_got_no_answer(fault) and job.misses + 1 < MISSES_TO_LOSE:
        assert fault is not None
        again = at.retry(fault, job.deadline, at.rules.backoff(job.misses, at.jitter))
        return job.keep(at.now, misses=job.misses + 1, wake_at=again)
    if job.resolved_as is DoubtResolution.REQUEUE:
        return requeue_after_doubt(job, f"{ABSENT}; {NEXT[DoubtResolution.REQUEUE]}", at.now)
    return ended(
        job,
        JobState.FAILED,
        at.now,
        billed=unbilled(job),
        error=JobError(code=ErrorCode.IN_DOUBT, message=ABSENT, retryable=True),
    )


def search_got_no_answer(fault: Fault | None) -> bool:
    """Return whether the search itself got no answer and may get one the next time."""
    match fault:
        case NotAccepted() | AccountBlocked():
            return True
        case InDoubt():
            return not fault.words or (fault.upstream_status or 200) >= 500
        case _:
            return False
