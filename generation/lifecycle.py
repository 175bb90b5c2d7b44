"""
What becomes of a job: pure decisions, `(job, answer, now) -> job`.

Whoever performs an exchange hands its answer, or the `Fault` it raised, to one of these and saves
what comes back. A decision can be taken again on a fresher copy of the job: that is how an answer
survives a job that was changed while the exchange was on the wire.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from generation.errors import (
    Acceptance,
    AccountBlocked,
    ErrorCode,
    Fault,
    NotAccepted,
    Rejected,
    Throttled,
    UnrecognizedReply,
)
from generation.job import Billed, Job, JobError, JobState, Result
from generation.operation import Pace
from generation.pace import jittered, next_late_look, next_look
from generation.stations import OnDoubt
from generation.status import (
    Accepted,
    AwaitingInput,
    Failed,
    Running,
    Status,
    SubmitAnswer,
    Succeeded,
)

#: An unknown task is believed lost after this many looks in a row, and not before this age.
MISSES_TO_LOSE = 3
GRACE = timedelta(seconds=60)
#: How long an expired job is still looked at, for a success that comes too late.
AFTERLIFE = timedelta(hours=24)
#: Searches for one job are never further apart than this.
FIND_CEILING = timedelta(seconds=20)
#: A job that was called from the line has this long to come.
CALL = timedelta(seconds=60)
#: An expired job whose task may still run takes up its place at the key no longer than this: a
#: task that hangs upstream for ever must not keep others out.
AFTERMATH = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The deployment's times that decisions depend on."""

    retry_base: timedelta
    retry_limit: timedelta
    submit_lease: timedelta
    #: No submit is on the wire for longer than this.
    submit_timeout: timedelta

    def backoff(self, tries: int, dice: float) -> timedelta:
        """The wait before try number `tries` + 1: doubled each time, up to the limit."""
        return jittered(min(self.retry_base * 2 ** min(tries, 20), self.retry_limit), dice)

    def between_finds(self, misses: int, dice: float) -> timedelta:
        """The wait before the search after so many misses."""
        return min(self.backoff(misses, dice), jittered(FIND_CEILING, dice))


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """When a decision is taken, under which rules, at which pace, with which roll of the dice."""

    now: datetime
    rules: Rules
    pace: Pace
    #: In [0, 1).
    dice: float = 0.5


def begin_submit(job: Job, at: Moment, *, station: str, key: str, dialect: str) -> Job:
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
        misses=0,
        reason="",
        line=None,
        slot_until=None,
    )


def stand_in_line(job: Job, line: str, reason: str, at: Moment) -> Job:
    """No key has room for it now: it is called when one has. Only its deadline wakes it before."""
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


def wait_again(job: Job, reason: str, at: Moment) -> Job:
    """Every key has refused it or cannot be asked now: all of them are asked again, later."""
    again = min(at.now + at.rules.backoff(job.attempts - 1, at.dice), job.deadline)
    return job.keep(
        at.now, reason=reason, tried=(), slot_until=None, not_before=again, wake_at=again
    )


def call(job: Job, at: Moment, *, station: str, key: str, again: timedelta) -> Job:
    """Called from the line: a place at this key is kept for it. It is nudged, and `again` later."""
    return job.keep(
        at.now,
        line=None,
        reason="",
        station=station,
        key=key,
        slot_until=at.now + CALL,
        wake_at=min(at.now + again, job.deadline),
    )


def after_submit(
    job: Job, answer: SubmitAnswer | Fault, at: Moment, *, elsewhere: bool = False
) -> Job:
    """
    What a submit's answer makes of the job that was `submitting`, or `in_doubt` by now. `elsewhere`
    says whether another key could still be asked.
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


def started(job: Job, answer: Accepted, at: Moment) -> Job:
    """The upstream has it."""
    look = timedelta(0) if job.cancel_requested_at else next_look(at.pace, timedelta(0), at.dice)
    ahead = answer.queue_position
    return job.move(
        JobState.RUNNING,
        at.now,
        upstream_id=answer.upstream_id,
        upstream_details=dict(answer.details),
        started_at=at.now,
        billed=Billed.YES,
        misses=0,
        reason="" if not ahead else f"waiting upstream behind {ahead} other task(s)",
        wake_at=min(at.now + look, job.deadline),
    )


def requeue(job: Job, fault: Fault, at: Moment, *, elsewhere: bool) -> Job:
    """
    Surely not accepted: it is sent to another key, or again later. What is wrong with the key holds
    up all its jobs, and is waited for in its line.
    """
    wait = fault.retry_after or at.rules.backoff(job.attempts - 1, at.dice)
    about_the_key = isinstance(fault, Throttled | AccountBlocked)
    again = at.now if elsewhere or about_the_key else min(at.now + wait, job.deadline)
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


def unbilled(job: Job) -> Billed:
    """What is known of the bill once the latest submit was surely not accepted."""
    return Billed.UNKNOWN if job.purchases else Billed.NO


def reject(job: Job, fault: Fault, at: Moment) -> Job:
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
        case None if surely_not_created(job, at):
            return send_again(job, "the upstream never received it; it is sent again", at.now)
        case None:
            return job.keep(
                at.now,
                misses=job.misses + 1,
                wake_at=at.now + at.rules.between_finds(job.misses, at.dice),
            )
        case Fault():
            return job.keep(
                at.now, wake_at=at.now + (answer.retry_after or at.rules.backoff(2, at.dice))
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


def surely_not_created(job: Job, at: Moment) -> bool:
    """
    Missed often enough, and waited for too long for its request to be still on the way.

    The time is the sum of the shortest waits there can have been between the searches, without the
    longest of them. It is not read off a clock: a clock that is set an hour forward, or another
    machine's that is wrong, ends one wait early, and must not have a task bought twice.
    """
    waits = [at.rules.between_finds(misses, dice=0) for misses in range(job.misses)]
    waited = sum(waits, timedelta(0)) - max(waits, default=timedelta(0))
    return job.misses + 1 >= MISSES_TO_LOSE and waited >= at.rules.submit_timeout + GRACE


def unfindable(job: Job, at: Moment, on_doubt: OnDoubt = OnDoubt.HOLD) -> Job:
    """
    In doubt at an upstream that cannot be asked: as its station's `on_doubt` says, it waits for a
    person or its deadline, fails, or is sent again once the lost submit must have ended.
    """
    settled = (job.submitted_at or job.updated_at) + at.rules.submit_timeout
    match on_doubt:
        case OnDoubt.HOLD:
            return job.keep(at.now, wake_at=job.deadline)
        case OnDoubt.FAIL:
            return undecided(job, at)
        case OnDoubt.RESUBMIT if at.now < settled:
            return job.keep(at.now, wake_at=min(settled, job.deadline))
        case OnDoubt.RESUBMIT:
            words = "whether the upstream took it cannot be known; it is sent again"
            return send_again(job, words, at.now, Billed.UNKNOWN)


def undecided(job: Job, at: Moment) -> Job:
    """Failed because nobody can say what became of the submit."""
    return ended(
        job,
        JobState.FAILED,
        at.now,
        billed=Billed.UNKNOWN,
        error=JobError(code=ErrorCode.IN_DOUBT, message=job.reason, retryable=False),
    )


def after_look(job: Job, answer: Status | Fault, at: Moment) -> Job:
    """What a look says of a job upstream. Returns `job` itself where nothing was learned."""
    if job.state is JobState.EXPIRED and not isinstance(answer, Succeeded):
        return given_up(job, at) if isinstance(answer, Failed) else job
    match answer:
        case Running():
            return progressed(job, answer, at)
        case Succeeded() | Failed():
            return finish(job, answer, at)
        case AwaitingInput():
            return awaiting_input(job, answer, at)
        case Rejected(code=ErrorCode.NOT_FOUND):
            return missed(job, answer, at)
        case UnrecognizedReply(code=ErrorCode.ASSET_MISSING):
            return empty_handed(job, answer, at)
        case _:
            return job


def given_up(job: Job, at: Moment) -> Job:
    """An expired job whose task has failed too: nothing is left to look for, its place is free."""
    return job.keep(at.now, wake_at=None, slot_until=None)


def progressed(job: Job, answer: Running, at: Moment) -> Job:
    """Still running: progress never falls, and a look that learned nothing changes nothing."""
    progress = answer.progress if job.progress is None else max(job.progress, answer.progress or 0)
    reason = "" if not answer.queued else job.reason
    state_kept = job.state is JobState.RUNNING
    if state_kept and (progress, reason, 0) == (job.progress, job.reason, job.misses):
        return job
    if state_kept:
        return job.keep(at.now, progress=progress, reason=reason, misses=0)
    return job.move(JobState.RUNNING, at.now, progress=progress, reason="", misses=0, answer=None)


def missed(job: Job, fault: Fault, at: Moment) -> Job:
    """
    The upstream does not know the task. Believed after several looks in a row, none of which came
    within the grace: a station may be slow to know what it has sold.
    """
    if at.now < (job.started_at or job.updated_at) + GRACE:
        return job
    if job.misses + 1 < MISSES_TO_LOSE:
        return job.keep(at.now, misses=job.misses + 1)
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


def empty_handed(job: Job, fault: Fault, at: Moment) -> Job:
    """Success without an asset: it often follows, so its lack is believed after several looks."""
    if job.misses + 1 < MISSES_TO_LOSE:
        return job.keep(at.now, misses=job.misses + 1)
    return ended(
        job,
        JobState.FAILED,
        at.now,
        billed=Billed.YES,
        error=JobError(
            code=ErrorCode.ASSET_MISSING,
            message=fault.message,
            upstream_status=fault.upstream_status,
            upstream_code=fault.upstream_code,
        ),
    )


def awaiting_input(
    job: Job, answer: AwaitingInput, at: Moment, *, upstream_id: str | None = None
) -> Job:
    """The upstream waits for the caller."""
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
        wake_at=min(at.now + at.pace.ceiling, job.deadline),
    )


def give_input(job: Job, answer: Mapping[str, Any], now: datetime) -> Job:
    """The caller's input for a task that waits for it; a worker sends it on."""
    return job.keep(now, answer=answer, answered_at=None, wake_at=now)


def begin_input(job: Job, at: Moment) -> Job:
    """
    Claim the sending of that input. Should it get lost, the next look tells: the task still waits.
    """
    lease = at.rules.submit_timeout
    return job.keep(at.now, answered_at=at.now, wake_at=at.now + lease)


def after_input(job: Job, answer: SubmitAnswer | Fault, at: Moment) -> Job:
    """What the upstream made of the input. Refused, the caller may send another."""
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
                wake_at=min(at.now + next_look(at.pace, timedelta(0), at.dice), job.deadline),
            )
        case Succeeded() | Failed():
            return finish(job, answer, at)
        case Rejected():
            return job.keep(at.now, answer=None, reason=f"{answer.code}: {answer.message}")
        case NotAccepted() | AccountBlocked():
            wait = answer.retry_after or at.rules.backoff(0, at.dice)
            return job.keep(at.now, answered_at=None, wake_at=at.now + wait)
        case _:
            return job


def finish(job: Job, answer: Succeeded | Failed, at: Moment) -> Job:
    """The upstream is done with it."""
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


def expired(job: Job, at: Moment) -> Job:
    """Its deadline has passed. What may exist upstream is still looked at, ever more rarely."""
    alive_upstream = job.upstream_id is not None
    wait = next_late_look(timedelta(0), at.dice)
    return ended(
        job,
        JobState.EXPIRED,
        at.now,
        wake_at=at.now + wait if alive_upstream else None,
        slot_until=at.now + AFTERMATH if alive_upstream else None,
        error=JobError(
            code=ErrorCode.EXPIRED,
            message=f"not finished by its deadline; it was {job.state}"
            + (f" ({job.reason})" if job.reason else ""),
            retryable=job.billed is Billed.NO,
        ),
    )


def canceled(
    job: Job, now: datetime, billed: Billed, reason: str, *, may_run_until: datetime | None = None
) -> Job:
    """Ended because the caller asked for it; its task may still take up a place at its key."""
    return ended(
        job,
        JobState.CANCELED,
        now,
        billed=billed,
        slot_until=may_run_until,
        reason=reason,
        error=JobError(code=ErrorCode.CANCELED, message=reason),
    )


def request_cancel(job: Job, now: datetime) -> Job:
    """
    What a caller's wish to cancel makes of the job at once. A job that nobody has sent is canceled
    on the spot; one that may be upstream carries the wish until a worker has seen to it.
    """
    if job.state is JobState.QUEUED:
        return canceled(job, now, unbilled(job), "canceled before it was sent")
    if job.cancel_requested_at is not None:
        return job
    if job.state is JobState.SUBMITTING:
        return job.keep(now, cancel_requested_at=now)
    return job.keep(now, cancel_requested_at=now, wake_at=now)


def after_cancel(job: Job, stopped: bool | Fault | None, at: Moment) -> Job:
    """
    What became of a cancel upstream: agreed, refused, failed, or None where there is no such call.
    """
    match stopped:
        case True:
            return canceled(job, at.now, Billed.UNKNOWN, "canceled upstream")
        case Fault(accepted=Acceptance.NO, retryable=True) if job.misses + 1 < MISSES_TO_LOSE:
            return job.keep(
                at.now, misses=job.misses + 1, wake_at=at.now + at.rules.backoff(0, at.dice)
            )
        case _:
            billed = Billed.UNKNOWN if job.state is JobState.IN_DOUBT else Billed.YES
            return canceled(
                job,
                at.now,
                billed,
                "detached: the upstream cannot stop it, its result is discarded",
                may_run_until=max(at.now, (job.started_at or at.now) + at.pace.durations.late),
            )


def heard(before: Job, after: Job, words: str) -> Job:
    """The job with the words it changed by; one that has not changed stays the same object."""
    return after if after is before or not words else replace(after, last_reply=words)


def ended(job: Job, state: JobState, now: datetime, **changes: object) -> Job:
    """A terminal move. The first ending sets `finished_at`; nothing is left to wake up for."""
    settled: dict[str, object] = {
        "wake_at": None,
        "finished_at": now,
        "reason": "",
        "line": None,
        "slot_until": None,
    }
    return job.move(state, now, **(settled | changes))


def claimed_until(job: Job, at: Moment) -> datetime | None:
    """
    Where a claim moves `wake_at`: the next time anybody looks at the job, should this look not come
    back. It is the lease, and it is the schedule.
    """
    match job.state:
        case JobState.RUNNING | JobState.AWAITING_INPUT:
            age = at.now - (job.started_at or job.created_at)
            return min(at.now + next_look(at.pace, age, at.dice), max(job.deadline, at.now + GRACE))
        case JobState.EXPIRED:
            since = at.now - (job.finished_at or job.updated_at)
            return None if since > AFTERLIFE else at.now + next_late_look(since, at.dice)
        case _:
            return at.now + at.rules.submit_lease
