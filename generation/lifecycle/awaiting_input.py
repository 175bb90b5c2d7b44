"""Decisions about a job whose upstream waits for input from the caller."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from generation.contract.errors import AccountBlocked, Fault, NotAccepted, Rejected
from generation.contract.status import (
    Accepted,
    AwaitingInput,
    Failed,
    Running,
    SubmitAnswer,
    Succeeded,
)
from generation.job import Billed, Job, JobState
from generation.lifecycle.context import GRACE, DecisionContext
from generation.lifecycle.ending import finish
from generation.polling.schedule import next_look


def awaiting_input(
    job: Job, answer: AwaitingInput, at: DecisionContext, *, upstream_id: str | None = None
) -> Job:
    """The upstream waits for input."""
    if job.state is JobState.RUNNING and job.answered_at and at.now < job.answered_at + GRACE:
        return job  # the station's books are behind: it has taken the input already
    if job.state is JobState.AWAITING_INPUT:
        lost = job.answered_at and at.now > job.answered_at + at.rules.submit_timeout
        return job.keep(at.now, answered_at=None, wake_at=at.now) if lost else job
    return job.move(
        JobState.AWAITING_INPUT,
        at.now,
        upstream_id=upstream_id or job.upstream_id,
        reason=answer.message or "waiting for your input",
        wake_at=at.until(job.deadline, at.now + at.pace.ceiling),
    )


def give_input(job: Job, answer: Mapping[str, Any], now: datetime) -> Job:
    """Store the caller's input; a worker sends it."""
    return job.keep(now, answer=answer, answered_at=None, wake_at=now)


def begin_input(job: Job, at: DecisionContext) -> Job:
    """Claim the sending of that input.

    If it is lost, the next look shows that the task still waits.
    """
    lease = at.until(job.deadline, at.now + at.rules.submit_timeout)
    return job.keep(at.now, answered_at=at.now, wake_at=lease)


def after_input(job: Job, answer: SubmitAnswer | Fault, at: DecisionContext) -> Job:
    """The upstream's answer to the input. If it was refused, the caller may send another."""
    match answer:
        case Accepted() | Running():
            upstream_id = answer.upstream_id if isinstance(answer, Accepted) else job.upstream_id
            return job.move(
                JobState.RUNNING,
                at.now,
                upstream_id=upstream_id,
                answer=None,
                answered_at=at.now,
                reason="",
                misses=0,
                billed=Billed.YES,
                wake_at=at.until(
                    job.deadline, at.now + next_look(at.pace, timedelta(0), at.jitter)
                ),
            )
        case Succeeded() | Failed():
            return finish(job, answer, at)
        case Rejected():
            return job.keep(at.now, answer=None, reason=f"{answer.code}: {answer.message}")
        case NotAccepted() | AccountBlocked():
            again = at.retry(answer, job.deadline, at.rules.backoff(0, at.jitter))
            return job.keep(at.now, answered_at=None, wake_at=again)
        case _:
            return job
