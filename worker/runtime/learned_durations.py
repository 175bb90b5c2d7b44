"""
How long tasks take here: learned from those that end, shared through the store by all workers.

Nothing waits for it and nothing breaks without it: what cannot be read is what is usual, and what
cannot be written is forgotten.
"""

from collections import defaultdict
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError

from generation.contract.operation import Operation
from generation.job import Job, JobState
from generation.polling.duration_histogram import Ending, Sketch
from generation.polling.pace import Pace
from generation.stations.binding import Binding
from generation.store import DurationStore, Kind
from worker.runtime.clock import is_recent

log = structlog.get_logger(__name__)

#: What this worker has seen is written down, and what all have seen is read, this often.
EXCHANGE_EVERY = timedelta(seconds=60)
#: Endings of one kind kept between two exchanges; more would tell nothing new.
MOST_ENDINGS = 200


class Learned:
    """What this worker knows of durations. Lives on one event loop."""

    def __init__(self, store: DurationStore) -> None:
        self._store = store
        self._sketches: dict[Kind, Sketch] = {}
        self._paces: dict[tuple[str, Operation[Any], str], Pace] = {}
        self._seen: defaultdict[Kind, list[Ending]] = defaultdict(list)
        self._exchanged_at: datetime | None = None

    def pace(self, binding: Binding, model: str) -> Pace:
        """The pace of such tasks at this station, as far as it is known."""
        key = binding.station.name, binding.operation, model
        known = self._paces.get(key)
        if known is None:
            sketch = self._sketches.get(kind_of(binding, model))
            known = binding.pace if sketch is None else replace(binding.pace, seen=sketch)
            self._paces[key] = known
        return known

    def saw(self, binding: Binding, job: Job, now: datetime) -> None:
        """
        A look has found this running job ended. One whose caller was asked something in between
        says nothing of the upstream, and one that ended late was hardly looked at.
        """
        if job.state is not JobState.RUNNING or job.started_at is None or job.answered_at:
            return
        endings = self._seen[kind_of(binding, job.model)]
        if len(endings) < MOST_ENDINGS:
            running_until = max(job.looked_at or job.started_at, job.started_at)
            endings.append(
                Ending(
                    (running_until - job.started_at).total_seconds(),
                    (now - job.started_at).total_seconds(),
                )
            )

    async def exchange(self, now: datetime) -> None:
        """Write down and read anew, if it is time to. Never fails."""
        if is_recent(self._exchanged_at, now, EXCHANGE_EVERY):
            return
        self._exchanged_at = now
        seen, self._seen = self._seen, defaultdict(list)
        try:
            if seen:
                await self._store.add(seen, now)
            self._sketches = await self._store.all()
        except (SQLAlchemyError, OSError) as error:
            log.warning("durations_not_exchanged", error=f"{type(error).__name__}: {error}")
        self._paces.clear()


def kind_of(binding: Binding, model: str) -> Kind:
    return Kind(binding.station.name, binding.operation.provider, binding.operation.name, model)
