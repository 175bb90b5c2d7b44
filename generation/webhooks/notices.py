"""The events `endpoint.disabled` and `endpoint.test`, which belong to no job."""

from datetime import datetime
from typing import Any

from generation.events import Event, new_event_id, payload_of
from generation.webhooks.documents import endpoint_document
from generation.webhooks.endpoint import ENDPOINT_DISABLED, ENDPOINT_TEST, RegisteredEndpoint


def endpoint_disabled_event(endpoint: RegisteredEndpoint, now: datetime) -> Event:
    """Return the event for the tenant's feed and its other endpoints."""
    data = {"endpoint": endpoint_document(endpoint), "reason": endpoint.disabled_reason}
    return _event(endpoint, ENDPOINT_DISABLED, now, endpoint.disabled_reason, data)


def endpoint_test_event(endpoint: RegisteredEndpoint, now: datetime) -> Event:
    """Return the event that is sent to this endpoint only."""
    data = {"endpoint": endpoint_document(endpoint), "message": "This is a test; nothing happened."}
    return _event(endpoint, ENDPOINT_TEST, now, "asked for", data)


def _event(
    endpoint: RegisteredEndpoint, event_type: str, now: datetime, reason: str, data: dict[str, Any]
) -> Event:
    event_id = new_event_id()
    return Event(
        id=event_id,
        job_id=None,
        tenant=endpoint.tenant,
        sequence=0,
        type=event_type,
        state=None,
        reason=reason,
        created_at=now,
        body=payload_of(event_id, event_type, now, 0, data),
    )
