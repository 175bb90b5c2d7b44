"""
The first tables
"""

import sqlalchemy as sa
from alembic import op

from generation.store.schema import InsertDocument, Instant

COUNTED = sa.text("quota_key IS NOT NULL AND finished_at IS NULL")
WAKEFUL = sa.text("wake_at IS NOT NULL")
UNPLACED = sa.text("position IS NULL")
PLACED = sa.text("position > 0")
PLAIN_LOOK = "(state IN ('running', 'expired') AND cancel_requested_at IS NULL)"
LIVING = sa.text("finished_at IS NULL")
ENDED = sa.text("finished_at IS NOT NULL")
ASIDE = sa.text("aside")
ENDPOINTS = sa.text("endpoint_id IS NOT NULL")

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("tenant", sa.String(length=100), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("prefix", sa.String(length=20), nullable=False),
        sa.Column("webhook_secret", sa.String(length=200), nullable=False),
        sa.Column(
            "scopes", sa.String(length=100), nullable=False, server_default="cancel read submit"
        ),
        sa.Column("providers", InsertDocument, nullable=True),
        sa.Column("rate_count", sa.Integer(), nullable=True),
        sa.Column("rate_seconds", sa.Integer(), nullable=True),
        sa.Column("max_in_flight", sa.Integer(), nullable=True),
        sa.Column("daily_jobs", sa.Integer(), nullable=True),
        sa.Column("expires_at", Instant(), nullable=True),
        sa.Column("old_webhook_secrets", InsertDocument, nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("last_used_at", Instant(), nullable=True),
        sa.Column("revoked_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("hash", name=op.f("uq_api_keys_hash")),
    )
    op.create_table(
        "key_usage",
        sa.Column("key_id", sa.String(length=40), nullable=False),
        sa.Column("whole_at", Instant(), nullable=True),
        sa.Column("day", sa.Date(), nullable=True),
        sa.Column("jobs_today", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("key_id", name=op.f("pk_key_usage")),
    )
    op.create_table(
        "key_changes",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_changes")),
    )
    op.create_table(
        "jobs",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("tenant", sa.String(length=100), nullable=False),
        sa.Column("api_key_id", sa.String(length=40), nullable=False),
        sa.Column("quota_key", sa.String(length=40), nullable=True),
        sa.Column("provider", sa.String(length=40), nullable=False),
        sa.Column("operation", sa.String(length=60), nullable=False),
        sa.Column("model", sa.String(length=100), nullable=False, server_default=""),
        sa.Column("input", InsertDocument, nullable=False),
        sa.Column("metadata", InsertDocument, nullable=False),
        sa.Column("webhook", InsertDocument, nullable=True),
        sa.Column("parent_id", sa.String(length=40), nullable=True),
        sa.Column("priority", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("client_id", sa.String(length=100), nullable=True),
        sa.Column("batch_id", sa.String(length=40), nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("wake_at", Instant(), nullable=True),
        sa.Column("looked_at", Instant(), nullable=True),
        sa.Column("not_before", Instant(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("line", sa.Text(), nullable=True),
        sa.Column("slot_until", Instant(), nullable=True),
        sa.Column("tried", InsertDocument, nullable=True),
        sa.Column("station", sa.String(length=100), nullable=True),
        sa.Column("key", sa.String(length=100), nullable=True),
        sa.Column("dialect", sa.String(length=60), nullable=True),
        sa.Column("bound", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("upstream_id", sa.String(length=300), nullable=True),
        sa.Column("upstream_details", InsertDocument, nullable=False),
        sa.Column("named_id", sa.String(length=300), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("purchases", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("misses", sa.Integer(), nullable=False),
        sa.Column("empty_looks", sa.Integer(), server_default="0", nullable=False),
        sa.Column("progress", sa.Integer(), nullable=True),
        sa.Column("billed", sa.String(length=10), nullable=False),
        sa.Column("cancel_requested_at", Instant(), nullable=True),
        sa.Column("answer", InsertDocument, nullable=True),
        sa.Column("answered_at", Instant(), nullable=True),
        sa.Column("last_reply", sa.Text(), nullable=False, server_default=""),
        sa.Column("result", InsertDocument, nullable=True),
        sa.Column("error", InsertDocument, nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.Column("submitted_at", Instant(), nullable=True),
        sa.Column("started_at", Instant(), nullable=True),
        sa.Column("finished_at", Instant(), nullable=True),
        sa.Column("deadline", Instant(), nullable=False),
        sa.Column("erased_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
    )
    op.create_index(
        "ix_jobs_due_looks",
        "jobs",
        ["station", "key", "wake_at"],
        unique=False,
        postgresql_where=sa.text(f"wake_at IS NOT NULL AND {PLAIN_LOOK}"),
        sqlite_where=sa.text(f"wake_at IS NOT NULL AND {PLAIN_LOOK}"),
    )
    op.create_index(
        "ix_jobs_due_errands",
        "jobs",
        ["wake_at"],
        unique=False,
        postgresql_where=sa.text(f"wake_at IS NOT NULL AND NOT {PLAIN_LOOK}"),
        sqlite_where=sa.text(f"wake_at IS NOT NULL AND NOT {PLAIN_LOOK}"),
    )
    op.create_index("ix_jobs_tenant_id", "jobs", ["tenant", "id"], unique=False)
    op.create_index(
        "ix_jobs_quota_key",
        "jobs",
        ["quota_key"],
        unique=False,
        postgresql_where=COUNTED,
        sqlite_where=COUNTED,
    )
    unfinished = sa.text("state IN ('submitting', 'running', 'awaiting_input', 'in_doubt')")
    for name, columns, where in (
        ("ix_jobs_unfinished", ["station", "key"], unfinished),
        ("ix_jobs_holding", ["station", "key", "slot_until"], sa.text("slot_until IS NOT NULL")),
        (
            "ix_jobs_line",
            ["line", "tenant", sa.text("priority DESC"), "id"],
            sa.text("line IS NOT NULL"),
        ),
        ("ix_jobs_queued", ["id"], sa.text("state = 'queued'")),
        ("ix_jobs_finished", ["finished_at"], sa.text("finished_at IS NOT NULL")),
    ):
        op.create_index(
            name, "jobs", columns, unique=False, postgresql_where=where, sqlite_where=where
        )
    op.create_table(
        "accounts",
        sa.Column("station", sa.String(length=100), nullable=False),
        sa.Column("key", sa.String(length=100), nullable=False),
        sa.Column("blocked_code", sa.String(length=20), nullable=True),
        sa.Column("blocked_since", Instant(), nullable=True),
        sa.Column("blocked_words", sa.Text(), nullable=False, server_default=""),
        sa.Column("probe_at", Instant(), nullable=True),
        sa.Column("probes", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("balance", sa.Float(), nullable=True),
        sa.Column("balance_unit", sa.String(length=20), nullable=False, server_default=""),
        sa.Column("balance_at", Instant(), nullable=True),
        sa.Column("cool_until", Instant(), nullable=True),
        sa.Column("cooled", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("full_at", Instant(), nullable=True),
        sa.Column("look_after", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("station", "key", name=op.f("pk_accounts")),
    )
    op.create_table(
        "turns",
        sa.Column("station", sa.String(length=100), nullable=False),
        sa.Column("key", sa.String(length=100), nullable=False),
        sa.Column("tenant", sa.String(length=100), nullable=False),
        sa.Column("served_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("station", "key", "tenant", name=op.f("pk_turns")),
    )
    op.create_table(
        "tallies",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", "shard", name=op.f("pk_tallies")),
    )
    create_list_indexes()
    create_label_and_key_tables()

    op.create_table(
        "webhook_endpoints",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("tenant", sa.String(length=100), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("events", InsertDocument, nullable=False),
        sa.Column("metadata", InsertDocument, nullable=False),
        sa.Column("headers", InsertDocument, nullable=False),
        sa.Column("concurrency", sa.Integer(), nullable=False),
        sa.Column("rate", sa.Float(), nullable=True),
        sa.Column("ordered", sa.Boolean(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("disabled_reason", sa.Text(), nullable=False),
        sa.Column("disabled_at", Instant(), nullable=True),
        sa.Column("secret", sa.String(length=200), nullable=False),
        sa.Column("old_secrets", InsertDocument, nullable=False),
        sa.Column("first_failure_at", Instant(), nullable=True),
        sa.Column("failing_since", Instant(), nullable=True),
        sa.Column("alerted", sa.Integer(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_endpoints")),
    )
    op.create_index(
        "ix_webhook_endpoints_tenant", "webhook_endpoints", ["tenant", "id"], unique=False
    )

    op.create_table(
        "deliveries",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("event_id", sa.String(length=40), nullable=False),
        sa.Column("event_type", sa.String(length=40), nullable=False),
        sa.Column("job_id", sa.String(length=40), nullable=True),
        sa.Column("tenant", sa.String(length=100), nullable=False),
        sa.Column("api_key_id", sa.String(length=40), nullable=True),
        sa.Column("endpoint_id", sa.String(length=40), nullable=True),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("lane", sa.String(length=300), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("wake_at", Instant(), nullable=True),
        sa.Column("aside", sa.Boolean(), nullable=False),
        sa.Column("last_status", sa.Integer(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("finished_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["job_id"], ["jobs.id"], name=op.f("fk_deliveries_job_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint(
            "endpoint_id", "event_id", name=op.f("uq_deliveries_endpoint_id_event_id")
        ),
    )
    op.create_index(
        "ix_deliveries_due",
        "deliveries",
        ["wake_at"],
        unique=False,
        postgresql_where=WAKEFUL,
        sqlite_where=WAKEFUL,
    )
    op.create_index(
        "ix_deliveries_aside",
        "deliveries",
        ["lane", "id"],
        unique=False,
        postgresql_where=ASIDE,
        sqlite_where=ASIDE,
    )
    op.create_index("ix_deliveries_job_id", "deliveries", ["job_id"], unique=False)
    op.create_index("ix_deliveries_tenant", "deliveries", ["tenant", "state", "id"], unique=False)
    op.create_index(
        "ix_deliveries_endpoint",
        "deliveries",
        ["endpoint_id", "state", "id"],
        unique=False,
        postgresql_where=ENDPOINTS,
        sqlite_where=ENDPOINTS,
    )

    op.create_table(
        "delivery_attempts",
        sa.Column("delivery_id", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("started_at", Instant(), nullable=False),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("error", sa.String(length=40), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("response", sa.Text(), nullable=False),
        sa.Column("next_attempt_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["delivery_id"],
            ["deliveries.id"],
            name=op.f("fk_delivery_attempts_delivery_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("delivery_id", "number", name=op.f("pk_delivery_attempts")),
    )

    op.create_table(
        "job_events",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("job_id", sa.String(length=40), nullable=True),
        sa.Column("tenant", sa.String(length=100), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("type", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("station", sa.String(length=100), nullable=True),
        sa.Column("key", sa.String(length=100), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("position", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["job_id"], ["jobs.id"], name=op.f("fk_job_events_job_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_events")),
        sa.UniqueConstraint("job_id", "sequence", name=op.f("uq_job_events_job_id_sequence")),
    )
    op.create_index(
        "ix_job_events_unplaced",
        "job_events",
        ["id"],
        unique=False,
        postgresql_where=UNPLACED,
        sqlite_where=UNPLACED,
    )
    op.create_index(
        "ix_job_events_feed",
        "job_events",
        ["tenant", "position", "type"],
        unique=False,
        postgresql_where=PLACED,
        sqlite_where=PLACED,
    )

    feed = op.create_table(
        "event_feed",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event_feed")),
    )
    op.bulk_insert(feed, [{"id": 1, "last": 0}])

    op.create_table(
        "durations",
        sa.Column("station", sa.String(length=100), nullable=False),
        sa.Column("provider", sa.String(length=40), nullable=False),
        sa.Column("operation", sa.String(length=60), nullable=False),
        sa.Column("model", sa.String(length=100), nullable=False),
        sa.Column("weights", InsertDocument, nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint(
            "station", "provider", "operation", "model", name=op.f("pk_durations")
        ),
    )


def create_list_indexes() -> None:
    filtered = ("state", "provider", "operation", "station", "updated_at")
    partial = {"ix_jobs_living": (["tenant", "id", *filtered], LIVING)}
    for column in filtered:
        partial[f"ix_jobs_ended_{column}"] = (["tenant", column, "id"], ENDED)
    for column in ("parent_id", "batch_id"):
        partial[f"ix_jobs_{column}"] = ([column, "id"], sa.text(f"{column} IS NOT NULL"))
    for name, (columns, where) in partial.items():
        op.create_index(name, "jobs", columns, postgresql_where=where, sqlite_where=where)
    op.create_index(
        "ix_jobs_ended_late",
        "jobs",
        ["tenant", "updated_at", "id"],
        postgresql_where=sa.text(f"{ENDED.text} AND updated_at - created_at > interval '1 hour'"),
        sqlite_where=sa.text(f"{ENDED.text} AND updated_at - created_at > 3600000000"),
    )


def create_label_and_key_tables() -> None:
    op.create_table(
        "job_labels",
        sa.Column("tenant", sa.String(length=100), nullable=False),
        sa.Column("label", sa.String(length=24), nullable=False),
        sa.Column("job_id", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["job_id"], ["jobs.id"], name=op.f("fk_job_labels_job_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant", "label", "job_id", name=op.f("pk_job_labels")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_job_labels_job_id", "job_labels", ["job_id"], unique=False)

    op.create_table(
        "idempotency_keys",
        sa.Column("tenant", sa.String(length=100), nullable=False),
        sa.Column("scope", sa.String(length=10), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("job_id", sa.String(length=40), nullable=False),
        sa.Column("expires_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["job_id"], ["jobs.id"], name=op.f("fk_idempotency_keys_job_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant", "scope", "key", name=op.f("pk_idempotency_keys")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_idempotency_keys_job_id", "idempotency_keys", ["job_id"])
    op.create_index("ix_idempotency_keys_expires_at", "idempotency_keys", ["expires_at"])
    op.create_table(
        "secrets",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_secrets")),
    )
    op.create_table(
        "unreadable_rows",
        sa.Column("table_name", sa.String(length=40), nullable=False),
        sa.Column("row_id", sa.String(length=100), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("seen_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("table_name", "row_id", name=op.f("pk_unreadable_rows")),
    )


def downgrade() -> None:
    for table in ("unreadable_rows", "secrets", "idempotency_keys", "job_labels"):
        op.drop_table(table)
    tables = (
        "durations",
        "event_feed",
        "job_events",
        "delivery_attempts",
        "deliveries",
        "webhook_endpoints",
        "tallies",
        "turns",
        "accounts",
        "jobs",
    )
    for table in (*tables, "key_changes", "key_usage", "api_keys"):
        op.drop_table(table)
