"""Waiting for a job to end."""

import asyncio
from datetime import timedelta

from api.events.broadcaster import EventBroadcaster
from generation.events import ENDINGS
from generation.job import Job
from generation.store import EventPayload, JobStore


class JobWaiter:
    """Waits for the end of jobs.

    Lives on one event loop.

    The broadcaster's one poller serves all waits: hundreds of them cost the store as much as one.
    """

    def __init__(self, store: JobStore, broadcaster: EventBroadcaster) -> None:
        self._store = store
        self._broadcaster = broadcaster

    async def ended(self, job: Job, within: timedelta) -> Job:
        """Return the job once it has ended; its current state after `within` or at shutdown."""
        if job.is_terminal:
            return job
        try:
            async with asyncio.timeout(within.total_seconds()):
                return await self._end_of(job)
        except TimeoutError:
            return await self._store.get(job.id) or job

    async def _end_of(self, job: Job) -> Job:
        with self._broadcaster.listening(job.tenant, job_id=job.id, types=ENDINGS) as subscription:
            if await subscription.joined() is None:
                return job
            # The job may have ended before the subscription began.
            fresh = await self._store.get(job.id) or job
            while not fresh.is_terminal and (item := await subscription.next()) is not None:
                if isinstance(item, EventPayload):
                    fresh = await self._store.get(job.id) or fresh
            return fresh
