"""
One listener's share of what happens: a queue with a bound.
"""

import asyncio
from collections.abc import Collection

import structlog

from generation.store import Progress, Told

log = structlog.get_logger(__name__)

#: A listener with more than this before it is too slow, and is let go of: it comes again and
#: resumes from the store.
MOST_WAITING = 256

News = Told | Progress


class Subscription:
    """What one listener is to hear. It comes in order, and each piece once."""

    def __init__(self, tenant: str, job_id: str | None, types: Collection[str]) -> None:
        self.tenant = tenant
        self.job_id = job_id
        self._types = types
        self._joined: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()
        self._waiting: asyncio.Queue[News | None] = asyncio.Queue()
        self._over = False

    async def joined(self) -> int | None:
        """
        The place beyond which everything comes by itself; what is before it is read from the store.
        None where nothing will come, and the listener is to go.
        """
        return await self._joined

    async def next(self) -> News | None:
        """The next piece; None when there will be none, and the listener is to go."""
        return await self._waiting.get()

    def join(self, place: int) -> None:
        if not self._joined.done():
            self._joined.set_result(place)

    def give(self, news: News) -> None:
        """Hand it on; a listener that has let too much lie is let go of."""
        if self._over or (
            isinstance(news, Told) and self._types and news.head.type not in self._types
        ):
            return
        if self._waiting.qsize() >= MOST_WAITING:
            log.info("listener_too_slow", tenant=self.tenant, job_id=self.job_id)
            self.end()
            return
        self._waiting.put_nowait(news)

    def end(self) -> None:
        """Nothing comes after what waits already."""
        if not self._over:
            self._over = True
            self._waiting.put_nowait(None)
            if not self._joined.done():
                self._joined.set_result(None)

    def _wants(self, news: News) -> bool:
        return isinstance(news, Progress) or not self._types or news.head.type in self._types
