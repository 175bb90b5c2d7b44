"""API keys, their usage, and the secrets of the deployment."""

from sqlalchemy import Column, Date, Integer, LargeBinary, String, Table

from generation.store.schema.columns import InsertDocument, Instant, metadata

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("tenant", String(100), nullable=False),
    Column("hash", String(64), nullable=False, unique=True),
    #: The key's first characters, so that people can tell keys apart.
    Column("prefix", String(20), nullable=False),
    Column("webhook_secret", String(200), nullable=False),
    #: The scopes, separated by spaces: `submit read cancel`.
    Column("scopes", String(100), nullable=False, server_default="cancel read submit"),
    #: The providers it may use; None for all.
    Column("providers", InsertDocument),
    #: This many jobs in this many seconds.
    Column("rate_count", Integer),
    Column("rate_seconds", Integer),
    Column("max_in_flight", Integer),
    Column("daily_jobs", Integer),
    Column("expires_at", Instant),
    #: Replaced secrets that still sign, with the time each ends. Null for none.
    Column("old_webhook_secrets", InsertDocument),
    Column("created_at", Instant, nullable=False),
    Column("last_used_at", Instant),
    Column("revoked_at", Instant),
)

#: The usage of a key's limits. Inserting its jobs locks this row.
key_usage = Table(
    "key_usage",
    metadata,
    Column("key_id", String(40), primary_key=True),
    #: When its rate will be unused again.
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
