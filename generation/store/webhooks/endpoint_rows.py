"""Endpoints as rows, and rows as endpoints."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import CursorResult, Row

from generation.webhooks.endpoint import RegisteredEndpoint
from generation.webhooks.health import EndpointHealth
from generation.webhooks.secrets import OldSecret

#: Fields that are columns of the same name.
PLAIN = tuple(
    field.name
    for field in fields(RegisteredEndpoint)
    if field.name not in {"events", "old_secrets", "health"}
)


def read_endpoints(found: CursorResult[Any]) -> list[RegisteredEndpoint]:
    """Return the endpoints of these rows, in order. Raises if a column cannot be read."""
    return [endpoint_of(row) for row in found]


def endpoint_of(row: Row[Any]) -> RegisteredEndpoint:
    return RegisteredEndpoint(
        events=tuple(row.events),
        old_secrets=old_secrets_of(row.old_secrets),
        health=EndpointHealth(
            first_failure_at=row.first_failure_at,
            failing_since=row.failing_since,
            alerted=row.alerted,
        ),
        **{name: getattr(row, name) for name in PLAIN},
    )


def endpoint_row(endpoint: RegisteredEndpoint) -> dict[str, Any]:
    """Return the whole row."""
    return {name: getattr(endpoint, name) for name in PLAIN} | {
        "events": list(endpoint.events),
        "old_secrets": old_secrets_document(endpoint.old_secrets),
        "first_failure_at": endpoint.health.first_failure_at,
        "failing_since": endpoint.health.failing_since,
        "alerted": endpoint.health.alerted,
    }


def old_secrets_of(document: Sequence[dict[str, str]] | None) -> tuple[OldSecret, ...]:
    return tuple(
        OldSecret(each["secret"], datetime.fromisoformat(each["until"])) for each in document or ()
    )


def old_secrets_document(old: Sequence[OldSecret]) -> list[dict[str, str]]:
    return [{"secret": each.secret, "until": each.until.isoformat()} for each in old]
