"""Idempotency keys."""

from sqlalchemy import Column, ForeignKey, Index, String, Table

from generation.store.schema.columns import Instant, metadata

#: See `generation.store.jobs.idempotency`.
idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("tenant", String(100), primary_key=True),
    Column("scope", String(10), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("fingerprint", String(64), nullable=False),
    Column("job_id", String(40), ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
    Column("expires_at", Instant),
    Index("ix_idempotency_keys_job_id", "job_id"),
    Index("ix_idempotency_keys_expires_at", "expires_at"),
    sqlite_with_rowid=False,
)
