"""
What becomes of a job that may or may not be upstream: it is looked for, and never sent again on a
guess.
"""

from datetime import datetime, timedelta

from generation.errors import Fault
from generation.job import Billed, Job, JobState
from generation.lifecycle.ending import unbilled, undecided
from generation.lifecycle.moment import GRACE, Moment
from generation.lifecycle.running import MISSES_TO_LOSE, started
from generation.pauses import look_pause
from generation.stations import OnDoubt
from generation.status import Accepted


def doubt(job: Job, reason: str, at: Moment) -> Job:
    """Whether the upstream took it is unknown: look for it, never send it again on a guess."""
    if job.state is JobState.IN_DOUBT:
        return job
    return job.move(
        JobState.IN_DOUBT,
        at.now,
        reason=f"unknown whether the upstream took it: {reason}",
        billed=Billed.UNKNOWN,
        bound=True,
        misses=0,
        wake_at=at.now,
    )


def after_find(job: Job, answer: str | Fault | None, at: Moment) -> Job:
    """
    What a search by our own id says of a job in doubt: the upstream's id, None for "surely not
    there", or a fault. One "not there" proves nothing while the lost submit may still be arriving.
    """
    match answer:
        case str():
            return started(job, Accepted(answer), at)
        case None if surely_ended(job, at):
            return send_again(job, "the upstream never received it; it is sent again", at.now)
        case None:
            return missed_again(job, at)
        case Fault():
            return job.keep(
                at.now, wake_at=at.now + look_pause(answer, at.rules.backoff(2, at.dice))
            )


def send_again(job: Job, reason: str, now: datetime, billed: Billed | None = None) -> Job:
    """A job in doubt is queued again, for the same key; `billed` says what is open, if anything."""
    return job.move(
        JobState.QUEUED,
        now,
        reason=reason,
        billed=billed or unbilled(job),
        submitted_at=None,
        not_before=None,
        wake_at=now,
    )


def missed_again(job: Job, at: Moment) -> Job:
    """Not found this time either; the next search comes later."""
    wait = at.rules.between_finds(job.misses, at.dice)
    return job.keep(at.now, misses=job.misses + 1, wake_at=at.now + wait)


def surely_ended(job: Job, at: Moment) -> bool:
    """
    Missed often enough, and waited for too long for its request to be still on the way: what is not
    found now was never created.

    The time is the sum of the shortest waits there can have been between the searches, without the
    longest of them. It is not read off a clock: a clock that is set an hour forward, or another
    machine's that is wrong, ends one wait early, and must not have a task bought twice.
    """
    waits = [at.rules.between_finds(misses, dice=0) for misses in range(job.misses)]
    waited = sum(waits, timedelta(0)) - max(waits, default=timedelta(0))
    return job.misses + 1 >= MISSES_TO_LOSE and waited >= at.rules.submit_timeout + GRACE


def unproven(job: Job, fault: Fault, at: Moment, on_doubt: OnDoubt) -> Job:
    """
    A search that the upstream has answered, and whose silence proves nothing: its list does not
    reach back far enough, perhaps. It is searched for again; for as long as a search that proves
    something would take, where `on_doubt` says what is to be done then.
    """
    if on_doubt is OnDoubt.HOLD:
        return after_find(job, fault, at)
    return unfindable(job, at, on_doubt) if surely_ended(job, at) else missed_again(job, at)


def unfindable(job: Job, at: Moment, on_doubt: OnDoubt = OnDoubt.HOLD) -> Job:
    """
    In doubt at an upstream that cannot be asked: as its station's `on_doubt` says, it waits for a
    person or its deadline, or fails or is sent again once the lost submit must have ended, whose
    answer may still come; which is as long, and measured in the same way, as where it is searched
    for.
    """
    match on_doubt:
        case OnDoubt.HOLD:
            wake_at = job.deadline if job.deadline > at.now else at.now + GRACE
            return job.keep(at.now, wake_at=wake_at)
        case OnDoubt.FAIL if surely_ended(job, at):
            return undecided(job, at)
        case OnDoubt.RESUBMIT if surely_ended(job, at):
            words = "whether the upstream took it cannot be known; it is sent again"
            return send_again(job, words, at.now, Billed.UNKNOWN)
        case OnDoubt.FAIL | OnDoubt.RESUBMIT:
            return missed_again(job, at)
