"""
Jobs that need more than a look: submits whose outcome is unknown, and cancels.
"""

import structlog

from generation.binding import Binding, Unbound, bind
from generation.errors import Fault
from generation.job import Billed, Job, JobState
from generation.lifecycle import (
    after_cancel,
    after_find,
    after_input,
    begin_input,
    canceled,
    doubt,
    expired,
    heard,
    unfindable,
)
from generation.operation import Order, Task
from generation.status import SubmitAnswer
from worker.room import Room

log = structlog.get_logger(__name__)


async def call_stale(room: Room, job: Job) -> None:
    """
    The worker that was submitting this job has not been heard of: nobody knows if it was sent.
    """
    if job.id in room.submitting:
        return
    at = room.moment()

    def decide(fresh: Job) -> Job:
        stale = fresh.state is JobState.SUBMITTING and fresh.version == job.version
        return doubt(fresh, "its worker stopped while sending it", at) if stale else fresh

    change = await room.save(job.id, decide)
    room.show(change)
    if change and change.moved:
        log.warning("submit_in_doubt", job_id=job.id, type=job.type, station=job.station)
        await find(room, change.after)


async def find(room: Room, job: Job) -> None:
    """Look for a job in doubt by our own id, where its upstream can be asked."""
    try:
        binding = bind(room.stations, job)
    except Unbound as error:
        log.warning("find_impossible", job_id=job.id, reason=str(error))
        return
    answer, findable = await searched(room, job, binding)
    at = room.moment(binding)

    def decide(fresh: Job) -> Job:
        if fresh.state is not JobState.IN_DOUBT or fresh.attempts != job.attempts:
            return fresh
        if fresh.cancel_requested_at is not None and not isinstance(answer, str):
            return canceled(fresh, at.now, Billed.UNKNOWN, "canceled while in doubt")
        if at.now >= fresh.deadline and not isinstance(answer, str):
            return expired(fresh, at)
        return after_find(fresh, answer, at) if findable else unfindable(fresh, at)

    change = await room.save(job.id, decide)
    room.show(change)
    if change and change.moved:
        log.info("find", job_id=job.id, type=job.type, outcome=change.after.state.value)


async def searched(room: Room, job: Job, binding: Binding) -> tuple[str | Fault | None, bool]:
    """What a search said, and whether this upstream can be searched at all."""
    if binding.operation.build_find(Order(job.id)) is None:
        return None, False
    try:
        return await room.upstream.find(binding, job), True
    except Fault as fault:
        return fault, True


async def send_input(room: Room, job: Job) -> None:
    """Send the caller's input to the task that waits for it."""
    try:
        binding = bind(room.stations, job)
    except Unbound as error:
        log.warning("input_impossible", job_id=job.id, reason=str(error))
        return
    at = room.moment(binding)

    def claim(fresh: Job) -> Job:
        return begin_input(fresh, at) if fresh.version == job.version else fresh

    claimed = await room.store.jobs.change(job.id, claim)
    if claimed is None or claimed.after is claimed.before:
        return
    answer, words = await answered(room, claimed.after, binding)
    at = room.moment(binding)

    def decide(fresh: Job) -> Job:
        waits = fresh.state is JobState.AWAITING_INPUT
        same = waits and fresh.answered_at == claimed.after.answered_at
        return heard(fresh, after_input(fresh, answer, at), words) if same else fresh

    change = await room.save(job.id, decide)
    room.show(change)
    log.info("input", job_id=job.id, type=job.type, outcome=change and change.after.state.value)


async def answered(room: Room, job: Job, binding: Binding) -> tuple[SubmitAnswer | Fault, str]:
    task = Task(job.upstream_id or "", job.upstream_details)
    try:
        said = await room.upstream.send_input(binding, task, job.answer or {})
    except Fault as fault:
        return fault, fault.words
    return said.answer, said.words


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
    at = room.moment(binding)

    def decide(fresh: Job) -> Job:
        same_task = fresh.upstream_id == job.upstream_id and not fresh.is_terminal
        return after_cancel(fresh, stopped, at) if same_task else fresh

    change = await room.save(job.id, decide)
    room.show(change)
    log.info("cancel", job_id=job.id, type=job.type, stopped=str(stopped))
