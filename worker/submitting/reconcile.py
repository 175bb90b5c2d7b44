"""Jobs that need more than a look: submits with an unknown outcome, and cancels."""

import structlog

from generation.access.callback_tokens import APART
from generation.contract.errors import (
    ErrorCode,
    Fault,
    InDoubt,
    NotAccepted,
    Rejected,
    UnrecognizedReply,
)
from generation.contract.operation import Order, Task, Unlisted
from generation.contract.status import Failed, Status, Succeeded
from generation.job import Billed, Job, JobState
from generation.lifecycle import (
    DecisionContext,
    after_cancel,
    after_find,
    after_look,
    after_submit,
    canceled,
    cannot_be_searched,
    doubt,
    expired,
    lost_submit_has_ended,
    reaches_back,
    search_proved_nothing,
    unbilled,
    with_last_reply,
)
from generation.lifecycle.manual_resolution import carry_out
from generation.stations.binding import Binding, BindingLost, bind
from generation.stations.station import OnDoubt
from generation.upstream.transcript import UpstreamAnswer
from worker.context import WorkerContext
from worker.submitting.shared_tasks import holders

log = structlog.get_logger(__name__)


async def mark_stale(context: WorkerContext, job: Job) -> None:
    """The submitting worker is silent: it is unknown whether the request was sent."""
    if job.id in context.submitting:
        return
    at = context.moment()
    repeatable = is_repeatable(context, job)

    def decide(fresh: Job) -> Job:
        stale = fresh.state is JobState.SUBMITTING and fresh.version == job.version
        if stale and repeatable:
            return after_submit(fresh, NotAccepted("its worker stopped while sending it"), at)
        return doubt(fresh, "its worker stopped while sending it", at) if stale else fresh

    change = await context.save(job.id, decide)
    context.show(change)
    if change and change.after.state is JobState.IN_DOUBT:
        log.warning("submit_in_doubt", job_id=job.id, type=job.type, station=job.station)
        await find(context, change.after)


def is_repeatable(context: WorkerContext, job: Job) -> bool:
    """Return whether sending it again could cost nothing."""
    try:
        return bind(context.stations, job).operation.repeatable
    except BindingLost:
        return False


async def find(context: WorkerContext, job: Job) -> None:
    """Search for a job in doubt, if its upstream can be searched."""
    try:
        binding = bind(context.stations, job)
    except BindingLost as error:
        log.warning("find_impossible", job_id=job.id, reason=str(error))
        await settle_unbound(context, job)
        return
    answer, findable = await searched(context, job, binding)
    at = context.moment(binding, job.model)

    def decide(fresh: Job) -> Job:
        if fresh.state is not JobState.IN_DOUBT or fresh.attempts != job.attempts:
            return fresh
        if isinstance(answer, str):
            return after_find(fresh, answer, at)
        if (settled := given_up(fresh, answer, at, findable=findable)) is not None:
            return settled
        if (answer is None or is_silence(answer)) and fresh.version != job.version:
            return fresh  # searched for again meanwhile: one wait must not count twice
        return unfound(fresh, answer, at, binding.station.on_doubt, findable=findable)

    change = await context.save(job.id, decide)
    context.show(change)
    if change is None or not change.moved:
        return
    if answer is not None and answer == job.named_id:
        await context.store.claims.wake(job.id, context.now(), APART)  # there was something to tell
    log.info("find", job_id=job.id, type=job.type, outcome=change.after.state.value)
    if isinstance(answer, str) and change.before.resolved_as is not None:
        log.warning("resolution_overruled", job_id=job.id, upstream_id=answer)


def given_up(job: Job, answer: Fault | None, at: DecisionContext, *, findable: bool) -> Job | None:
    """End a job that a search has not found, if its deadline or a person has ended it."""
    if job.cancel_requested_at is not None:
        absent = findable and answer is None and lost_submit_has_ended(job, at)
        billed = unbilled(job) if absent else Billed.UNKNOWN
        return canceled(job, at.now, billed, "canceled while in doubt")
    if job.resolved_as is not None:
        return carry_out(job, answer, at)
    return expired(job, at) if at.is_past(job.deadline) else None


def unfound(
    job: Job, answer: Fault | None, at: DecisionContext, on_doubt: OnDoubt, *, findable: bool
) -> Job:
    """A search has not found the task, or there is no way to search."""
    if not findable:
        return cannot_be_searched(job, at, on_doubt)
    if answer is not None and is_silence(answer):
        return search_proved_nothing(job, answer, at, on_doubt)
    return after_find(job, answer, at)


async def settle_unbound(context: WorkerContext, job: Job) -> None:
    """Apply what a person said of a job whose station or key is gone."""
    at = context.moment()

    def decide(fresh: Job) -> Job:
        said = fresh.state is JobState.IN_DOUBT and fresh.resolved_as is not None
        return carry_out(fresh, None, at) if said else fresh

    context.show(await context.save(job.id, decide))


async def searched(
    context: WorkerContext, job: Job, binding: Binding
) -> tuple[str | Fault | None, bool]:
    """Return the answer of a search, and whether this upstream can be searched at all."""
    try:
        if job.named_id is not None and await is_its_own(context, binding, job):
            return job.named_id, True
        order = Order(job.id, await context.callback_url(job), submitted_at=job.submitted_at)
        if binding.operation.build_find(order) is None:
            return None, False
        found = await context.upstream.find(binding, order)
        return (await judged(context, job, found) if isinstance(found, Unlisted) else found), True
    except Fault as fault:
        return fault, True


async def judged(context: WorkerContext, job: Job, found: Unlisted) -> Fault | None:
    """Return whether the list reaches back to this job's submit.

    It does if it shows a task of ours, at the same key, that was accepted earlier. Otherwise its
    silence proves nothing.
    """
    listed = await context.store.jobs.tasks.accepted(sorted(found.references - {job.id}))
    here = [each for each in listed if (each.station, each.key) == (job.station, job.key)]
    if reaches_back(job, [each.started_at for each in here if each.started_at]):
        return None
    words = "the list of the upstream's latest tasks does not name this job and may not reach back"
    fault = InDoubt(words)
    fault.words = words
    return fault


def is_silence(answer: str | Fault | None) -> bool:
    """Return whether the upstream itself answered, and left open whether the task exists."""
    if not isinstance(answer, InDoubt) or not answer.words:
        return False
    return (answer.upstream_status or 200) < 400


async def is_its_own(context: WorkerContext, binding: Binding, job: Job) -> bool:
    """Return whether the task that a callback named exists and belongs to no other job.

    Raises the `Fault` that leaves it open.
    """
    name = job.named_id or ""
    others = await holders(context, name, binding.station.name)
    if any(each.job_id != job.id for each in others):
        log.warning("callback_names_a_task_of_another_job", job_id=job.id, upstream_id=name)
        return False
    return await is_known(context, binding, name)


async def is_known(context: WorkerContext, binding: Binding, upstream_id: str) -> bool:
    """Return whether the account that the job was sent with has this task.

    Raises the `Fault` that leaves it open.
    """
    try:
        await context.upstream.query(binding, Task(upstream_id))
    except Rejected:
        return False
    except UnrecognizedReply as fault:
        if fault.code is not ErrorCode.ASSET_MISSING:
            raise
    return True


async def cancel(context: WorkerContext, job: Job) -> None:
    """Handle a request to cancel a job that is upstream: stop its task, or detach from it.

    A look comes first: a job whose task has ended ends as its task did.
    """
    binding: Binding | None = None
    said: UpstreamAnswer[Status] | None = None
    stopped: bool | Fault | None = None
    try:
        binding = bind(context.stations, job)
        task = Task(job.upstream_id or "", job.upstream_details)
        said = await finished(context, binding, task)
        stopped = None if said else await context.upstream.cancel(binding, task)
    except BindingLost as error:
        log.warning("cancel_impossible", job_id=job.id, reason=str(error))
    except Fault as fault:
        stopped = fault
    at = context.moment(binding, job.model)

    def decide(fresh: Job) -> Job:
        same_task = fresh.upstream_id == job.upstream_id and fresh.attempts == job.attempts
        if not same_task or fresh.is_terminal:
            return fresh
        if said is not None:
            return with_last_reply(fresh, after_look(fresh, said.answer, at), said.words)
        return after_cancel(fresh, stopped, at)

    change = await context.save(job.id, decide)
    context.show(change)
    outcome = change.after.state.value if change else "gone"
    log.info("cancel", job_id=job.id, type=job.type, stopped=str(stopped), outcome=outcome)


async def finished(
    context: WorkerContext, binding: Binding, task: Task
) -> UpstreamAnswer[Status] | None:
    """Return the upstream's answer about a task that has ended; None if it has not."""
    try:
        said = await context.upstream.query(binding, task)
    except Fault:
        return None
    return said if isinstance(said.answer, Succeeded | Failed) else None
