"""Wakes jobs that wait for a key once it has free slots.

Every worker does so on every tick. A woken job gets a message; a lost one is replaced, because a
woken job is due again soon. So a thousand waiting jobs cost as much as the few that can go.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

import structlog

from generation.job import Job
from generation.lifecycle import call
from generation.queue import first_submit_message
from generation.stations.circuit_breaker import CircuitState
from generation.stations.key_capacity import CALLED_AT_ONCE, CALLED_ON_TRIAL
from generation.stations.key_health import KeyHealth, KeyName
from generation.stations.wait_queue import (
    held_subject,
    is_awaited,
    is_held,
    keys_of,
    lines,
    without_subject,
)
from generation.store import WakeUp
from worker.context import WorkerContext
from worker.runtime.clock import is_recent

log = structlog.get_logger(__name__)

#: How often queues that the settings no longer have are searched for.
TIDY_EVERY = timedelta(seconds=30)


class WaitQueueDispatcher:
    """The wait queues of this deployment, as one worker process serves them."""

    def __init__(self, context: WorkerContext) -> None:
        self._context = context
        self._known = lines(context.stations)
        self._tidied_at: datetime | None = None

    async def serve(self) -> None:
        """Read the state of keys, and wake the jobs that can be submitted now."""
        store = self._context.store
        self._context.accounts = await store.accounts.all()
        waiting = await store.queues.lines()
        now = self._context.now()
        names = {name for line in waiting for name in keys_of(line)}
        known = {name: self._context.accounts.get(name) or KeyHealth.of(name) for name in names}
        self._context.awaited = {
            name for name, account in known.items() if is_awaited(account, waiting, now)
        }
        for name, account in sorted(known.items(), key=lambda item: item[0]):
            for subject, lines_of_it in by_subject(account, waiting, now).items():
                await self._call(name, lines_of_it, subject)
        await self._tidy(waiting)

    async def _call(self, name: KeyName, waiting: list[str], subject: str | None) -> None:
        station = self._context.stations.get(name[0])
        key = station.key(name[1]) if station else None
        state = self._context.breakers.state(name[0])
        free = self._context.submit_places.free(name[0])
        if key is None or state is CircuitState.OPEN or not free:
            return
        at = self._context.moment()
        again = self._context.settings.nudge_again

        def called(job: Job) -> Job:
            return call(job, at, station=name[0], key=name[1], again=again)

        jobs = await self._context.store.submits.call(
            WakeUp(
                name=name,
                key=key,
                lines=waiting,
                called=called,
                now=at.now,
                retry_waits=self._context.retry_waits,
                most=min(
                    free, CALLED_ON_TRIAL if state is CircuitState.HALF_OPEN else CALLED_AT_ONCE
                ),
                subject=subject,
            )
        )
        for job in jobs:
            self._context.nudger.nudge(first_submit_message(job))
        if jobs:
            log.info("jobs_woken", station=name[0], key=name[1], jobs=len(jobs))

    async def _tidy(self, waiting: list[str]) -> None:
        """Move jobs out of queues that the settings no longer have."""
        now = self._context.now()
        if is_recent(self._tidied_at, now, TIDY_EVERY):
            return
        self._tidied_at = now
        for line in waiting:
            if without_subject(line) not in self._known:
                await self._context.store.queues.send_back(line, now)


def by_subject(
    account: KeyHealth, waiting: Iterable[str], now: datetime
) -> dict[str | None, list[str]]:
    """Return the queues that wait for this key, by blocked model; None for the key alone."""
    found: defaultdict[str | None, list[str]] = defaultdict(list)
    for line in waiting:
        if account.name in keys_of(line):
            found[held_subject(line) if is_held(account, line, now) else None].append(line)
    return found
