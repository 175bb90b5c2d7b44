"""The JSON documents of endpoints, deliveries and attempts in the API."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from generation.job_document import rfc3339
from generation.webhooks.delivery import AttemptRecord, Delivery, DeliveryState
from generation.webhooks.endpoint import DEFAULT_EVENTS, RegisteredEndpoint
from generation.webhooks.headers import masked
from generation.webhooks.health import percent


def endpoint_document(endpoint: RegisteredEndpoint) -> dict[str, Any]:
    """Return an endpoint without its secrets; header values that look secret are masked."""
    return {
        "id": endpoint.id,
        "object": "webhook_endpoint",
        "url": endpoint.url,
        "description": endpoint.description,
        "events": list(endpoint.events or DEFAULT_EVENTS),
        "metadata": dict(endpoint.metadata),
        "headers": masked(endpoint.headers),
        "concurrency": endpoint.concurrency,
        "rate": endpoint.rate,
        "ordered": endpoint.ordered,
        "enabled": endpoint.enabled,
        "disabled_reason": endpoint.disabled_reason or None,
        "disabled_at": rfc3339(endpoint.disabled_at),
        "failing_since": rfc3339(endpoint.health.failing_since),
        "created_at": rfc3339(endpoint.created_at),
        "updated_at": rfc3339(endpoint.updated_at),
    }


def stats_document(
    endpoint: RegisteredEndpoint,
    counts: Mapping[DeliveryState, int],
    oldest_pending: datetime | None,
    since: datetime,
    now: datetime,
) -> dict[str, Any]:
    """Return an endpoint's statistics; `counts` are of the deliveries since `since`."""
    ended = counts[DeliveryState.DELIVERED] + counts[DeliveryState.FAILED]
    return {
        "object": "webhook_endpoint_stats",
        "endpoint": endpoint.id,
        "since": rfc3339(since),
        **{state.value: count for state, count in counts.items()},
        "success_rate": round(counts[DeliveryState.DELIVERED] / ended, 4) if ended else None,
        "oldest_pending_at": rfc3339(oldest_pending),
        "failing_since": rfc3339(endpoint.health.failing_since),
        "failing_percent": percent(endpoint.health, now),
    }


def delivery_document(
    delivery: Delivery, attempts: Iterable[AttemptRecord] | None = None
) -> dict[str, Any]:
    """Return a delivery, with its payload and its log if `attempts` are given."""
    document: dict[str, Any] = {
        "id": delivery.id,
        "object": "webhook_delivery",
        "event_id": delivery.event_id,
        "type": delivery.event_type,
        "job": delivery.job_id,
        "endpoint": delivery.endpoint_id,
        "url": delivery.url,
        "state": delivery.state.value,
        "attempts": delivery.attempts,
        "next_attempt_at": rfc3339(delivery.wake_at)
        if delivery.state is DeliveryState.QUEUED
        else None,
        "last_status": delivery.last_status,
        "last_error": delivery.last_error or None,
        "created_at": rfc3339(delivery.created_at),
        "finished_at": rfc3339(delivery.finished_at),
    }
    if attempts is not None:
        document["payload"] = delivery.body.decode()
        document["log"] = [attempt_document(attempt) for attempt in attempts]
    return document


def attempt_document(attempt: AttemptRecord) -> dict[str, Any]:
    return {
        "number": attempt.number,
        "started_at": rfc3339(attempt.started_at),
        "duration_ms": round(attempt.duration.total_seconds() * 1000),
        "status": attempt.status,
        "error": attempt.error.value if attempt.error else None,
        "detail": attempt.detail or None,
        "response": attempt.response,
        "next_attempt_at": rfc3339(attempt.next_attempt_at),
    }
