"""
Everything the front door holds, once a process: store, broker, Flower's rows, and the endpoints
over them.
"""

import asyncio
import socket
from datetime import timedelta

import structlog

from api.auth.api_keys import Callers
from api.auth.guard import CallersEndpoint, Guarded, Route, route
from api.auth.rate_limits import Limiter
from api.docs.examples import ExampleJobs
from api.docs.reference.explain_reference import explain_job
from api.docs.reference.jobs import Reference, erase_job
from api.docs.reference.orders import OrderReference
from api.docs.reference.submit_reference import SubmitReference
from api.events.broadcaster import EventBroadcaster
from api.events.wait import JobWaiter
from api.http.timeouts import within
from api.jobs.admission import Taker
from api.jobs.batches import Batches
from api.jobs.endpoints import Erasing, Explanations, Jobs
from api.jobs.follow_ups import Followups
from api.jobs.input import Inputs
from api.jobs.order import OrderReader
from api.jobs.poll_hints import Hints, Paces
from api.jobs.queue_position import Standing
from api.jobs.resolve import Resolutions
from api.jobs.submit import Ordering
from api.operations.catalogue import Catalogue
from api.system.health import ReadinessChecks
from generation.access.permissions import Scope
from generation.flower_publisher import FlowerPublisher
from generation.queue import Nudger, celery_app
from generation.settings import Settings
from generation.stations.config_file import load_stations
from generation.store import Store

log = structlog.get_logger(__name__)

#: What is still to be told, to the broker and of the keys, has this long when the process ends.
LAST_WORDS = timedelta(seconds=2)
#: And then the database has this long to let go.
LETTING_GO = timedelta(seconds=1.5)


class Door:
    """
    Made anywhere, used on one event loop. Raises `StationsFileError` or `UnusableDatabase` where
    the settings cannot work; nothing is connected before it is used.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.base_url = settings.public_url or ""
        self.stations = stations = load_stations(settings)
        self.store = Store(settings.store_url, base_url=self.base_url)
        self.callers = Callers(self.store.keys, settings.key_cache)
        self.limiter = Limiter(self.store.jobs.quotas)
        self.nudger = Nudger(settings)
        hostname = f"genq-api@{socket.gethostname()}"
        self._rows = FlowerPublisher(self.nudger, celery_app(settings), hostname)
        self.catalogue = catalogue = Catalogue(stations)
        hints = Hints(catalogue, Paces(self.store.durations, stations))
        orders = OrderReader(settings, catalogue, Followups(stations))
        taker = Taker(self.store.jobs, orders, self.nudger, self._rows)
        self.hub = EventBroadcaster(self.store.events)
        self._ordering = Ordering(settings, taker, hints, JobWaiter(self.store.jobs, self.hub))
        self._batches = Batches(settings, self.store, taker, self._rows)
        standing = Standing(self.store, stations)
        self._jobs = Jobs(settings, self.store.jobs, standing, hints, self._rows)
        self._inputs = Inputs(settings, self.store.jobs)
        self._resolutions = Resolutions(settings, self.store.jobs, self._rows)
        self._examples = ExampleJobs(catalogue.entries[0].operation)
        self._explanations = Explanations(self.store.jobs, self.store.stories, standing)
        self._erasing = Erasing(self.store.jobs, self.store.erasure, self.base_url)
        self.readiness = ReadinessChecks(self.store, self.nudger, stations)
        self.routes = self._routes(Reference(catalogue), OrderReference(catalogue))
        #: Endpoints worth a way of their own, by method and path.
        self.busiest = {
            ("POST", "/v1/jobs"): self._keyed(self._ordering.create, Scope.SUBMIT),
            ("GET", "/v1/jobs/{job_id}"): self._keyed(self._jobs.get, Scope.READ),
        }

    async def close(self) -> None:
        """Tell what is still to be told, briefly, and let go of everything."""
        outcomes = await asyncio.gather(
            within(LAST_WORDS, self.callers.stop()),
            within(LAST_WORDS, self.hub.stop()),
            within(LAST_WORDS, self.nudger.close()),
            return_exceptions=True,
        )
        outcomes += await asyncio.gather(
            within(LETTING_GO, self.store.close()), return_exceptions=True
        )
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                log.warning("shutdown_timed_out", error=f"{type(outcome).__name__}: {outcome}")

    def _keyed(self, endpoint: CallersEndpoint, scope: Scope | None = None) -> Guarded:
        return Guarded(self.callers, self.limiter, endpoint, scope)

    def _routes(self, says: Reference, takes: OrderReference) -> list[Route]:
        """Busy ones first: they are tried in this order."""
        jobs = self._jobs
        keyed = self._keyed
        cancel = keyed(jobs.cancel, Scope.CANCEL)
        erase = keyed(self._erasing.erase, Scope.CANCEL)
        return [
            route("POST", "/v1/jobs", keyed(self._ordering.create), takes.create_job()),
            route("PUT", "/v1/jobs/{job_id}", keyed(self._ordering.put), takes.put_job()),
            route("GET", "/v1/jobs/{job_id}", keyed(jobs.get), says.get_job()),
            route("GET", "/v1/jobs", keyed(jobs.page), says.list_jobs()),
            route("POST", "/v1/jobs/{job_id}/cancel", cancel, says.cancel_job()),
            route("POST", "/v1/jobs/{job_id}/input", keyed(self._inputs.give), says.give_input()),
            route(
                "GET",
                "/v1/jobs/{job_id}/explain",
                keyed(self._explanations.get),
                explain_job(self._examples),
            ),
            route("GET", "/v1/jobs/{job_id}/reply", keyed(self._inputs.last_reply), says.reply()),
            *self._submit_routes(SubmitReference()),
            route("DELETE", "/v1/jobs/{job_id}", erase, erase_job(self._examples)),
            *self._batch_routes(takes),
        ]

    def _submit_routes(self, says: SubmitReference) -> list[Route]:
        resolve = self._keyed(self._resolutions.resolve)
        return [
            route("POST", "/v1/jobs/{job_id}/resolve", resolve, says.resolve()),
        ]

    def _batch_routes(self, takes: OrderReference) -> list[Route]:
        batches, keyed = self._batches, self._keyed
        cancel = keyed(batches.cancel, Scope.CANCEL)
        return [
            route("POST", "/v1/jobs/batch", keyed(batches.create), takes.create_batch()),
            route("GET", "/v1/batches/{batch_id}", keyed(batches.get), takes.get_batch()),
            route("POST", "/v1/batches/{batch_id}/cancel", cancel, takes.cancel_batch()),
        ]
