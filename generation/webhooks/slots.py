"""
How many requests one receiver may hold at the same time.

A receiver that hangs holds each request for as long as we wait. Without a limit it would in time
hold everything that sends; with one, the rest steps aside and the others are served.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta


class Crowded(Exception):
    """No slot came free in time."""


class _Queue:
    __slots__ = ("semaphore", "users")

    def __init__(self, slots: int) -> None:
        self.semaphore = asyncio.Semaphore(slots)
        self.users = 0


class Slots:
    """Slots per receiver, in this process. Receivers nobody sends to cost no memory."""

    def __init__(self, per_receiver: int, patience: timedelta) -> None:
        self._per_receiver = per_receiver
        self._patience = patience
        self._queues: dict[str, _Queue] = {}

    @asynccontextmanager
    async def hold(self, receiver: str) -> AsyncGenerator[None]:
        """Hold one of the receiver's slots. Raises `Crowded` if none comes free in `patience`."""
        queue = self._queues.setdefault(receiver, _Queue(self._per_receiver))
        queue.users += 1
        try:
            await self._acquire(queue.semaphore)
            try:
                yield
            finally:
                queue.semaphore.release()
        finally:
            queue.users -= 1
            if not queue.users:
                del self._queues[receiver]

    async def _acquire(self, semaphore: asyncio.Semaphore) -> None:
        try:
            async with asyncio.timeout(self._patience.total_seconds()):
                await semaphore.acquire()
        except TimeoutError:
            raise Crowded from None
