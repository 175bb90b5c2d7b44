"""
The routes of webhook endpoints and deliveries.
"""

from collections.abc import Callable

from api import delivery_reference as tells
from api import webhook_reference as says
from api.routes import CallersEndpoint, Guarded, Route, route
from api.webhook_deliveries import WebhookDeliveries
from api.webhook_endpoints import WebhookEndpoints
from generation.settings import Settings
from generation.store import Store

ENDPOINTS = "/v1/webhook-endpoints"
ENDPOINT = f"{ENDPOINTS}/{{endpoint_id}}"
DELIVERIES = "/v1/webhook-deliveries"
DELIVERY = f"{DELIVERIES}/{{delivery_id}}"


def webhook_routes(
    settings: Settings, store: Store, keyed: Callable[[CallersEndpoint], Guarded]
) -> list[Route]:
    endpoints = WebhookEndpoints(settings, store)
    deliveries = WebhookDeliveries(settings, store)
    return [
        route("POST", ENDPOINTS, keyed(endpoints.create), says.create()),
        route("GET", ENDPOINTS, keyed(endpoints.all), says.all_of_them()),
        route("GET", ENDPOINT, keyed(endpoints.get), says.get()),
        route("PATCH", ENDPOINT, keyed(endpoints.change), says.change()),
        route("DELETE", ENDPOINT, keyed(endpoints.delete), says.delete()),
        route("POST", f"{ENDPOINT}/rotate-secret", keyed(endpoints.rotate), says.rotate()),
        route("POST", f"{ENDPOINT}/test", keyed(endpoints.test), says.test()),
        route("GET", f"{ENDPOINT}/stats", keyed(endpoints.stats), says.stats()),
        route("POST", f"{ENDPOINT}/recover", keyed(endpoints.recover), says.recover()),
        route("POST", f"{ENDPOINT}/replay", keyed(endpoints.replay), says.replay()),
        route(
            "POST",
            f"{ENDPOINT}/cancel-pending",
            keyed(endpoints.cancel_pending),
            says.cancel_pending(),
        ),
        route("GET", DELIVERIES, keyed(deliveries.page), tells.page()),
        route("GET", DELIVERY, keyed(deliveries.get), tells.delivery()),
        route("POST", f"{DELIVERY}/resend", keyed(deliveries.resend), tells.resend()),
        route("POST", f"{DELIVERY}/cancel", keyed(deliveries.cancel), tells.cancel()),
        route("GET", "/v1/jobs/{job_id}/deliveries", keyed(deliveries.of_job), tells.of_job()),
        route(
            "GET",
            "/.well-known/webhooks-keys.json",
            deliveries.signing_keys,
            tells.signing_keys(),
        ),
    ]
