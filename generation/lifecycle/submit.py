"""Decisions about a job that is being submitted."""

from datetime import timedelta

from generation.contract.errors import (
    AccountBlocked,
    ErrorCode,
    Fault,
    NotAccepted,
    Rejected,
    Scope,
)
from generation.contract.pauses import submit_pause
from generation.contract.status import Accepted, AwaitingInput, Failed, SubmitAnswer, Succeeded
from generation.job import Billed, Job, JobState
from generation.lifecycle.awaiting_input import awaiting_input
from generation.lifecycle.context import DecisionContext
from generation.lifecycle.ending import canceled, finish, reject, unbilled
from generation.lifecycle.in_doubt import doubt
from generation.lifecycle.running import started

#: How long a job that was woken from its wait queue holds a slot.
CALL = timedelta(seconds=60)


def begin_submit(job: Job, at: DecisionContext, *, station: str, key: str, dialect: str) -> Job:
    """Claim a queued job for one submit. Saved *before* the request leaves."""
    return job.move(
        JobState.SUBMITTING,
        at.now,
        station=station,
        key=key,
        dialect=dialect,
        attempts=job.attempts + 1,
        submitted_at=at.now,
        wake_at=at.now + at.rules.submit_lease,
        billed=Billed.UNKNOWN,
        named_id=None,
        misses=0,
        reason="",
        line=None,
        slot_until=None,
    )


def enter_wait_queue(job: Job, line: str, reason: str, at: DecisionContext) -> Job:
    """No key has a free slot: the job waits until it is woken, or until its deadline."""
    if job.line == line and job.reason == reason:
        return job
    bound = job.is_bound
    return job.keep(
        at.now,
        line=line,
        reason=reason,
        slot_until=None,
        tried=(),
        station=job.station if bound else None,
        key=job.key if bound else None,
        not_before=None,
        wake_at=job.deadline,
    )


def retry_later(job: Job, reason: str, at: DecisionContext) -> Job:
    """Every key refused the job or cannot be used now: all of them are tried again later."""
    again = at.until(job.deadline, at.now + at.rules.backoff(job.attempts - 1, at.jitter))
    return job.keep(
        at.now, reason=reason, tried=(), slot_until=None, not_before=again, wake_at=again
    )


def call(job: Job, at: DecisionContext, *, station: str, key: str, again: timedelta) -> Job:
    """Wake the job from its wait queue.

    It holds a slot of this key. It is nudged now, and after `again`.
    """
    return job.keep(
        at.now,
        line=None,
        reason="",
        station=station,
        key=key,
        slot_until=at.now + CALL,
        wake_at=at.until(job.deadline, at.now + again),
    )


def after_submit(
    job: Job, answer: SubmitAnswer | Fault, at: DecisionContext, *, elsewhere: bool = False
) -> Job:
    """The answer of a submit, for a job that is `submitting` or has become `in_doubt`.

    `elsewhere` says whether another key can still be tried.
    """
    match answer:
        case Accepted():
            return started(job, answer, at)
        case Succeeded() | Failed():
            return finish(job, answer, at)
        case AwaitingInput(upstream_id=upstream_id):
            return awaiting_input(job, answer, at, upstream_id=upstream_id)
        case NotAccepted() | AccountBlocked() if job.cancel_requested_at:
            return canceled(job, at.now, unbilled(job), "canceled before the upstream took it")
        case NotAccepted() | AccountBlocked():
            return requeue(job, answer, at, elsewhere=elsewhere)
        case Rejected(code=ErrorCode.UNSUPPORTED) if elsewhere and not job.cancel_requested_at:
            return requeue(job, answer, at, elsewhere=True)  # another station may sell it
        case Rejected():
            return reject(job, answer, at)
        case Fault():
            return doubt(job, answer.message, at)
        case _:
            return doubt(job, "the submit was answered without a task id", at)


def requeue(job: Job, fault: Fault, at: DecisionContext, *, elsewhere: bool) -> Job:
    """The job was surely not accepted: it goes to another key, or is tried again later.

    A problem of the key itself holds up all its jobs, so the job waits in the key's queue.
    """
    wait = submit_pause(fault, at.rules.backoff(job.attempts - 1, at.jitter))
    about_the_key = isinstance(fault, AccountBlocked) and fault.scope is Scope.KEY
    again = at.now if elsewhere or about_the_key else at.until(job.deadline, at.now + wait)
    here = f"{job.station}/{job.key}"
    return job.move(
        JobState.QUEUED,
        at.now,
        reason=f"{fault.code}: {fault.message}",
        billed=unbilled(job),
        tried=tuple(dict.fromkeys((*job.tried, here))) if elsewhere else (),
        station=job.station if job.is_bound else None,
        key=job.key if job.is_bound else None,
        dialect=None,
        submitted_at=None,
        not_before=None if again == at.now else again,
        wake_at=again,
    )
