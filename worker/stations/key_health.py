"""Stores what exchanges show about keys: refused, rate limited, recovered. All processes see it."""

from datetime import datetime

import structlog
from sqlalchemy.exc import SQLAlchemyError

from generation.contract.errors import AccountBlocked, Fault, Rejected, Scope, Throttled
from generation.contract.status import SubmitAnswer
from generation.job import Job
from generation.stations.binding import Binding
from generation.stations.blocks import is_the_job, latest_submit, subject_of
from generation.stations.key_health import KeyHealth, KeyName
from generation.stations.key_updates import after_answer, pause_looks
from worker.context import WorkerContext

log = structlog.get_logger(__name__)


async def note_trouble(
    context: WorkerContext, binding: Binding, job: Job, answer: SubmitAnswer | Fault
) -> SubmitAnswer | Fault:
    """Store a problem of the key before the next job is submitted with it.

    Returns the answer to continue with: a job that is refused again, while others pass, has failed.
    """
    if isinstance(answer, Fault) and is_trouble(answer):
        before = await note(context, binding, job, answer)
        if before and is_the_job(before.blocks, answer, latest_submit(job, context.clock.now())):
            return final(answer)
    return answer


async def note_recovery(
    context: WorkerContext, binding: Binding, job: Job, answer: SubmitAnswer | Fault
) -> None:
    """Store that a key has recovered, after the job's task was stored."""
    known = context.accounts.get(binding.station_key)
    if known is None or (isinstance(answer, Fault) and is_trouble(answer)):
        return
    now = context.clock.now()
    if after_answer(known, answer, latest_submit(job, now), now, context.retry_waits) is not known:
        await note(context, binding, job, answer)


def is_trouble(fault: Fault) -> bool:
    """Return whether it may apply to more jobs than the one that met it."""
    return isinstance(fault, Throttled | AccountBlocked) or fault.scope is not Scope.ORDER


def final(fault: Fault) -> Rejected:
    """Return the refusal as one of the job itself, with the upstream's message."""
    refused = Rejected(
        fault.message,
        code=fault.code,
        upstream_status=fault.upstream_status,
        upstream_code=fault.upstream_code,
    )
    refused.words = fault.words
    return refused


async def note_pause(context: WorkerContext, name: KeyName, until: datetime) -> None:
    """Store that looks with this key are too fast: no worker looks with it before then.

    Never fails: what is not stored is detected again by each worker.
    """
    try:
        account = await context.store.accounts.change(name, lambda known: pause_looks(known, until))
    except (SQLAlchemyError, OSError) as error:
        log.warning("pause_not_stored", station=name[0], error=str(error))
        return
    context.accounts = {**context.accounts, name: account}


async def note(
    context: WorkerContext, binding: Binding, job: Job, answer: SubmitAnswer | Fault
) -> KeyHealth | None:
    """Store the key's new state.

    Returns the state before.

    Never fails: what is not stored is detected again by the next job.
    """
    now = context.clock.now()
    before: list[KeyHealth] = []

    def decide(account: KeyHealth) -> KeyHealth:
        before[:] = [account]
        return after_answer(account, answer, latest_submit(job, now), now, context.retry_waits)

    try:
        account = await context.store.accounts.change(binding.station_key, decide)
    except (SQLAlchemyError, OSError) as error:
        log.warning("key_health_not_stored", station=binding.station.name, error=str(error))
        return None
    context.accounts = {**context.accounts, binding.station_key: account}
    log_changes(before[0], account, subject_of(job), now)
    return before[0]


def log_changes(before: KeyHealth, after: KeyHealth, subject: str, now: datetime) -> None:
    """Log each block once when it begins, and once when it ends, with its scope."""
    where = {"station": after.station, "key": after.key}
    if after.blocked_code != before.blocked_code:
        log.warning(
            "key_blocked" if after.blocked_code else "key_recovered",
            **where,
            scope=Scope.KEY.value,
            code=after.blocked_code or before.blocked_code,
            words=after.blocked_words or None,
        )
    held = after.blocks.holds(subject, now)
    if held != before.blocks.holds(subject, now):
        block = after.blocks.get(subject) or before.blocks.get(subject)
        log.warning(
            "key_blocked" if held else "key_recovered",
            **where,
            scope=Scope.MODEL.value,
            subject=subject,
            code=block.code if block else None,
            words=block.text if block and held else None,
        )
