"""
Jobs that need more than a look: submits whose outcome is unknown, and cancels.
"""

import structlog

from generation.binding import Binding, Unbound, bind
from generation.callback import APART
from generation.errors import ErrorCode, Fault, InDoubt, NotAccepted, Rejected, UnrecognizedReply
from generation.job import Billed, Job, JobState
from generation.lifecycle import (
    after_cancel,
    after_find,
    after_submit,
    canceled,
    doubt,
    expired,
    surely_ended,
    unbilled,
    unfindable,
    unproven,
)
from generation.operation import Order, Task
from worker.room import Room

log = structlog.get_logger(__name__)


async def call_stale(room: Room, job: Job) -> None:
    """
    The worker that was submitting this job has not been heard of: nobody knows if it was sent.
    """
    if job.id in room.submitting:
        return
    at = room.moment()
    repeatable = is_repeatable(room, job)

    def decide(fresh: Job) -> Job:
        stale = fresh.state is JobState.SUBMITTING and fresh.version == job.version
        if stale and repeatable:
            return after_submit(fresh, NotAccepted("its worker stopped while sending it"), at)
        return doubt(fresh, "its worker stopped while sending it", at) if stale else fresh

    change = await room.save(job.id, decide)
    room.show(change)
    if change and change.after.state is JobState.IN_DOUBT:
        log.warning("submit_in_doubt", job_id=job.id, type=job.type, station=job.station)
        await find(room, change.after)


def is_repeatable(room: Room, job: Job) -> bool:
    """Whether sending it again could cost nothing."""
    try:
        return bind(room.stations, job).operation.repeatable
    except Unbound:
        return False


async def find(room: Room, job: Job) -> None:
    """Look for a job in doubt, where its upstream can be asked."""
    try:
        binding = bind(room.stations, job)
    except Unbound as error:
        log.warning("find_impossible", job_id=job.id, reason=str(error))
        return
    answer, findable = await searched(room, job, binding)
    on_doubt = binding.station.on_doubt
    at = room.moment(binding, job.model)

    def decide(fresh: Job) -> Job:
        if fresh.state is not JobState.IN_DOUBT or fresh.attempts != job.attempts:
            return fresh
        if fresh.cancel_requested_at is not None and not isinstance(answer, str):
            absent = findable and answer is None and surely_ended(fresh, at)
            billed = unbilled(fresh) if absent else Billed.UNKNOWN
            return canceled(fresh, at.now, billed, "canceled while in doubt")
        if at.is_past(fresh.deadline) and not isinstance(answer, str):
            return expired(fresh, at)
        if (answer is None or is_silence(answer)) and fresh.version != job.version:
            return fresh  # searched for again meanwhile: one wait must not count twice
        if isinstance(answer, Fault) and is_silence(answer):
            return unproven(fresh, answer, at, on_doubt)
        return after_find(fresh, answer, at) if findable else unfindable(fresh, at, on_doubt)

    change = await room.save(job.id, decide)
    room.show(change)
    if change and change.moved and answer is not None and answer == job.named_id:
        await room.store.claims.wake(job.id, room.now(), APART)  # there was something to tell
    if change and change.moved:
        log.info("find", job_id=job.id, type=job.type, outcome=change.after.state.value)


async def searched(room: Room, job: Job, binding: Binding) -> tuple[str | Fault | None, bool]:
    """What a search said, and whether this upstream can be searched at all."""
    try:
        if job.named_id is not None and await is_known(room, binding, job.named_id):
            return job.named_id, True
        order = Order(job.id, await room.callback_url(job), submitted_at=job.submitted_at)
        if binding.operation.build_find(order) is None:
            return None, False
        return await room.upstream.find(binding, order), True
    except Fault as fault:
        return fault, True


def is_silence(answer: str | Fault | None) -> bool:
    """Whether the upstream itself has answered, and left open whether the task is there."""
    if not isinstance(answer, InDoubt) or not answer.words:
        return False
    return (answer.upstream_status or 200) < 400


async def is_known(room: Room, binding: Binding, upstream_id: str) -> bool:
    """
    Whether the account that the job was sent with has this task. Raises the `Fault` that leaves it
    open.
    """
    try:
        await room.upstream.query(binding, Task(upstream_id))
    except Rejected:
        return False
    except UnrecognizedReply as fault:
        if fault.code is not ErrorCode.ASSET_MISSING:
            raise
    return True


async def cancel(room: Room, job: Job) -> None:
    """See to a caller's wish to cancel a job that is upstream: stop it there, or let go of it."""
    binding: Binding | None = None
    stopped: bool | Fault | None = None
    try:
        binding = bind(room.stations, job)
        task = Task(job.upstream_id or "", job.upstream_details)
        stopped = await room.upstream.cancel(binding, task)
    except Unbound as error:
        log.warning("cancel_impossible", job_id=job.id, reason=str(error))
    except Fault as fault:
        stopped = fault
    at = room.moment(binding, job.model)

    def decide(fresh: Job) -> Job:
        same_task = fresh.upstream_id == job.upstream_id and fresh.attempts == job.attempts
        same_task = same_task and not fresh.is_terminal
        return after_cancel(fresh, stopped, at) if same_task else fresh

    change = await room.save(job.id, decide)
    room.show(change)
    log.info("cancel", job_id=job.id, type=job.type, stopped=str(stopped))
