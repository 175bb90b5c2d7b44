"""Decisions about a job that is upstream: it is looked at until it ends."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from generation.contract.errors import ErrorCode, Fault, ForeignHost, Rejected, UnrecognizedReply
from generation.contract.status import Accepted, AwaitingInput, Failed, Running, Status, Succeeded
from generation.job import Billed, Job, JobError, JobState
from generation.lifecycle.awaiting_input import awaiting_input
from generation.lifecycle.context import GRACE, DecisionContext
from generation.lifecycle.ending import ended, finish
from generation.polling.schedule import next_late_look, next_look

#: Consecutive looks, together with `GRACE`, after which an unknown task counts as lost and a
#: success without a file counts as final.
MISSES_TO_LOSE = 3
#: The fields that a look without problems resets.
IN_ORDER: Mapping[str, int] = {"misses": 0, "empty_looks": 0}
#: How long a job that expired, or ended without its file, is still looked at.
AFTERLIFE = timedelta(hours=24)


def started(job: Job, answer: Accepted, at: DecisionContext) -> Job:
    """The upstream accepted the job."""
    look = timedelta(0) if job.cancel_requested_at else next_look(at.pace, timedelta(0), at.jitter)
    ahead = answer.queue_position
    return job.move(
        JobState.RUNNING,
        at.now,
        upstream_id=answer.upstream_id,
        upstream_details=dict(answer.details),
        started_at=at.now,
        billed=Billed.YES,
        **IN_ORDER,
        reason="" if not ahead else f"waiting upstream behind {ahead} other task(s)",
        wake_at=at.until(job.deadline, at.now + look),
    )


def after_look(job: Job, answer: Status | Fault, at: DecisionContext) -> Job:
    """The answer of a look. Returns `job` itself if nothing was learned."""
    if isinstance(answer, Running) and answer.so_far and at.missing_for >= GRACE:
        answer = answer.so_far
    if job.state is JobState.FAILED and job.wake_at is None:
        return job  # nothing was left to come
    if job.is_terminal and not isinstance(answer, Succeeded):
        return stop_looking(job, at) if isinstance(answer, Failed) else job
    match answer:
        case Running():
            return still_running(job, answer, at)
        case Succeeded() | Failed():
            return finish(job, answer, at)
        case AwaitingInput():
            return awaiting_input(job, answer, at)
        case Rejected(code=ErrorCode.NOT_FOUND):
            return task_not_found(job, answer, at)
        case UnrecognizedReply(code=ErrorCode.ASSET_MISSING):
            return asset_missing(job, answer, at)
        case ForeignHost():
            return job if job.reason == answer.message else job.keep(at.now, reason=answer.message)
        case _:
            return job


def stop_looking(job: Job, at: DecisionContext) -> Job:
    """The task of an ended job has ended, too: its slot is free."""
    return job.keep(at.now, wake_at=None, slot_until=None)


def still_running(job: Job, answer: Running, at: DecisionContext) -> Job:
    """The task is still running.

    Progress never falls; a look that learned nothing changes nothing.
    """
    progress = answer.progress if job.progress is None else max(job.progress, answer.progress or 0)
    reason = "" if not answer.queued else job.reason
    state_kept = job.state is JobState.RUNNING
    in_order = not job.misses and not job.empty_looks
    if state_kept and in_order and (progress, reason) == (job.progress, job.reason):
        return job
    if state_kept:
        return job.keep(at.now, progress=progress, reason=reason, **IN_ORDER)
    return job.move(JobState.RUNNING, at.now, progress=progress, reason="", answer=None, **IN_ORDER)


def task_not_found(job: Job, fault: Fault, at: DecisionContext) -> Job:
    """The upstream does not know the task.

    That counts after several consecutive looks, none of them within the grace period, because a
    station's records may lag. It also takes as long by a monotonic clock, because a clock that is
    an hour ahead would end the grace period at once.
    """
    if at.now < (job.started_at or job.updated_at) + GRACE:
        return job
    if job.misses + 1 < MISSES_TO_LOSE or at.missing_for < GRACE:
        misses = min(job.misses + 1, MISSES_TO_LOSE)
        if (job.misses, job.empty_looks) == (misses, 0):
            return job
        return job.keep(at.now, misses=misses, empty_looks=0)
    return ended(
        job,
        JobState.FAILED,
        at.now,
        billed=Billed.UNKNOWN,
        error=JobError(
            code=ErrorCode.NOT_FOUND,
            message=f"the upstream no longer knows the task: {fault.message}",
            upstream_status=fault.upstream_status,
            upstream_code=fault.upstream_code,
        ),
    )


def asset_missing(job: Job, fault: Fault, at: DecisionContext) -> Job:
    """The task succeeded without an asset.

    Assets may follow, so the job fails only after the grace period. After that the file is still
    looked for, as rarely as that of an expired job.
    """
    if job.empty_looks + 1 < MISSES_TO_LOSE or at.missing_for < GRACE:
        empty_looks = min(job.empty_looks + 1, MISSES_TO_LOSE)
        if (job.misses, job.empty_looks) == (0, empty_looks):
            return job
        return job.keep(at.now, misses=0, empty_looks=empty_looks)
    return ended(
        job,
        JobState.FAILED,
        at.now,
        billed=Billed.YES,
        wake_at=at.now + next_late_look(timedelta(0), at.jitter),
        error=JobError(
            code=ErrorCode.ASSET_MISSING,
            message=fault.message,
            upstream_status=fault.upstream_status,
            upstream_code=fault.upstream_code,
        ),
    )


def claimed_until(job: Job, at: DecisionContext) -> datetime | None:
    """Return the `wake_at` of a claim: the next look if this one does not come back.

    It is both the lease and the schedule.
    """
    match job.state:
        case JobState.RUNNING | JobState.AWAITING_INPUT:
            age = at.now - (job.started_at or job.created_at)
            wait = next_look(at.pace, age, at.jitter)
            return at.now + min(wait, (job.deadline - at.now) if job.deadline > at.now else GRACE)
        case JobState.IN_DOUBT:
            return at.until(job.deadline, at.now + at.rules.submit_lease)
        case JobState.EXPIRED | JobState.FAILED:
            since = max(at.now - (job.finished_at or job.updated_at), timedelta(0))
            over = at.is_past((job.finished_at or job.updated_at) + AFTERLIFE)
            return None if over else at.now + next_late_look(min(since, AFTERLIFE), at.jitter)
        case _:
            return at.now + at.rules.submit_lease
