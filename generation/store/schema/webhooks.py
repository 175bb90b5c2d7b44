"""Webhook endpoints, deliveries and their attempts."""

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from generation.store.schema.columns import WAKEFUL, InsertDocument, Instant, metadata

webhook_endpoints = Table(
    "webhook_endpoints",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("tenant", String(100), nullable=False),
    Column("url", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("events", InsertDocument, nullable=False),
    Column("metadata", InsertDocument, nullable=False),
    Column("headers", InsertDocument, nullable=False),
    Column("concurrency", Integer, nullable=False),
    Column("rate", Float),
    Column("ordered", Boolean, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("disabled_reason", Text, nullable=False),
    Column("disabled_at", Instant),
    Column("secret", String(200), nullable=False),
    Column("old_secrets", InsertDocument, nullable=False),
    Column("first_failure_at", Instant),
    Column("failing_since", Instant),
    Column("alerted", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
)

Index("ix_webhook_endpoints_tenant", webhook_endpoints.c.tenant, webhook_endpoints.c.id)

deliveries = Table(
    "deliveries",
    metadata,
    #: Begins with a timestamp, so the order of ids is the order of creation.
    Column("id", String(40), primary_key=True),
    Column("event_id", String(40), nullable=False),
    Column("event_type", String(40), nullable=False),
    #: Null for an event of an endpoint.
    Column("job_id", String(40), ForeignKey("jobs.id", ondelete="CASCADE")),
    Column("tenant", String(100), nullable=False),
    #: The signer: the API key of a job's own webhook, or the endpoint.
    Column("api_key_id", String(40)),
    Column("endpoint_id", String(40)),
    Column("url", Text, nullable=False),
    Column("lane", String(300), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("state", String(20), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("wake_at", Instant),
    Column("aside", Boolean, nullable=False),
    Column("last_status", Integer),
    Column("last_error", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("finished_at", Instant),
    #: An event goes to an endpoint once, whoever sends it again. Nulls are all different.
    UniqueConstraint("endpoint_id", "event_id"),
)

ASIDE = text("aside")
Index("ix_deliveries_due", deliveries.c.wake_at, postgresql_where=WAKEFUL, sqlite_where=WAKEFUL)
Index(
    "ix_deliveries_aside",
    deliveries.c.lane,
    deliveries.c.id,
    postgresql_where=ASIDE,
    sqlite_where=ASIDE,
)
Index("ix_deliveries_job_id", deliveries.c.job_id)
Index("ix_deliveries_tenant", deliveries.c.tenant, deliveries.c.state, deliveries.c.id)
ENDPOINTS = text("endpoint_id IS NOT NULL")
Index(
    "ix_deliveries_endpoint",
    deliveries.c.endpoint_id,
    deliveries.c.state,
    deliveries.c.id,
    postgresql_where=ENDPOINTS,
    sqlite_where=ENDPOINTS,
)

delivery_attempts = Table(
    "delivery_attempts",
    metadata,
    Column(
        "delivery_id",
        String(40),
        ForeignKey("deliveries.id", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("started_at", Instant, nullable=False),
    Column("duration_ms", Integer, nullable=False),
    Column("status", Integer),
    Column("error", String(40)),
    Column("detail", Text, nullable=False),
    #: The beginning of the response.
    Column("response", Text, nullable=False),
    Column("next_attempt_at", Instant),
)
