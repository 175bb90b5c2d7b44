"""The parts of a worker process: settings, stations, store, clients.

All of them are made and used on the loop of `worker.runtime.celery_pool`.
"""

import asyncio
from collections.abc import Mapping, Set
from weakref import WeakValueDictionary

from celery import Celery

from generation.flower_publisher import FlowerPublisher
from generation.queue import Nudger
from generation.settings import Settings
from generation.stations.key_health import KeyHealth, KeyName, RetryWaits
from generation.stations.station import Stations
from generation.store import Change, Store
from generation.upstream.client import Upstream
from generation.webhooks.sender import Sender
from worker.runtime.circuit_breakers import CircuitBreakers
from worker.runtime.clock import Clock
from worker.runtime.counters import LookCounters
from worker.runtime.decisions import Decisions
from worker.runtime.job_saver import JobSaver
from worker.runtime.learned_durations import LearnedDurations
from worker.submitting.callback_urls import CallbackUrls
from worker.submitting.places import SubmitLimits


class WorkerContext:
    """The parts that the steps of a job use. Made and used on one event loop."""

    def __init__(self, settings: Settings, stations: Stations, app: Celery, hostname: str) -> None:
        self.settings = settings
        self.stations = stations
        self.store = Store(settings.store_url, base_url=settings.public_url or "")
        self.upstream = Upstream(settings)
        self.clock = Clock()
        self.breakers = CircuitBreakers()
        self.learned = LearnedDurations(self.store.durations)
        self.counts = LookCounters(self.store.database)
        self.decisions = Decisions(settings, self.clock, self.learned)
        self.saver = JobSaver(self.store.jobs, lambda: self.is_stopping)
        self.callback_urls = CallbackUrls(settings.public_url, self.store.secrets)
        #: The state of keys, and the keys that jobs wait for; read again on each tick.
        self.accounts: Mapping[KeyName, KeyHealth] = {}
        self.awaited: Set[KeyName] = frozenset()
        self.retry_waits = RetryWaits(settings.retry_base, settings.retry_limit)
        self.nudger = Nudger(settings)
        self.flower = FlowerPublisher(self.nudger, app, hostname)
        self.sender = Sender(
            settings.webhook_policy,
            total=settings.webhook_timeout,
            connect=settings.webhook_connect_timeout,
            keys=settings.signing_keys,
            proxy=settings.webhook_proxy.get_secret_value() if settings.webhook_proxy else None,
        )
        self.submit_places = SubmitLimits(settings.worker_concurrency, len(stations))
        #: Jobs that this process is submitting; their leases are renewed.
        self.submitting: set[str] = set()
        #: Held while a job is saved with a task, by station and upstream id.
        self.naming: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()
        #: Set when the process is to end: nothing new is claimed.
        self.is_stopping = False

    def show(self, change: Change | None) -> None:
        """Publish a move to Flower."""
        if change is not None and change.moved:
            self.flower.show(change.after, change.after.updated_at)

    async def close(self) -> None:
        await self.nudger.close()
        await self.upstream.close()
        await self.sender.aclose()
        await self.store.close()
