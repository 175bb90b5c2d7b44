"""
Events of endpoints: told like those of jobs, and of no job.
"""

from datetime import datetime
from typing import Any

from generation.events import Event, new_event_id, payload_of
from generation.webhooks.documents import endpoint_document
from generation.webhooks.endpoint import ENDPOINT_DISABLED, ENDPOINT_TEST, RegisteredEndpoint


def endpoint_disabled_event(endpoint: RegisteredEndpoint, now: datetime) -> Event:
    """Told to the tenant's other endpoints and in its feed. `endpoint` is the disabled one."""
    data = {"endpoint": endpoint_document(endpoint), "reason": endpoint.disabled_reason}
    return _event(endpoint, ENDPOINT_DISABLED, now, endpoint.disabled_reason, data)


def endpoint_test_event(endpoint: RegisteredEndpoint, now: datetime) -> Event:
    """Told to this endpoint and to nobody else."""
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
