"""Periodic maintenance in every worker: assigns feed positions and removes old rows.

Each chore is a small batch in a transaction of its own, once a minute; after a full batch the next
one follows soon. All workers may do it at once.
"""

import random
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from time import monotonic

import structlog

from generation.settings import Settings
from generation.store import Store
from worker.context import WorkerContext

log = structlog.get_logger(__name__)

EVERY = timedelta(minutes=1)
#: The pause after a full batch.
SOON = timedelta(seconds=1)
BATCH = 200
#: Nothing is removed for its age before the clock has run for this long without a step: a clock
#: that is years ahead, as after a power loss, is mostly corrected within minutes.
SETTLED = timedelta(hours=1)
REMOVING = "prune_"

#: Processes a batch and returns its size.
Chore = Callable[[], Awaitable[int]]


class Maintenance:
    """The chores of a worker process, and when each is due."""

    def __init__(self, context: WorkerContext) -> None:
        self._context = context
        self._chores = chores(context.store, context.settings, context.now)
        # Spread, so that processes do not run in the same second.
        self._due = dict.fromkeys(self._chores, monotonic() + random.uniform(0, 60))

    async def round(self) -> bool:
        """Do what is due. Chores are separated by pauses, however much there is to do."""
        for name, chore in self._chores.items():
            if monotonic() >= self._due[name] and not self._context.is_stopping:
                if not is_trusted(name, self._context.clock.even_for()):
                    continue
                done = await chore()
                wait = SOON if done >= BATCH else EVERY
                self._due[name] = monotonic() + wait.total_seconds()
                if done:
                    log.info("maintenance_done", chore=name, rows=done)
        return False


def is_trusted(name: str, even_for: timedelta) -> bool:
    """Return whether a clock without a step for this long suffices for this chore."""
    return even_for >= SETTLED or not name.startswith(REMOVING)


def chores(store: Store, settings: Settings, now: Callable[[], datetime]) -> dict[str, Chore]:
    """Return each chore by name, without those that would remove what is kept for ever."""

    async def place() -> int:
        await store.events.place()
        return 0

    async def prune_jobs() -> int:
        at = now()
        return await store.retention.prune_jobs(at - settings.keep_jobs, at, BATCH)

    async def prune_events() -> int:
        return await store.retention.prune_events(now() - settings.keep_events, BATCH)

    async def prune_deliveries() -> int:
        return await store.retention.prune_deliveries(now() - settings.keep_deliveries, BATCH)

    async def prune_keys() -> int:
        return await store.idempotency.prune(now())

    async def read_again() -> int:
        return await store.set_aside.read_again(BATCH, now())

    found: dict[str, Chore] = {
        "place_events": place,
        "read_again": read_again,
        "prune_idempotency_keys": prune_keys,
    }
    if settings.keep_jobs:
        found["prune_jobs"] = prune_jobs
    if settings.keep_events:
        found["prune_events"] = prune_events
    if settings.keep_deliveries:
        found["prune_deliveries"] = prune_deliveries
    return found
