"""Every router of the API, in the order in which routes are tried."""

from starlette.routing import BaseRoute

from api.docs import endpoints as docs
from api.events import endpoints as events
from api.jobs import batches, resolve, submit
from api.jobs import endpoints as jobs
from api.jobs import input as job_input
from api.keys import endpoints as keys
from api.operations import endpoints as operations
from api.system import endpoints as system
from api.system import upstream_callbacks
from api.webhooks import deliveries
from api.webhooks import endpoints as webhooks

ROUTERS = (
    submit.router,
    jobs.router,
    job_input.router,
    resolve.router,
    batches.router,
    events.router,
    operations.router,
    webhooks.router,
    deliveries.router,
    keys.router,
    upstream_callbacks.router,
    system.router,
    docs.router,
)


def routes() -> list[BaseRoute]:
    """Return all routes, in the order in which they are tried."""
    return [route for router in ROUTERS for route in router.routes]
