"""Deliveries and their attempts as rows, and back."""

from dataclasses import fields
from datetime import timedelta
from typing import Any

from sqlalchemy import CursorResult, Row

from generation.store.schema import deliveries
from generation.webhooks.delivery import AttemptRecord, Delivery, DeliveryState
from generation.webhooks.outcome import ErrorClass

FIXED = frozenset(
    {
        *("id", "event_id", "event_type", "job_id", "tenant", "api_key_id", "endpoint_id"),
        *("url", "lane", "body", "created_at"),
    }
)
MUTABLE = tuple(field.name for field in fields(Delivery) if field.name not in FIXED)


FIELDS = tuple(field.name for field in fields(Delivery))


def read_deliveries(found: CursorResult[Any]) -> list[Delivery]:
    """Return the deliveries of these rows, in order. Raises if a column cannot be read."""
    return [delivery_of(row) for row in found]


def delivery_of(row: Row[Any], **changes: Any) -> Delivery:
    """Return the delivery of a row, with these changes."""
    values: dict[str, Any] = {name: getattr(row, name) for name in FIELDS}
    values["state"] = DeliveryState(values["state"])
    return Delivery(**(values | changes))


def delivery_row(delivery: Delivery) -> dict[str, Any]:
    return {column.name: getattr(delivery, column.name) for column in deliveries.c} | {
        "state": delivery.state.value
    }


def attempt_row(attempt: AttemptRecord) -> dict[str, Any]:
    return {
        "delivery_id": attempt.delivery_id,
        "number": attempt.number,
        "started_at": attempt.started_at,
        "duration_ms": round(attempt.duration.total_seconds() * 1000),
        "status": attempt.status,
        "error": attempt.error.value if attempt.error else None,
        "detail": attempt.detail,
        "response": attempt.response,
        "next_attempt_at": attempt.next_attempt_at,
    }


def attempt_of_row(row: Row[Any]) -> AttemptRecord:
    return AttemptRecord(
        delivery_id=row.delivery_id,
        number=row.number,
        started_at=row.started_at,
        duration=timedelta(milliseconds=row.duration_ms),
        status=row.status,
        error=ErrorClass(row.error) if row.error else None,
        detail=row.detail,
        response=row.response,
        next_attempt_at=row.next_attempt_at,
    )
