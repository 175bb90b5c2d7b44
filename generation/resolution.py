"""
What a person says of a job in doubt, who has looked in the station's own books.
"""

from datetime import datetime
from enum import StrEnum

from generation.errors import ErrorCode
from generation.job import Billed, Job, JobError, JobState
from generation.lifecycle import ended, send_again, unbilled


class Then(StrEnum):
    """What becomes of a job whose task was never created."""

    REQUEUE = "requeue"
    FAIL = "fail"


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
    """Its task was never created: the job is sent again with the same key, or fails unbilled."""
    words = "a person has found that the upstream never received it"
    if then is Then.REQUEUE:
        return send_again(job, f"{words}; it is sent again", now)
    return ended(
        job,
        JobState.FAILED,
        now,
        billed=unbilled(job),
        error=JobError(code=ErrorCode.IN_DOUBT, message=words, retryable=True),
    )
