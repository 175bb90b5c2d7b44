"""
What a worker process holds, once: one event loop, one store, one client, one broker connection.

Celery runs our tasks in threads; all real work is coroutines on the one loop. The loop starts with
the first use, after any fork.
"""

import asyncio
import random
import threading
from collections.abc import AsyncGenerator, Coroutine
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any, TypeVar

import structlog
from celery import Celery
from sqlalchemy.exc import SQLAlchemyError

from generation.binding import Binding
from generation.flower import Rows
from generation.job import Job
from generation.lifecycle import Moment, Rules
from generation.operation import Durations, Pace
from generation.queue import Nudger
from generation.settings import Settings, seconds
from generation.stations import Stations
from generation.store import Change, Decide, Store
from generation.upstream import Upstream
from generation.webhooks.sender import Sender
from worker.breakers import Breakers

log = structlog.get_logger(__name__)

Answer = TypeVar("Answer")

#: How long a process goes on trying to write down what it has learned.
SAVE_FOR = timedelta(minutes=10)

#: For decisions on a job that is bound to nothing: only deadlines and leases matter there.
NO_PACE = Pace(Durations(seconds(30), seconds(60), seconds(120)))


class Room:
    """Everything the steps of a job need. Made on the loop, used on the loop."""

    def __init__(self, settings: Settings, stations: Stations, app: Celery, hostname: str) -> None:
        self.settings = settings
        self.stations = stations
        self.store = Store(settings.store_url, base_url=settings.public_url or "")
        self.upstream = Upstream(settings)
        self.breakers = Breakers()
        self.nudger = Nudger(settings)
        self.rows = Rows(app, hostname)
        self.sender = Sender(
            settings.webhook_policy,
            total=settings.webhook_timeout,
            connect=settings.webhook_connect_timeout,
        )
        self.rules = Rules(
            retry_base=settings.retry_base,
            retry_limit=settings.retry_limit,
            submit_lease=settings.submit_lease,
            submit_timeout=settings.submit_timeout,
        )
        #: Jobs whose submit is on the wire in this process; their leases are renewed.
        self.submitting: set[str] = set()
        #: Set once the process is to end: nothing new is claimed.
        self.leaving = False

    def now(self) -> datetime:
        return datetime.now(UTC)

    def moment(self, binding: Binding | None = None) -> Moment:
        """Now, for a decision about a job of this binding."""
        pace = binding.pace if binding else NO_PACE
        rules = self.rules
        if binding and binding.operation.submit_timeout:
            rules = replace(rules, submit_timeout=binding.operation.submit_timeout)
        return Moment(now=self.now(), rules=rules, pace=pace, dice=random.random())

    async def save(self, job_id: str, decide: Decide) -> Change | None:
        """
        `JobStore.change`, kept up through a database that is away for minutes: what an exchange has
        brought, above all the id of a paid task, must not be lost to a restart. A decision that was
        saved although its commit went unanswered is taken again and changes nothing.
        """
        last: Exception | None = None
        async for attempt in patience(SAVE_FOR):
            try:
                return await self.store.jobs.change(job_id, decide)
            except (SQLAlchemyError, OSError) as error:
                log.warning("save_delayed", job_id=job_id, attempt=attempt, error=str(error))
                last = error
        assert last is not None
        raise last

    def show(self, change: Change | None) -> None:
        """Let Flower know of a move."""
        if change is not None and change.moved:
            self.rows.show(change.after, change.after.updated_at)

    def show_as_is(self, job: Job) -> None:
        self.rows.show(job, self.now())

    async def close(self) -> None:
        await self.nudger.close()
        await asyncio.to_thread(self.rows.close)
        await self.upstream.close()
        await self.sender.aclose()
        await self.store.close()


async def patience(limit: timedelta) -> AsyncGenerator[int]:
    """Attempt numbers, each a little later than the one before, until `limit` has passed."""
    began = monotonic()
    attempt = 0
    while attempt == 0 or monotonic() - began < limit.total_seconds():
        if attempt:
            await asyncio.sleep(min(0.1 * 2**attempt, 5))
        yield attempt
        attempt += 1


class Loop:
    """An event loop in a thread of its own, and the way there from other threads."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="event-loop", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, Answer], timeout: float | None = None) -> Answer:
        """Run a coroutine on the loop and wait for what it returns or raises."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout)

    def start(self, work: Coroutine[Any, Any, Any]) -> None:
        """Run a coroutine on the loop without waiting for it."""
        asyncio.run_coroutine_threadsafe(work, self._loop)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
