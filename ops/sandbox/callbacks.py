"""Callbacks: each change of a task is posted to its URL.

Delivery is best effort, as at upstreams: no signature, no retry, no order between two tasks.
"""

import asyncio
import math
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from heapq import heappop, heappush
from itertools import count

import httpx
from pydantic_core import to_json

from ops.sandbox.clock import SandboxClock
from ops.sandbox.tasks import Phase, SandboxTask, View

SENDERS = 10
UNSENT_KEPT = 10_000
TIMEOUT_SECONDS = 5.0
#: Sandbox seconds after a change at which the task is read, so that rounding cannot hide the
#: change.
MARGIN_SECONDS = 0.001
#: The view of a new task; it is not reported.
NEW_TASK = View(Phase.QUEUED, 0, None, None)


class Callbacks:
    """The tasks whose changes are reported, and the time of the next change."""

    def __init__(
        self,
        clock: SandboxClock,
        view: Callable[[SandboxTask], View],
        next_change: Callable[[SandboxTask], float],
    ) -> None:
        self._clock = clock
        self._view = view
        self._next_change = next_change
        self._reported: dict[str, View] = {}
        self._due: list[tuple[float, int, SandboxTask]] = []
        self._entries = count()
        self._unsent: asyncio.Queue[SandboxTask] = asyncio.Queue(UNSENT_KEPT)
        self._woken = asyncio.Event()
        clock.on_change(self._woken.set)

    def follow(self, task: SandboxTask) -> None:
        """Report each change of the task to its URL, from now until its end."""
        self._reported[task.id] = NEW_TASK
        self._look_at(task, self._clock.now())

    def touch(self, task: SandboxTask) -> None:
        """Report a task that was just changed by a call, if it is followed."""
        if task.id in self._reported:
            self._look_at(task, self._clock.now())

    def forget(self) -> None:
        """Stop following all tasks."""
        self._reported.clear()
        self._due.clear()

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Send callbacks while the block runs; callbacks that are unsent at its end are dropped."""
        async with httpx.AsyncClient(timeout=TIMEOUT_SECONDS, trust_env=False) as client:
            tasks = [asyncio.create_task(self._watch())]
            tasks += [asyncio.create_task(self._send(client)) for _ in range(SENDERS)]
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def _watch(self) -> None:
        while True:
            self._woken.clear()
            while self._due and self._due[0][0] <= self._clock.now():
                self._look(heappop(self._due)[2])
            wait = self._clock.real_seconds_until(self._due[0][0]) if self._due else math.inf
            with suppress(TimeoutError):
                async with asyncio.timeout(wait if math.isfinite(wait) else None):
                    await self._woken.wait()

    def _look(self, task: SandboxTask) -> None:
        reported = self._reported.get(task.id)
        if reported is None:
            return
        seen = self._view(task)
        if seen != reported:
            self._reported[task.id] = seen
            with suppress(asyncio.QueueFull):
                self._unsent.put_nowait(task)
        if seen.finished_at is None:
            self._look_at(task, self._next_change(task) + MARGIN_SECONDS)
        else:
            del self._reported[task.id]

    def _look_at(self, task: SandboxTask, moment: float) -> None:
        if math.isfinite(moment):
            heappush(self._due, (moment, next(self._entries), task))
            self._woken.set()

    async def _send(self, client: httpx.AsyncClient) -> None:
        while True:
            task = await self._unsent.get()
            body = to_json(task.submission.profile.callback_body(task, self._view(task)))
            with suppress(httpx.HTTPError, httpx.InvalidURL):
                await client.post(
                    task.submission.callback_url,
                    content=body,
                    headers={"content-type": "application/json"},
                )
