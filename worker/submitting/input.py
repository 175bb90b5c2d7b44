"""Sends the caller's input to a waiting task: from the request itself, or given later."""

import structlog

from generation.contract.errors import Fault
from generation.contract.operation import Task
from generation.contract.request import split
from generation.contract.status import SubmitAnswer
from generation.job import Job, JobState
from generation.lifecycle import after_input, begin_input, give_input, with_last_reply
from generation.stations.binding import Binding, BindingLost, bind
from worker.context import WorkerContext
from worker.polling.given import without_given

log = structlog.get_logger(__name__)


def early_answered(job: Job, binding: Binding) -> Job:
    """Return a job that has just begun to wait with the input that its request contained; once."""
    if job.state is not JobState.AWAITING_INPUT or job.answer or job.answered_at:
        return job
    operation = binding.operation
    known, _ = split(operation.request, job.input)
    early = operation.early_input(operation.request.model_validate(known))
    if early is None:
        return job
    return give_input(job, early.model_dump(mode="json", exclude_unset=True), job.updated_at)


async def send_input(context: WorkerContext, job: Job) -> None:
    """Send the caller's input to the task that waits for it."""
    try:
        binding = bind(context.stations, job)
    except BindingLost as error:
        log.warning("input_impossible", job_id=job.id, reason=str(error))
        return
    at = context.moment(binding, job.model)

    def claim(fresh: Job) -> Job:
        return begin_input(fresh, at) if fresh.version == job.version else fresh

    claimed = await context.store.jobs.change(job.id, claim)
    if claimed is None or claimed.after is claimed.before:
        return
    answer, words = await answered(context, claimed.after, binding)
    at = context.moment(binding, job.model)

    def decide(fresh: Job) -> Job:
        waits = fresh.state is JobState.AWAITING_INPUT
        same = waits and fresh.answered_at == claimed.after.answered_at
        return with_last_reply(fresh, after_input(fresh, answer, at), words) if same else fresh

    change = await context.save(job.id, decide)
    context.show(change)
    log.info("input", job_id=job.id, type=job.type, outcome=change and change.after.state.value)


async def answered(
    context: WorkerContext, job: Job, binding: Binding
) -> tuple[SubmitAnswer | Fault, str]:
    task = Task(job.upstream_id or "", job.upstream_details)
    try:
        said = await context.upstream.send_input(binding, task, job.answer or {})
        said = await without_given(context, job, binding, said)
    except Fault as fault:
        return fault, fault.words
    return said.answer, said.words
