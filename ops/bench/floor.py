"""
The floor: the submit path without anything that is stored or told.

The same server, the same way from the socket to the endpoint, the same checks of key and order, the
same answer. What genq is slower than this is the price of durability, of the message to the worker,
and of the row in Flower.
"""

from collections.abc import Sequence
from datetime import datetime

import uvicorn
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp

from api.callers import Callers
from api.catalogue import Catalogue
from api.followups import Followups
from api.hints import Hints
from api.hub import Hub
from api.lane import Lane
from api.limits import Limiter
from api.ordering import Ordering
from api.orders import OrderReader
from api.paces import Paces
from api.routes import Guarded
from api.taking import Taker
from api.waiting import Waiting
from generation import garbage
from generation.access import Scope
from generation.flower_rows import Rows
from generation.job import Job
from generation.queue import Nudger, celery_app
from generation.settings import Settings
from generation.station_file import load_stations
from generation.store import IdempotencyKey, Placed, Store


class Forgetful(Taker):
    """Takes orders and keeps none."""

    async def place(self, new: Sequence[Job], key: IdempotencyKey | None, now: datetime) -> Placed:
        del key, now
        return Placed(new)


def floor(settings: Settings) -> ASGIApp:
    store = Store(settings.store_url)
    stations = load_stations(settings)
    catalogue = Catalogue(stations)
    orders = OrderReader(settings, catalogue, Followups(stations))
    nudger = Nudger(settings)
    rows = Rows(nudger, celery_app(settings), "genq-floor")
    taker = Forgetful(store.jobs, orders, nudger, rows)
    hints = Hints(catalogue, Paces(store.durations, stations))
    ordering = Ordering(settings, taker, hints, Waiting(store.jobs, Hub(store.events)))
    callers = Callers(store.keys, settings.key_cache)
    create = Guarded(callers, Limiter(store.jobs.quotas), ordering.create, Scope.SUBMIT)
    endpoints = {("POST", "/v1/jobs"): create, ("GET", "/healthz"): healthy}
    return Lane(PlainTextResponse("nothing here", 404), endpoints, {}, "")


async def healthy(request: Request) -> Response:
    del request
    return PlainTextResponse("ok")


def serve(settings: Settings) -> None:
    application = floor(settings)
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
