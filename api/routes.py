"""Every router of the API."""

from starlette.routing import BaseRoute

from api.docs import endpoints as docs
from api.events import endpoints as events
from api.keys import endpoints as keys
from api.webhooks import deliveries
from api.webhooks import endpoints as webhooks

ROUTERS = (events.router, webhooks.router, deliveries.router, keys.router, docs.router)


def routes() -> list[BaseRoute]:
    """Return all routes, in the order in which they are tried."""
    return [route for router in ROUTERS for route in router.routes]
