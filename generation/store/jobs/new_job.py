"""A submission on its way to the database, and its outcome."""

from collections.abc import Sequence
from dataclasses import dataclass

from generation.events import QUEUED, wants
from generation.job import Job
from generation.store.jobs.bulk_insert import is_new
from generation.store.jobs.idempotency import IdempotencyKey


@dataclass(frozen=True, slots=True)
class NewJobs:
    """Jobs to be stored together, and their idempotency key."""

    jobs: Sequence[Job]
    key: IdempotencyKey | None = None

    @property
    def is_brief(self) -> bool:
        """Whether it is one job without an event, unless an endpoint subscribes."""
        return len(self.jobs) == 1 and is_brief(self.jobs[0])


@dataclass(frozen=True, slots=True)
class InsertResult:
    """The outcome of a submission: its jobs, or those of an earlier one with the same key."""

    jobs: Sequence[Job]
    replayed: bool = False


def is_brief(job: Job) -> bool:
    """Whether the job has no event to deliver, unless an endpoint subscribes."""
    return is_new(job) and not wants(job, QUEUED)
