"""Upstream tasks that more than one job has, or names. They are always reported."""

import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, nullcontext

import structlog

from generation.contract.errors import ErrorCode, Fault, InDoubt, Rejected
from generation.contract.named_tasks import MOST_NAMED, tasks_named
from generation.contract.status import Accepted, AwaitingInput, SubmitAnswer
from generation.job import Job
from generation.stations.binding import Binding
from generation.store import TaskHolder
from worker.context import WorkerContext

log = structlog.get_logger(__name__)


async def holders(context: WorkerContext, upstream_id: str, station: str) -> list[TaskHolder]:
    """Return the jobs that have this task at that station."""
    found = await context.store.jobs.tasks.holders(upstream_id)
    return [each for each in found if each.station == station]


async def check_named(context: WorkerContext, job: Job, binding: Binding) -> None:
    """Raise `Rejected` for a request that names a task of another tenant at the station it goes to.

    Ids of files within a result are not indexed and not checked.
    """
    for name in sorted(tasks_named(job.input))[:MOST_NAMED]:
        found = await holders(context, name, binding.station.name)
        if found and all(each.tenant != job.tenant for each in found):
            raise Rejected(f"{name} is a task of somebody else's", code=ErrorCode.NOT_FOUND)


def naming(
    context: WorkerContext, job: Job, answer: SubmitAnswer | Fault
) -> AbstractAsyncContextManager[object]:
    """Hold a lock: no other job of this process is saved with this answer's task meanwhile."""
    name = task_of(answer)
    if name is None:
        return nullcontext()
    return context.naming.setdefault((job.station or "", name), asyncio.Lock())


async def unshared(
    context: WorkerContext, job: Job, binding: Binding, answer: SubmitAnswer | Fault
) -> SubmitAnswer | Fault:
    """Return the answer, or a doubt if it names a task that another job has.

    The task may have been made for one of the two, or for neither, and no job may get another's
    result.
    """
    name = task_of(answer)
    if name is None or binding.operation.repeatable:
        return answer
    station = binding.station.name
    found = await context.persist(job.id, lambda: holders(context, name, station))
    others = [each for each in found if each.job_id != job.id]
    if not others or is_meant(job, answer, name, others):
        return answer
    other = others[0]
    log.warning(
        "upstream_id_shared",
        job_id=job.id,
        other_job_id=other.job_id,
        station=station,
        upstream_id=name,
    )
    whose = f"{other.job_id} has" if other.tenant == job.tenant else "another job has"
    return InDoubt(f"it was answered with the task {name}, which {whose} already")


def task_of(answer: SubmitAnswer | Fault) -> str | None:
    """Return the task that a submit's answer leaves to be looked at."""
    match answer:
        case Accepted(upstream_id):
            return upstream_id
        case AwaitingInput(str(upstream_id)):
            return upstream_id
        case _:
            return None


def is_meant(
    job: Job, answer: SubmitAnswer | Fault, name: str, others: Sequence[TaskHolder]
) -> bool:
    """Return whether these jobs share one task intentionally.

    They are one tenant's, and the request continues that task, or follows the same job, or created
    none as the upstream itself says.
    """
    if any(each.tenant != job.tenant for each in others):
        return False
    existed = isinstance(answer, Accepted) and answer.existed
    related = job.parent_id is not None and all(
        job.parent_id in {each.job_id, each.parent_id} for each in others
    )
    return existed or related or name in tasks_named(job.input)
