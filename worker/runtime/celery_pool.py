"""A Celery pool that runs tasks as coroutines on the process's one event loop.

It is chosen with the setting `worker_pool`, and its tasks are async functions. It leaves out two
parts of Celery's thread pool: a thread per task, and the tracer, which runs a function, stores its
result and reports its end. These tasks have no result, and their outcome is published by the code
that learns it (`generation.flower_events`).
"""

import os
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future, wait
from dataclasses import dataclass
from time import monotonic
from types import SimpleNamespace
from typing import Any, cast

import structlog
from celery.concurrency.base import BasePool
from celery.exceptions import Ignore

from worker.runtime.event_loop import EventLoopThread

log = structlog.get_logger(__name__)

#: The answer of Celery's tracer for a task that raises `Ignore`. Its row in Flower then stays
#: unchanged.
IGNORED = (1, SimpleNamespace(exception=Ignore()), 0.0)


@dataclass(frozen=True, slots=True)
class PoolTask:
    """A task to run, and Celery's callbacks for it."""

    name: str
    request: Mapping[str, Any]
    accepted: Callable[[int, float], None]
    ended: Callable[[Any], None]


class CoroutinePool(BasePool):
    """Runs up to `limit` tasks at once; more wait in order.

    Everything except the tasks themselves happens in Celery's main thread.
    """

    limit: int
    signal_safe = False
    body_can_be_buffer = True

    def on_start(self) -> None:
        self.loop = EventLoopThread()
        self._hub: Any = None
        self._running: set[Future[None]] = set()
        self._waiting: deque[PoolTask] = deque()

    def register_with_event_loop(self, loop: Any) -> None:
        """Celery's main loop: functions passed to its `call_soon` run in the main thread."""
        self._hub = loop

    def on_apply(
        self,
        target: Any,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        *,
        callback: Callable[[Any], None],
        accept_callback: Callable[[int, float], None],
        **options: Any,
    ) -> None:
        del target, kwargs, options  # the tracer, and what only it needs
        name, _, request = args[:3]
        self._waiting.append(PoolTask(name, request, accept_callback, callback))
        self._begin()

    def on_stop(self) -> None:
        """Wait for running tasks. Waiting ones have not begun; a tick will find their rows."""
        self._waiting.clear()
        wait(self._running)

    def _begin(self) -> None:
        while self._waiting and len(self._running) < self.limit:
            order = self._waiting.popleft()
            order.accepted(os.getpid(), monotonic())
            future = self.loop.start(self._run(order))
            self._running.add(future)
            future.add_done_callback(
                lambda future, order=order: self._hub.call_soon(self._ended, order, future)
            )

    async def _run(self, order: PoolTask) -> None:
        task = cast(Any, self.app).tasks[order.name]
        await task.run(*order.request["args"], **order.request["kwargs"])

    def _ended(self, order: PoolTask, future: Future[None]) -> None:
        self._running.discard(future)
        if not future.cancelled() and (error := future.exception()):
            log.error("task_failed", task=order.name, exc_info=error)
        order.ended(IGNORED)
        self._begin()

    def _get_info(self) -> dict[str, Any]:
        return {**super()._get_info(), "running": len(self._running), "waiting": len(self._waiting)}
