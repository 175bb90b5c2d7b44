"""
Waiting for a job to end.
"""

import asyncio
from datetime import timedelta

from api.events.broadcaster import Hub
from generation.events import ENDINGS
from generation.job import Job
from generation.store import EventPayload, JobStore


class Waiting:
    """
    Hears of endings from the process's one poller: hundreds who wait cost the store no more
    questions than one does. Lives on one event loop.
    """

    def __init__(self, store: JobStore, hub: Hub) -> None:
        self._store = store
        self._hub = hub

    async def ended(self, job: Job, within: timedelta) -> Job:
        """The job once it has ended; as it is by then if that takes longer, or if we leave."""
        if job.is_terminal:
            return job
        try:
            async with asyncio.timeout(within.total_seconds()):
                return await self._ending(job)
        except TimeoutError:
            return await self._store.get(job.id) or job

    async def _ending(self, job: Job) -> Job:
        with self._hub.listening(job.tenant, job_id=job.id, types=ENDINGS) as subscription:
            if await subscription.joined() is None:
                return job
            # It may have ended before anybody listened.
            fresh = await self._store.get(job.id) or job
            while not fresh.is_terminal and (news := await subscription.next()) is not None:
                if isinstance(news, EventPayload):
                    fresh = await self._store.get(job.id) or fresh
            return fresh
