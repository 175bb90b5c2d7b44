"""
An order on its way to disk, and what became of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from generation.events import QUEUED, wants
from generation.job import Job
from generation.store.jobs.bulk_insert import is_untouched
from generation.store.jobs.idempotency import IdempotencyKey


@dataclass(frozen=True, slots=True)
class Birth:
    """Jobs to be made durable together, and the key they are made under."""

    jobs: Sequence[Job]
    key: IdempotencyKey | None = None

    @property
    def is_brief(self) -> bool:
        """Whether it is one job, told by the answer alone unless an endpoint listens."""
        return len(self.jobs) == 1 and is_brief(self.jobs[0])


@dataclass(frozen=True, slots=True)
class Placed:
    """What became of an order: its jobs, or those of an earlier order with the same key."""

    jobs: Sequence[Job]
    replayed: bool = False


def is_brief(job: Job) -> bool:
    """Whether its birth is told by the answer to its order alone, unless an endpoint listens."""
    return is_untouched(job) and not wants(job, QUEUED)
