"""
What becomes of a job that may or may not be upstream: it is looked for, and never sent again on a
guess.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from generation.contract.errors import Fault
from generation.contract.status import Accepted
from generation.job import Billed, Job, JobState
from generation.lifecycle.context import GRACE, Moment
from generation.lifecycle.ending import unbilled, undecided
from generation.lifecycle.running import MISSES_TO_LOSE, started
from generation.stations.station import OnDoubt

#: Our own clocks, at two times or on two machines, differ by less than this.
CLOCK_DOUBT = timedelta(hours=1)


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
        resolved_as=None,
        wake_at=at.now,
    )


def reaches_back(job: Job, accepted: Iterable[datetime]) -> bool:
    """
    Whether a list of its upstream's latest tasks reaches back to this job's submit: it names tasks
    of ours that were accepted at these times, one of them surely before the submit left. Both times
    are ours; what the upstream's clock says, and how far it is from ours, does not matter.
    """
    sent = job.submitted_at
    return sent is not None and any(each < sent - CLOCK_DOUBT for each in accepted)


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
            wait = at.rules.backoff(2, at.dice)
            return job.keep(at.now, wake_at=at.retry(answer, job.deadline, wait))


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
    wake_at = at.until(job.deadline, at.now + wait)
    return job.keep(at.now, misses=job.misses + 1, wake_at=wake_at)


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
