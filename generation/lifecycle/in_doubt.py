"""Decisions about a job in doubt.

It is searched for, and never submitted again on a guess.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from generation.contract.errors import Fault
from generation.contract.status import Accepted
from generation.job import Billed, Job, JobState
from generation.lifecycle.context import GRACE, DecisionContext
from generation.lifecycle.ending import fail_in_doubt, unbilled
from generation.lifecycle.running import MISSES_TO_LOSE, started
from generation.stations.station import OnDoubt

#: Clocks of genq, at two times or on two machines, differ by less than this.
CLOCK_DOUBT = timedelta(hours=1)


def doubt(job: Job, reason: str, at: DecisionContext) -> Job:
    """It is unknown whether the upstream accepted the job."""
    if job.state is JobState.IN_DOUBT:
        return job
    return job.move(
        JobState.IN_DOUBT,
        at.now,
        reason=f"unknown whether the upstream took it: {reason}",
        billed=Billed.UNKNOWN,
        bound=True,
        misses=0,
        resolved_as=None,
        wake_at=at.now,
    )


def reaches_back(job: Job, accepted: Iterable[datetime]) -> bool:
    """Return whether a list of the upstream's latest tasks reaches back to this job's submit.

    `accepted` are the times at which listed tasks of genq were accepted; one of them must surely be
    earlier than the submit. Both times are genq's own, so the upstream's clock does not matter.
    """
    sent = job.submitted_at
    return sent is not None and any(each < sent - CLOCK_DOUBT for each in accepted)


def after_find(job: Job, answer: str | Fault | None, at: DecisionContext) -> Job:
    """The answer of a search by genq's job id.

    It is the upstream id, None for "surely not there", or a fault. A single None proves nothing
    while the lost submit may still be arriving.
    """
    match answer:
        case str():
            return started(job, Accepted(answer), at)
        case None if lost_submit_has_ended(job, at):
            return requeue_after_doubt(
                job, "the upstream never received it; it is sent again", at.now
            )
        case None:
            return search_again_later(job, at)
        case Fault():
            wait = at.rules.backoff(2, at.jitter)
            return job.keep(at.now, wake_at=at.retry(answer, job.deadline, wait))


def requeue_after_doubt(job: Job, reason: str, now: datetime, billed: Billed | None = None) -> Job:
    """Queue a job in doubt again, for the same key.

    `billed` overrides what is known of the bill.
    """
    return job.move(
        JobState.QUEUED,
        now,
        reason=reason,
        billed=billed or unbilled(job),
        submitted_at=None,
        not_before=None,
        wake_at=now,
    )


def search_again_later(job: Job, at: DecisionContext) -> Job:
    """Not found this time; the next search comes later."""
    wait = at.rules.between_finds(job.misses, at.jitter)
    wake_at = at.until(job.deadline, at.now + wait)
    return job.keep(at.now, misses=job.misses + 1, wake_at=wake_at)


def lost_submit_has_ended(job: Job, at: DecisionContext) -> bool:
    """Return whether the lost submit must have ended: a task not found now was never created.

    The time is the sum of the shortest possible waits between the searches, without the longest of
    them. It does not come from a clock: a clock that is set forward, or wrong on another machine,
    ends one wait early and must not cause a second purchase.
    """
    waits = [at.rules.between_finds(misses, jitter=0) for misses in range(job.misses)]
    waited = sum(waits, timedelta(0)) - max(waits, default=timedelta(0))
    return job.misses + 1 >= MISSES_TO_LOSE and waited >= at.rules.submit_timeout + GRACE


def search_proved_nothing(job: Job, fault: Fault, at: DecisionContext, on_doubt: OnDoubt) -> Job:
    """The upstream answered a search, and the answer proves nothing.

    Its list may be too short, for example. The job is searched for again. Unless `on_doubt` is
    `hold`, it is given up after the same time as in a search that proves something.
    """
    if on_doubt is OnDoubt.HOLD:
        return after_find(job, fault, at)
    return (
        cannot_be_searched(job, at, on_doubt)
        if lost_submit_has_ended(job, at)
        else search_again_later(job, at)
    )


def cannot_be_searched(job: Job, at: DecisionContext, on_doubt: OnDoubt = OnDoubt.HOLD) -> Job:
    """The job is in doubt at an upstream that cannot be searched.

    `on_doubt` decides: it waits for a person or its deadline, or it fails or is submitted again
    once the lost submit must have ended. That time is measured as in a search.
    """
    match on_doubt:
        case OnDoubt.HOLD:
            wake_at = job.deadline if job.deadline > at.now else at.now + GRACE
            return job.keep(at.now, wake_at=wake_at)
        case OnDoubt.FAIL if lost_submit_has_ended(job, at):
            return fail_in_doubt(job, at)
        case OnDoubt.RESUBMIT if lost_submit_has_ended(job, at):
            message = "whether the upstream took it cannot be known; it is sent again"
            return requeue_after_doubt(job, message, at.now, Billed.UNKNOWN)
        case OnDoubt.FAIL | OnDoubt.RESUBMIT:
            return search_again_later(job, at)
