"""What an attempt shows about the endpoint."""

from datetime import datetime

import structlog

from generation.store import EndpointStore
from generation.webhooks.endpoint import RegisteredEndpoint
from generation.webhooks.health import HEALTHY, after_failure, has_failed_too_long, percent
from generation.webhooks.outcome import DeliveryOutcome

log = structlog.get_logger(__name__)


async def note(
    endpoints: EndpointStore, endpoint: RegisteredEndpoint, outcome: DeliveryOutcome, now: datetime
) -> None:
    """Save changes of an endpoint's health.

    An endpoint that asks for it, or that has failed for five days, is disabled.
    """
    if outcome.is_opt_out:
        if await endpoints.disable(endpoint, now, f"the receiver {outcome.opt_out_reason}"):
            log.warning("endpoint_disabled", endpoint_id=endpoint.id, tenant=endpoint.tenant)
        return
    if outcome.error_class is None:
        if endpoint.health != HEALTHY:
            await endpoints.succeeded(endpoint)
        return
    if after_failure(endpoint.health, now) is endpoint.health and not has_failed_too_long(
        endpoint.health, now
    ):
        return
    change = await endpoints.failed(endpoint, now)
    if change is None:
        return
    before, after = change
    if not after.enabled:
        log.warning("endpoint_disabled", endpoint_id=endpoint.id, tenant=endpoint.tenant)
    elif after.health.alerted > before.health.alerted:
        log.warning(
            "endpoint_failing",
            endpoint_id=endpoint.id,
            tenant=endpoint.tenant,
            percent=percent(after.health, now),
        )
