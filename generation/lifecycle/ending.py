"""How jobs end."""

from datetime import datetime, timedelta

from generation.contract.errors import ErrorCode, Fault
from generation.contract.status import Failed, Succeeded
from generation.job import Billed, Job, JobError, JobState, Result
from generation.lifecycle.context import DecisionContext
from generation.polling.schedule import next_late_look


def ended(job: Job, state: JobState, now: datetime, **changes: object) -> Job:
    """Make a terminal move. The first one sets `finished_at`; nothing remains to be done."""
    settled: dict[str, object] = {
        "wake_at": None,
        "finished_at": now,
        "reason": "",
        "line": None,
        "slot_until": None,
    }
    return job.move(state, now, **(settled | changes))


def reject(job: Job, fault: Fault, at: DecisionContext) -> Job:
    """The upstream refuses the request itself; nothing was charged."""
    return ended(
        job,
        JobState.FAILED,
        at.now,
        billed=unbilled(job),
        error=JobError(
            code=fault.code,
            message=fault.message,
            retryable=fault.retryable,
            upstream_status=fault.upstream_status,
            upstream_code=fault.upstream_code,
        ),
    )


def unbilled(job: Job) -> Billed:
    """Return what is known of the bill once the latest submit was surely not accepted."""
    return Billed.UNKNOWN if job.purchases else Billed.NO


def finish(job: Job, answer: Succeeded | Failed, at: DecisionContext) -> Job:
    """The upstream task has ended."""
    if isinstance(answer, Succeeded):
        return ended(
            job,
            JobState.SUCCEEDED,
            at.now,
            billed=Billed.YES,
            progress=100,
            upstream_id=answer.upstream_id or job.upstream_id,
            error=None,
            result=Result(
                assets=answer.assets,
                texts=answer.texts,
                actions=answer.actions,
                details=dict(answer.details),
            ),
        )
    return ended(
        job,
        JobState.FAILED,
        at.now,
        billed=Billed.UNKNOWN,
        error=JobError(
            code=answer.code,
            message=answer.message,
            retryable=answer.retryable,
            upstream_code=answer.upstream_code,
        ),
    )


def expired(job: Job, at: DecisionContext) -> Job:
    """The deadline has passed.

    A task that may exist upstream is still looked at, ever less often.
    """
    alive_upstream = job.upstream_id is not None
    wait = next_late_look(timedelta(0), at.jitter)
    return ended(
        job,
        JobState.EXPIRED,
        at.now,
        wake_at=at.now + wait if alive_upstream else None,
        slot_until=task_slot_until(job, at) if alive_upstream else None,
        error=JobError(
            code=ErrorCode.EXPIRED,
            message=f"not finished by its deadline; it was {job.state}"
            + (f" ({job.reason})" if job.reason else ""),
            retryable=job.billed is Billed.NO,
        ),
    )


def task_slot_until(job: Job, at: DecisionContext) -> datetime | None:
    """Return until when the task of a job that ends now occupies a slot of its key.

    That is until nine in ten of its kind have ended. A task that hangs longer must not block other
    jobs; if it still occupies the account, the station answers that it is full.
    """
    done = (job.started_at or at.now) + at.pace.durations.late
    return done if done > at.now else None


def canceled(
    job: Job, now: datetime, billed: Billed, reason: str, *, slot_until: datetime | None = None
) -> Job:
    """The caller canceled the job. Its task may still occupy a slot of its key."""
    return ended(
        job,
        JobState.CANCELED,
        now,
        billed=billed,
        slot_until=slot_until,
        reason=reason,
        error=JobError(code=ErrorCode.CANCELED, message=reason),
    )


def fail_in_doubt(job: Job, at: DecisionContext) -> Job:
    """The job fails because the outcome of its submit cannot be known."""
    return ended(
        job,
        JobState.FAILED,
        at.now,
        billed=Billed.UNKNOWN,
        error=JobError(code=ErrorCode.IN_DOUBT, message=job.reason, retryable=False),
    )


def with_last_reply(before: Job, after: Job, words: str) -> Job:
    """Return the changed job with the upstream's reply. An unchanged job stays the same object."""
    return after if after is before or not words else after.evolve(last_reply=words)
