"""Deadlines. They apply even if the upstream cannot be asked."""

from generation.job import Job, JobState
from generation.lifecycle import expired
from worker.context import WorkerContext

EXPIRING = frozenset(
    {JobState.QUEUED, JobState.IN_DOUBT, JobState.RUNNING, JobState.AWAITING_INPUT}
)


async def expire(context: WorkerContext, job: Job) -> None:
    """Expire a job if its deadline has passed and it has not ended meanwhile."""
    at = context.moment()

    def decide(fresh: Job) -> Job:
        return expired(fresh, at) if is_late(fresh, context) else fresh

    context.show(await context.save(job.id, decide))


def is_late(job: Job, context: WorkerContext) -> bool:
    return job.state in EXPIRING and context.clock.certain_now() >= job.deadline
