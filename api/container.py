"""The container: everything a process of the API shares between requests."""

import asyncio
import socket
from datetime import timedelta

import structlog

from api.auth.api_keys import ApiKeyAuth
from api.auth.rate_limits import RateLimiter
from api.events.broadcaster import EventBroadcaster
from api.events.wait import JobWaiter
from api.http.timeouts import within
from api.jobs.admission import Admission
from api.jobs.follow_ups import FollowUps
from api.jobs.poll_hints import LearnedPaces, PollHints
from api.jobs.queue_position import QueuePositions
from api.jobs.submission import SubmissionReader
from api.operations.catalogue import Catalogue
from api.system.health import ReadinessChecks
from generation.flower_publisher import FlowerPublisher
from generation.queue import Nudger, celery_app
from generation.settings import Settings
from generation.stations.config_file import load_stations
from generation.store import Store

log = structlog.get_logger(__name__)

#: At shutdown, time for the last messages to the broker and the last uses of keys …
FLUSH_TIMEOUT = timedelta(seconds=2)
#: … and then for the database to close its connections.
CLOSE_TIMEOUT = timedelta(seconds=1.5)


class Container:
    """Belongs to one event loop.

    Nothing is connected before it is used.

    Raises `StationsFileError` or `UnusableDatabase` if the settings cannot work.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.base_url = settings.public_url or ""
        self.stations = load_stations(settings)
        self.store = Store(settings.store_url, base_url=self.base_url)
        self.callers = ApiKeyAuth(self.store.keys, settings.key_cache)
        self.limiter = RateLimiter(self.store.jobs.quotas)
        self.nudger = Nudger(settings)
        hostname = f"genq-api@{socket.gethostname()}"
        self.flower = FlowerPublisher(self.nudger, celery_app(settings), hostname)
        self.catalogue = Catalogue(self.stations)
        self.poll_hints = PollHints(
            self.catalogue, LearnedPaces(self.store.durations, self.stations)
        )
        self.reader = SubmissionReader(settings, self.catalogue, FollowUps(self.stations))
        self.admission = Admission(settings, self.store.jobs, self.reader, self.nudger, self.flower)
        self.hub = EventBroadcaster(self.store.events)
        self.job_waiter = JobWaiter(self.store.jobs, self.hub)
        self.queue_positions = QueuePositions(self.store, self.stations)
        self.readiness = ReadinessChecks(self.store, self.nudger, self.stations)

    async def close(self) -> None:
        """Send what is still to be sent, for a limited time, and close all connections."""
        outcomes = await asyncio.gather(
            within(FLUSH_TIMEOUT, self.callers.stop()),
            within(FLUSH_TIMEOUT, self.hub.stop()),
            within(FLUSH_TIMEOUT, self.nudger.close()),
            return_exceptions=True,
        )
        outcomes += await asyncio.gather(
            within(CLOSE_TIMEOUT, self.store.close()), return_exceptions=True
        )
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                log.warning("shutdown_timed_out", error=f"{type(outcome).__name__}: {outcome}")
