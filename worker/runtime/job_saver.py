"""Saves decisions about jobs, and keeps trying while the database is away."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from time import monotonic
from typing import TypeVar

import structlog
from sqlalchemy.exc import SQLAlchemyError

from generation.store import Change, Decide, JobStore, is_unavailable

log = structlog.get_logger(__name__)

Answer = TypeVar("Answer")

#: How long a stopping process keeps trying to save what it has learned.
STOPPING_SAVES_FOR = timedelta(minutes=10)
FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 5


class JobSaver:
    """Saves changes of jobs. Belongs to one event loop."""

    def __init__(self, jobs: JobStore, is_stopping: Callable[[], bool]) -> None:
        self._jobs = jobs
        self._is_stopping = is_stopping
        #: Set when a delivery may be due, so that it need not wait for the next tick.
        self.delivery_due = asyncio.Event()

    async def save(self, job_id: str, decide: Decide) -> Change | None:
        """Apply `JobStore.change` with `persist`."""
        change = await self.persist(job_id, lambda: self._jobs.change(job_id, decide))
        if change is not None and change.moved:
            self.delivery_due.set()
        return change

    async def persist(self, job_id: str, write: Callable[[], Awaitable[Answer]]) -> Answer:
        """Perform a write, and repeat it while the database is away.

        The result of an exchange, above all the id of a paid task, is known to this process alone.
        A process that is to end gives up after ten minutes. Raises errors that waiting does not
        cure. A decision whose commit was not answered is made again and changes nothing.
        """
        pause = FIRST_PAUSE_SECONDS
        give_up_at: float | None = None
        while True:
            try:
                return await write()
            except (SQLAlchemyError, OSError) as error:
                if self._is_stopping() and give_up_at is None:
                    give_up_at = monotonic() + STOPPING_SAVES_FOR.total_seconds()
                is_too_late = give_up_at is not None and monotonic() >= give_up_at
                if is_too_late or not is_unavailable(error):
                    raise
                log.warning("save_delayed", job_id=job_id, error=str(error))
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
