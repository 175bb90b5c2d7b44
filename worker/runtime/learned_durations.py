"""Task durations, learned from ended tasks and shared by all workers through the store.

Nothing depends on it: without data the usual durations apply, and what cannot be written is
dropped.
"""

from collections import defaultdict
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError

from generation.contract.operation import Operation
from generation.job import Job, JobState
from generation.polling.duration_histogram import DurationHistogram, ObservedDuration
from generation.polling.pace import Pace
from generation.stations.binding import Binding
from generation.store import DurationStore, Kind
from worker.runtime.clock import is_recent

log = structlog.get_logger(__name__)

#: How often durations are written and read.
EXCHANGE_EVERY = timedelta(seconds=60)
#: Durations of one kind kept between two writes; more would add nothing.
MOST_ENDINGS = 200


class LearnedDurations:
    """What this worker knows of durations. Belongs to one event loop."""

    def __init__(self, store: DurationStore) -> None:
        self._store = store
        self._sketches: dict[Kind, DurationHistogram] = {}
        self._paces: dict[tuple[str, Operation[Any], str], Pace] = {}
        self._seen: defaultdict[Kind, list[ObservedDuration]] = defaultdict(list)
        self._exchanged_at: datetime | None = None

    def pace(self, binding: Binding, model: str) -> Pace:
        """Return the pace of such tasks at this station."""
        key = binding.station.name, binding.operation, model
        known = self._paces.get(key)
        if known is None:
            sketch = self._sketches.get(kind_of(binding, model))
            known = binding.pace if sketch is None else replace(binding.pace, seen=sketch)
            self._paces[key] = known
        return known

    def saw(self, binding: Binding, job: Job, now: datetime) -> None:
        """Record that a look found this running job ended.

        A job that awaited input in between says nothing about the upstream, and one that ended late
        was rarely looked at.
        """
        if job.state is not JobState.RUNNING or job.started_at is None or job.answered_at:
            return
        endings = self._seen[kind_of(binding, job.model)]
        if len(endings) < MOST_ENDINGS:
            running_until = max(job.looked_at or job.started_at, job.started_at)
            endings.append(
                ObservedDuration(
                    (running_until - job.started_at).total_seconds(),
                    (now - job.started_at).total_seconds(),
                )
            )

    async def exchange(self, now: datetime) -> None:
        """Write and read if it is time to. Never fails."""
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
