"""The baseline: the submit path without storing or publishing anything.

Same server, same route to the endpoint, same checks, same response. The difference to genq is the
cost of durability, of the message to the worker and of the Flower event.
"""

from collections.abc import Sequence
from datetime import datetime

import uvicorn
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp

from api.auth.api_keys import Callers
from api.auth.guard import Guarded
from api.auth.rate_limits import Limiter
from api.events.broadcaster import EventBroadcaster
from api.events.wait import JobWaiter
from api.fast_path import Lane
from api.jobs.admission import Taker
from api.jobs.follow_ups import Followups
from api.jobs.order import OrderReader
from api.jobs.poll_hints import Hints, Paces
from api.jobs.submit import Ordering
from api.operations.catalogue import Catalogue
from generation import gc_tuning as garbage
from generation.access.permissions import Scope
from generation.flower_publisher import FlowerPublisher
from generation.job import Job
from generation.queue import Nudger, celery_app
from generation.settings import Settings
from generation.stations.config_file import load_stations
from generation.store import IdempotencyKey, InsertResult, Store


class NonStoringAdmission(Taker):
    """Accepts jobs and stores none."""

    async def place(
        self, new: Sequence[Job], key: IdempotencyKey | None, now: datetime
    ) -> InsertResult:
        del key, now
        return InsertResult(new)


def baseline_app(settings: Settings) -> ASGIApp:
    store = Store(settings.store_url)
    stations = load_stations(settings)
    catalogue = Catalogue(stations)
    orders = OrderReader(settings, catalogue, Followups(stations))
    nudger = Nudger(settings)
    rows = FlowerPublisher(nudger, celery_app(settings), "genq-baseline")
    taker = NonStoringAdmission(store.jobs, orders, nudger, rows)
    hints = Hints(catalogue, Paces(store.durations, stations))
    ordering = Ordering(
        settings, taker, hints, JobWaiter(store.jobs, EventBroadcaster(store.events))
    )
    callers = Callers(store.keys, settings.key_cache)
    create = Guarded(callers, Limiter(store.jobs.quotas), ordering.create, Scope.SUBMIT)
    endpoints = {("POST", "/v1/jobs"): create, ("GET", "/healthz"): healthy}
    return Lane(PlainTextResponse("nothing here", 404), endpoints, {}, "")


async def healthy(request: Request) -> Response:
    del request
    return PlainTextResponse("ok")


def serve(settings: Settings) -> None:
    application = baseline_app(settings)
    garbage.settle()
    uvicorn.run(
        application,
        port=settings.api_port,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="off",
        access_log=False,
        server_header=False,
        proxy_headers=False,
    )


if __name__ == "__main__":
    serve(Settings())
