"""The parts of a worker process: settings, stations, store, clients.

All of them are made and used on the loop of `worker.runtime.celery_pool`.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Set
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import TypeVar
from weakref import WeakValueDictionary

import structlog
from celery import Celery
from sqlalchemy.exc import SQLAlchemyError

from generation.access.callback_tokens import SECRET_NAME, callback_url
from generation.flower_publisher import FlowerPublisher
from generation.job import Job
from generation.lifecycle import DecisionContext, LifecycleRules
from generation.polling.pace import Pace, UsualDurations
from generation.queue import Nudger
from generation.settings import Settings, seconds
from generation.stations.binding import Binding
from generation.stations.key_health import KeyHealth, KeyName, RetryWaits
from generation.stations.station import Stations
from generation.store import Change, Decide, Store, is_unavailable
from generation.upstream.client import Upstream
from generation.webhooks.sender import Sender
from worker.runtime.circuit_breakers import CircuitBreakers
from worker.runtime.clock import Clock
from worker.runtime.counters import LookCounters
from worker.runtime.learned_durations import LearnedDurations
from worker.submitting.places import SubmitLimits

log = structlog.get_logger(__name__)

Answer = TypeVar("Answer")

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: How long a stopping process keeps trying to save what it has learned.
STOPPING_SAVES_FOR = timedelta(minutes=10)
LONGEST_PAUSE_SECONDS = 5

#: For decisions on a job that is bound to nothing: only deadlines and leases matter there.
NO_PACE = Pace(UsualDurations(seconds(30), seconds(60), seconds(120)))


class WorkerContext:
    """Everything that the steps of a job need. Made and used on one event loop."""

    def __init__(self, settings: Settings, stations: Stations, app: Celery, hostname: str) -> None:
        self.settings = settings
        self.stations = stations
        self.store = Store(settings.store_url, base_url=settings.public_url or "")
        self.upstream = Upstream(settings)
        self.breakers = CircuitBreakers()
        self.learned = LearnedDurations(self.store.durations)
        self.counts = LookCounters(self.store.database)
        #: The state of keys, and the keys that jobs wait for; read again on each tick.
        self.accounts: Mapping[KeyName, KeyHealth] = {}
        self.awaited: Set[KeyName] = frozenset()
        self.retry_waits = RetryWaits(settings.retry_base, settings.retry_limit)
        self.nudger = Nudger(settings)
        self.rows = FlowerPublisher(self.nudger, app, hostname)
        self.sender = Sender(
            settings.webhook_policy,
            total=settings.webhook_timeout,
            connect=settings.webhook_connect_timeout,
            keys=settings.signing_keys,
            proxy=settings.webhook_proxy.get_secret_value() if settings.webhook_proxy else None,
        )
        self.rules = LifecycleRules(
            retry_base=settings.retry_base,
            retry_limit=settings.retry_limit,
            submit_lease=settings.submit_lease,
            submit_timeout=settings.submit_timeout,
        )
        self.clock = Clock()
        self.submit_places = SubmitLimits(settings.worker_concurrency, len(stations))
        #: Jobs that this process is submitting; their leases are renewed.
        self.submitting: set[str] = set()
        #: Held while a job is saved with a task, by station and upstream id.
        self.naming: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()
        #: Set when a delivery may be due, so that it need not wait for the next tick.
        self.delivery_due = asyncio.Event()
        #: Set when the process is to end: nothing new is claimed.
        self.is_stopping = False

    def now(self) -> datetime:
        return self.clock.now()

    def monotonic_time(self) -> datetime:
        """Return a monotonic time, for what only this process remembers."""
        return EPOCH + timedelta(seconds=monotonic())

    def moment(self, binding: Binding | None = None, model: str = "") -> DecisionContext:
        """Return the context of a decision about a job of this binding that asks for this model."""
        pace = self.learned.pace(binding, model) if binding else NO_PACE
        rules = self.rules
        if binding and binding.operation.submit_timeout:
            rules = replace(rules, submit_timeout=binding.operation.submit_timeout)
        certain_now = self.clock.certain_now()
        return DecisionContext(
            now=self.now(), rules=rules, pace=pace, jitter=random.random(), certain_now=certain_now
        )

    async def save(self, job_id: str, decide: Decide) -> Change | None:
        """Apply `JobStore.change` with `persist`."""
        change = await self.persist(job_id, lambda: self.store.jobs.change(job_id, decide))
        if change is not None and change.moved:
            self.delivery_due.set()
        return change

    async def persist(self, job_id: str, write: Callable[[], Awaitable[Answer]]) -> Answer:
        """Perform a write, and repeat it while the database is away.

        The result of an exchange, above all the id of a paid task, is known to this process alone.
        A process that is to end gives up after ten minutes. Raises errors that waiting does not
        cure. A decision whose commit was not answered is made again and changes nothing.
        """
        pause = 0.1
        give_up_at: float | None = None
        while True:
            try:
                return await write()
            except (SQLAlchemyError, OSError) as error:
                if self.is_stopping and give_up_at is None:
                    give_up_at = monotonic() + STOPPING_SAVES_FOR.total_seconds()
                if not is_unavailable(error) or (
                    give_up_at is not None and monotonic() >= give_up_at
                ):
                    raise
                log.warning("save_delayed", job_id=job_id, error=str(error))
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    async def callback_url(self, job: Job) -> str | None:
        """Return the callback URL of the job; None if none can be made now."""
        if self.settings.public_url is None:
            return None
        try:
            secret = await self.store.secrets.get(SECRET_NAME)
        except (SQLAlchemyError, OSError) as error:
            log.warning("callback_url_unavailable", job_id=job.id, error=str(error))
            return None
        return callback_url(self.settings.public_url, job.id, secret)

    def show(self, change: Change | None) -> None:
        """Publish a move to Flower."""
        if change is not None and change.moved:
            self.rows.show(change.after, change.after.updated_at)

    async def close(self) -> None:
        await self.nudger.close()
        await self.upstream.close()
        await self.sender.aclose()
        await self.store.close()
