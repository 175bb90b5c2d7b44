"""The tables: one definition for SQLite and PostgreSQL. `migrations/` creates them."""

from generation.store.schema.accounts import accounts, turns
from generation.store.schema.columns import (
    EPOCH,
    MICROSECOND,
    InsertDocument,
    Instant,
    metadata,
    microseconds,
)
from generation.store.schema.events import PLACED, UNPLACED, event_feed, job_events
from generation.store.schema.figures import durations, tallies, unreadable_rows
from generation.store.schema.jobs import (
    ENDED,
    ENDED_LATE,
    ERRAND,
    HOLDING,
    IN_LINE,
    LATE,
    LIVING,
    PLAIN_LOOK,
    QUEUED,
    UNFINISHED,
    job_labels,
    jobs,
)
from generation.store.schema.keys import api_keys, key_changes, key_usage, secrets
from generation.store.schema.orders import idempotency_keys
from generation.store.schema.webhooks import (
    ASIDE,
    deliveries,
    delivery_attempts,
    webhook_endpoints,
)

__all__ = [
    "ASIDE",
    "ENDED",
    "ENDED_LATE",
    "EPOCH",
    "ERRAND",
    "HOLDING",
    "IN_LINE",
    "LATE",
    "LIVING",
    "MICROSECOND",
    "PLACED",
    "PLAIN_LOOK",
    "QUEUED",
    "UNFINISHED",
    "UNPLACED",
    "InsertDocument",
    "Instant",
    "accounts",
    "api_keys",
    "deliveries",
    "delivery_attempts",
    "durations",
    "event_feed",
    "idempotency_keys",
    "job_events",
    "job_labels",
    "jobs",
    "key_changes",
    "key_usage",
    "metadata",
    "microseconds",
    "secrets",
    "tallies",
    "turns",
    "unreadable_rows",
    "webhook_endpoints",
]
