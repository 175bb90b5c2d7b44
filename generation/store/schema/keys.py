"""
Callers: their keys, and what these have used up. And the secrets of the deployment.
"""

from sqlalchemy import Column, Date, Integer, LargeBinary, String, Table

from generation.store.schema.columns import Document, Instant, metadata

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("tenant", String(100), nullable=False),
    Column("hash", String(64), nullable=False, unique=True),
    #: The key's first characters, so that a person can tell keys apart.
    Column("prefix", String(20), nullable=False),
    Column("webhook_secret", String(200), nullable=False),
    #: `submit read cancel`: what it may do, in words with spaces between.
    Column("scopes", String(100), nullable=False, server_default="cancel read submit"),
    #: Whose services it may order; None for everybody's.
    Column("providers", Document),
    #: So many jobs in so many seconds.
    Column("rate_count", Integer),
    Column("rate_seconds", Integer),
    Column("max_in_flight", Integer),
    Column("daily_jobs", Integer),
    Column("expires_at", Instant),
    #: Those it replaced that still sign, with the moment each ends. Null for none.
    Column("old_webhook_secrets", Document),
    Column("created_at", Instant, nullable=False),
    Column("last_used_at", Instant),
    Column("revoked_at", Instant),
)

#: What a key has used up of its limits. Whoever stores its jobs holds this row's lock.
key_usage = Table(
    "key_usage",
    metadata,
    Column("key_id", String(40), primary_key=True),
    #: When its rate will be whole again.
    Column("whole_at", Instant),
    #: The day (UTC) that `jobs_today` counts.
    Column("day", Date),
    Column("jobs_today", Integer, nullable=False),
)

#: One row, whose number rises with every key that is added, changed or revoked.
key_changes = Table(
    "key_changes",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("count", Integer, nullable=False),
)

secrets = Table(
    "secrets",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("value", LargeBinary, nullable=False),
)
