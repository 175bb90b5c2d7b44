"""What an attempt shows about the endpoint."""

from datetime import datetime

import structlog

from generation.store import EndpointStore
from generation.webhooks.endpoint import Endpoint
from generation.webhooks.health import WELL, after_failure, is_lost, percent
from generation.webhooks.outcome import Outcome

log = structlog.get_logger(__name__)


async def note(
    endpoints: EndpointStore, endpoint: Endpoint, outcome: Outcome, now: datetime
) -> None:
    """Save changes of an endpoint's health.

    An endpoint that asks for it, or that has failed for five days, is disabled.
    """
    if outcome.wants_no_more:
        if await endpoints.disable(endpoint, now, f"the receiver {outcome.wish}"):
            log.warning("endpoint_disabled", endpoint_id=endpoint.id, tenant=endpoint.tenant)
        return
    if outcome.error_class is None:
        if endpoint.health != WELL:
            await endpoints.succeeded(endpoint)
        return
    if after_failure(endpoint.health, now) is endpoint.health and not is_lost(endpoint.health, now):
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
