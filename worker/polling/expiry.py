"""Deadlines. They apply even if the upstream cannot be asked."""

from generation.job import Job, JobState
from generation.lifecycle import expired
from worker.context import Room

EXPIRING = frozenset(
    {JobState.QUEUED, JobState.IN_DOUBT, JobState.RUNNING, JobState.AWAITING_INPUT}
)


async def expire(room: Room, job: Job) -> None:
    """Expire a job if its deadline has passed and it has not ended meanwhile."""
    at = room.moment()

    def decide(fresh: Job) -> Job:
        return expired(fresh, at) if is_late(fresh, room) else fresh

    room.show(await room.save(job.id, decide))


def is_late(job: Job, room: Room) -> bool:
    return job.state in EXPIRING and room.clock.surely() >= job.deadline
