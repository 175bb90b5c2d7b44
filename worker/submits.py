"""
Sending a queued job upstream: once, and only by whoever claims it.
"""

import structlog

from generation import followup
from generation.binding import Binding, choose
from generation.errors import Acceptance, ErrorCode, Fault, NotAccepted, Rejected
from generation.job import Billed, Job, JobState
from generation.lifecycle import (
    Moment,
    after_submit,
    begin_submit,
    canceled,
    doubt,
    expired,
    heard,
    reject,
)
from generation.operation import Parent
from generation.status import SubmitAnswer
from worker.inputs import early_answered
from worker.room import Room

log = structlog.get_logger(__name__)

#: Where the answer of a submit may still find its job: by then a slow one may have been called
#: stale.
ANSWERABLE = frozenset({JobState.SUBMITTING, JobState.IN_DOUBT})


async def submit(room: Room, job_id: str) -> None:
    """
    Claim the job, send it, save what came of it. Does nothing where the job is not queued, is not
    to be sent yet, or is claimed by somebody else: a message may come twice.
    """
    claim = Claim(room)
    change = await room.save(job_id, claim)
    if change is None:
        return
    room.show(change)
    job = change.after
    if claim.holds(job) and claim.binding is not None:
        await send(room, job, claim.binding)
    elif job.is_terminal:
        room.show_as_is(job)


class Claim:
    """
    The decision to take a job for one submit, and where it was bound. It knows a job that it has
    taken already: the answer to a commit may be lost although the commit was not.
    """

    def __init__(self, room: Room) -> None:
        self._room = room
        self._taken: Job | None = None
        self.binding: Binding | None = None

    def holds(self, job: Job) -> bool:
        """Whether this is the job as this claim has taken it."""
        mine = self._taken
        return mine is not None and (
            job.state is JobState.SUBMITTING
            and (job.attempts, job.submitted_at) == (mine.attempts, mine.submitted_at)
        )

    def __call__(self, job: Job) -> Job:
        if self.holds(job):
            return job
        at = self._room.moment()
        if job.state is not JobState.QUEUED or (job.not_before and at.now < job.not_before):
            return job
        if at.now >= job.deadline:
            return expired(job, at)
        if job.cancel_requested_at is not None:
            return canceled(job, at.now, Billed.NO, "canceled before it was sent")
        self.binding = choose(self._room.stations, job)
        if self.binding is None:
            message = f"no station of this deployment offers {job.type}"
            return nobody_sells(job, message, self._room)
        self._taken = begin_submit(
            job,
            self._room.moment(self.binding),
            station=self.binding.station.name,
            key=self.binding.key.name,
            dialect=self.binding.operation.dialect,
        )
        return self._taken


def nobody_sells(job: Job, message: str, room: Room) -> Job:
    """It was accepted when a station offered it, and none does any more."""
    at = room.moment()
    return reject(job, Rejected(message, code=ErrorCode.UNSUPPORTED), at)


async def send(room: Room, job: Job, binding: Binding) -> None:
    """The paid exchange. Its answer is saved whatever has become of the job meanwhile."""
    room.submitting.add(job.id)
    try:
        if job.wake_at is not None and room.now() >= job.wake_at:
            # The process slept through its own lease, and somebody else may be looking for this job
            # already. That it was not sent is known here, and nowhere else.
            answer, words = NotAccepted("its worker was held up before it was sent"), ""
        else:
            answer, words = await attempt(room, job, binding)
        at = room.moment(binding, job.model)

        def decide(fresh: Job) -> Job:
            current = fresh.state in ANSWERABLE and fresh.attempts == job.attempts
            if not current:
                return fresh
            return heard(fresh, early_answered(after_submit(fresh, answer, at), binding), words)

        try:
            change = await room.save(job.id, decide)
        except Exception:  # whatever stood in the answer: what it says of the money must be known
            upstream_id = getattr(answer, "upstream_id", None)
            log.exception("answer_not_stored", job_id=job.id, upstream_id=upstream_id)
            change = await room.save(job.id, lambda fresh: unstorable(fresh, job, at))
    finally:
        room.submitting.discard(job.id)
    room.show(change)
    log.info(
        "submit",
        job_id=job.id,
        type=job.type,
        station=job.station,
        key=job.key,
        attempt=job.attempts,
        outcome=change.after.state.value if change else "gone",
        reason=change.after.reason or None if change else None,
        upstream_id=change.after.upstream_id if change else None,
    )


def unstorable(fresh: Job, job: Job, at: Moment) -> Job:
    """An answer that no database takes leaves a doubt, which says so."""
    current = fresh.state in ANSWERABLE and fresh.attempts == job.attempts
    return doubt(fresh, "its answer could not be stored", at) if current else fresh


async def attempt(room: Room, job: Job, binding: Binding) -> tuple[SubmitAnswer | Fault, str]:
    """The answer, or the fault as a value, and the upstream's words."""
    try:
        said = await room.upstream.submit(binding, job, parent=await parent_of(room, job))
    except Fault as fault:
        return harmless(fault, binding), fault.words
    return said.answer, said.words


def harmless(fault: Fault, binding: Binding) -> Fault:
    """The fault; where the submit creates nothing, no fault leaves a doubt."""
    if not binding.operation.repeatable or fault.accepted is not Acceptance.MAYBE:
        return fault
    return NotAccepted(fault.message, upstream_status=fault.upstream_status)


async def parent_of(room: Room, job: Job) -> Parent | None:
    """What a follow-up may know of the job it follows."""
    if job.parent_id is None:
        return None
    parent = await room.store.jobs.get(job.parent_id, job.tenant)
    if parent is None:
        raise Rejected(f"the job it follows, {job.parent_id}, has been deleted")
    return followup.parent_of(parent)
