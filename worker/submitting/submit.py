"""Submits a queued job: once, and only by the worker that claims it."""

import structlog

from generation import parent as followup
from generation.contract.errors import Acceptance, Fault, InDoubt, NotAccepted, Rejected
from generation.contract.operation import Parent
from generation.contract.status import SubmitAnswer
from generation.job import Job, JobState
from generation.lifecycle import DecisionContext, after_submit, doubt, with_last_reply
from generation.queue import submit_message
from generation.stations.binding import Binding, candidates
from generation.store import UnreadableRow
from worker.context import WorkerContext
from worker.stations.key_health import note_recovery, note_trouble
from worker.submitting.claim import SubmitClaim
from worker.submitting.input import early_answered
from worker.submitting.shared_tasks import check_named, naming, unshared

log = structlog.get_logger(__name__)

#: States in which the answer of a submit may find its job: a slow submit may have been called
#: stale.
ANSWERABLE = frozenset({JobState.SUBMITTING, JobState.IN_DOUBT})


async def submit(context: WorkerContext, job_id: str) -> None:
    """Claim the job, send it, save the outcome.

    Does nothing if the job is not queued, is not to be sent yet, or is claimed elsewhere: a message
    may come twice.
    """
    claim = SubmitClaim(context)
    try:
        await claim_and_send(context, job_id, claim)
    finally:
        if claim.binding is not None:
            context.submit_places.leave(job_id)


async def claim_and_send(context: WorkerContext, job_id: str, claim: SubmitClaim) -> None:
    try:
        change = await context.persist(job_id, lambda: context.store.submits.claim(job_id, claim))
    except UnreadableRow:
        return  # it stays as it is until it can be read
    if change is None:
        return
    context.show(change)
    job = change.after
    if claim.holds(job) and claim.binding is not None:
        await send(context, job, claim.binding)


async def send(context: WorkerContext, job: Job, binding: Binding) -> None:
    """Perform the paid exchange. Its answer is saved whatever has happened to the job meanwhile."""
    context.submitting.add(job.id)
    try:
        answer, words = await attempt(context, job, binding)
        context.breakers.heard(binding.station.name, answer, job.id)
        noted = await note_trouble(context, binding, job, answer)
        believed = answer if is_elsewhere(context, job, binding) else noted
        at = context.moment(binding, job.model)

        def decide(fresh: Job) -> Job:
            current = fresh.state in ANSWERABLE and fresh.attempts == job.attempts
            if not current:
                return fresh
            elsewhere = is_elsewhere(context, fresh, binding)
            after = after_submit(fresh, believed, at, elsewhere=elsewhere)
            return with_last_reply(fresh, early_answered(after, binding), words)

        try:
            async with naming(context, job, answer):
                believed = await unshared(context, job, binding, believed)
                change = await context.save(job.id, decide)
        except Exception:  # whatever stood in the answer: what it says of the money must be known
            upstream_id = getattr(answer, "upstream_id", None)
            log.exception("answer_not_stored", job_id=job.id, upstream_id=upstream_id)
            change = await context.save(job.id, lambda fresh: doubt_unstorable(fresh, job, at))
    finally:
        context.submitting.discard(job.id)
    context.show(change)
    await note_recovery(context, binding, job, answer)
    if change is not None and change.after.state is JobState.QUEUED:
        go_on(context, change.after)
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


def is_elsewhere(context: WorkerContext, job: Job, binding: Binding) -> bool:
    """Return whether another key can still be tried after this refusal."""
    refused = {*job.tried, "/".join(binding.station_key)}
    options = candidates(context.stations, job) if not job.is_bound else ()
    return any("/".join(option.station_key) not in refused for option in options)


def go_on(context: WorkerContext, job: Job) -> None:
    """Try a job again at once, at another key or in its queue, if it need not wait."""
    if job.wake_at is not None and job.wake_at <= context.now():
        context.nudger.nudge(submit_message(job))


def doubt_unstorable(fresh: Job, job: Job, at: DecisionContext) -> Job:
    """An answer that no database accepts leaves a doubt, which says so."""
    current = fresh.state in ANSWERABLE and fresh.attempts == job.attempts
    return doubt(fresh, "its answer could not be stored", at) if current else fresh


async def attempt(
    context: WorkerContext, job: Job, binding: Binding
) -> tuple[SubmitAnswer | Fault, str]:
    """Return the answer, or the fault as a value, and the upstream's reply.

    An error before the request leaves means that nothing was sent, which only this function knows.
    """
    try:
        check_unsent(context, job, binding)
        await check_named(context, job, binding)
        parent = await parent_of(context, job)
        callback_url = await context.callback_url(job)
    except Fault as fault:
        return fault, ""
    except Exception as error:
        log.exception("submit_not_prepared", job_id=job.id)
        return NotAccepted(f"it could not be prepared: {type(error).__name__}"), ""
    if job.wake_at is not None and context.now() >= job.wake_at:
        # The process was suspended for longer than its lease: another worker may be searching for
        # this job.
        return NotAccepted("its worker was held up before it was sent"), ""
    try:
        said = await context.upstream.submit(binding, job, callback_url=callback_url, parent=parent)
    except Fault as fault:
        return harmless(fault, binding), fault.words
    except Exception as error:
        log.exception("submit_crashed", job_id=job.id)
        return harmless(InDoubt(f"sending it broke off: {type(error).__name__}"), binding), ""
    return said.answer, said.words


def check_unsent(context: WorkerContext, job: Job, binding: Binding) -> None:
    """Raise `InDoubt` for a job that may have been sent in a time that its database has lost.

    Once it was searched for it is bound and passes.
    """
    restored = context.settings.restored_at
    if restored is None or job.created_at >= restored or job.bound or binding.operation.repeatable:
        return
    raise InDoubt("the database was restored, and it may have been sent in the time that was lost")


def harmless(fault: Fault, binding: Binding) -> Fault:
    """Return the fault; none where the submit creates nothing, so that no doubt remains."""
    if not binding.operation.repeatable or fault.accepted is not Acceptance.MAYBE:
        return fault
    return NotAccepted(fault.message, upstream_status=fault.upstream_status)


async def parent_of(context: WorkerContext, job: Job) -> Parent | None:
    """Return what a follow-up may know of the job it follows."""
    if job.parent_id is None:
        return None
    parent = await context.store.jobs.get(job.parent_id, job.tenant)
    if parent is None:
        raise Rejected(f"the job it follows, {job.parent_id}, has been deleted")
    return followup.parent_of(parent)
