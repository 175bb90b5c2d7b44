"""
The tables. One definition for SQLite and PostgreSQL; `migrations/` brings a database to it.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class Instant(TypeDecorator[datetime]):
    """
    A moment in UTC, to the microsecond: `timestamptz` on PostgreSQL, microseconds since 1970 on
    SQLite, which has no time type and would compare text.
    """

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(TIMESTAMP(timezone=True))
        return dialect.type_descriptor(BigInteger())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None or dialect.name == "postgresql":
            return value
        return (value - EPOCH) // MICROSECOND

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None or dialect.name == "postgresql":
            return value
        return EPOCH + value * MICROSECOND


Document = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

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

jobs = Table(
    "jobs",
    metadata,
    #: Begins with its time of birth, so the order of ids is the order of creation.
    Column("id", String(40), primary_key=True),
    Column("tenant", String(100), nullable=False),
    Column("api_key_id", String(40), nullable=False),
    #: The same, where that key has limits; what is unfinished of it is counted by this.
    Column("quota_key", String(40)),
    Column("provider", String(40), nullable=False),
    Column("operation", String(60), nullable=False),
    #: The model the caller named, and "" where none was; what is learned, is learned for each.
    Column("model", String(100), nullable=False, server_default=""),
    Column("input", Document, nullable=False),
    Column("metadata", Document, nullable=False),
    Column("webhook", Document),
    Column("parent_id", String(40)),
    Column("priority", Integer, nullable=False, server_default="0"),
    Column("client_id", String(100)),
    Column("batch_id", String(40)),
    Column("state", String(20), nullable=False),
    Column("version", Integer, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("wake_at", Instant),
    Column("looked_at", Instant),
    Column("not_before", Instant),
    Column("reason", Text, nullable=False),
    Column("line", Text),
    Column("slot_until", Instant),
    Column("tried", Document),
    Column("station", String(100)),
    Column("key", String(100)),
    Column("dialect", String(60)),
    Column("bound", Boolean, nullable=False, server_default=false()),
    Column("upstream_id", String(300)),
    Column("upstream_details", Document, nullable=False),
    Column("named_id", String(300)),
    Column("attempts", Integer, nullable=False),
    Column("purchases", Integer, nullable=False, server_default="0"),
    Column("misses", Integer, nullable=False),
    Column("empty_looks", Integer, nullable=False, server_default="0"),
    Column("progress", Integer),
    Column("billed", String(10), nullable=False),
    Column("cancel_requested_at", Instant),
    Column("answer", Document),
    Column("answered_at", Instant),
    Column("last_reply", Text, nullable=False, server_default=""),
    Column("result", Document),
    Column("error", Document),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("submitted_at", Instant),
    Column("started_at", Instant),
    Column("finished_at", Instant),
    Column("deadline", Instant, nullable=False),
    Column("erased_at", Instant),
)

WAKEFUL = text("wake_at IS NOT NULL")
#: Jobs that need a look and nothing else, and all others; literally as in the indexes, or no
#: database would use them.
PLAIN_LOOK = text("(state IN ('running', 'expired') AND cancel_requested_at IS NULL)")
ERRAND = text("NOT (state IN ('running', 'expired') AND cancel_requested_at IS NULL)")
DUE_LOOKS = text(f"wake_at IS NOT NULL AND {PLAIN_LOOK.text}")
DUE_ERRANDS = text(f"wake_at IS NOT NULL AND {ERRAND.text}")
Index(
    "ix_jobs_due_looks",
    jobs.c.station,
    jobs.c.key,
    jobs.c.wake_at,
    postgresql_where=DUE_LOOKS,
    sqlite_where=DUE_LOOKS,
)
Index("ix_jobs_due_errands", jobs.c.wake_at, postgresql_where=DUE_ERRANDS, sqlite_where=DUE_ERRANDS)
Index("ix_jobs_tenant_id", jobs.c.tenant, jobs.c.id)
#: Jobs of keys without limits are not in it, and cost it nothing.
COUNTED = text("quota_key IS NOT NULL AND finished_at IS NULL")
Index("ix_jobs_quota_key", jobs.c.quota_key, postgresql_where=COUNTED, sqlite_where=COUNTED)
FINISHED = text("finished_at IS NOT NULL")
Index("ix_jobs_finished", jobs.c.finished_at, postgresql_where=FINISHED, sqlite_where=FINISHED)

#: The four kinds of jobs that matter to a key's capacity; literally as in the indexes, or no
#: database would use them.
UNFINISHED = text("state IN ('submitting', 'running', 'awaiting_input', 'in_doubt')")
HOLDING = text("slot_until IS NOT NULL")
IN_LINE = text("line IS NOT NULL")
QUEUED = text("state = 'queued'")
Index(
    "ix_jobs_unfinished",
    jobs.c.station,
    jobs.c.key,
    postgresql_where=UNFINISHED,
    sqlite_where=UNFINISHED,
)
Index(
    "ix_jobs_holding",
    jobs.c.station,
    jobs.c.key,
    jobs.c.slot_until,
    postgresql_where=HOLDING,
    sqlite_where=HOLDING,
)
#: A line in the order in which a tenant's own jobs leave it.
Index(
    "ix_jobs_line",
    jobs.c.line,
    jobs.c.tenant,
    jobs.c.priority.desc(),
    jobs.c.id,
    postgresql_where=IN_LINE,
    sqlite_where=IN_LINE,
)
Index("ix_jobs_queued", jobs.c.id, postgresql_where=QUEUED, sqlite_where=QUEUED)

#: What all processes know of one key at one station. A key nothing is known of has no row.
accounts = Table(
    "accounts",
    metadata,
    Column("station", String(100), primary_key=True),
    Column("key", String(100), primary_key=True),
    #: Refused for itself, not for an order: `auth` or `out_of_credits`, since when and in whose
    #: words; and when one job tries again.
    Column("blocked_code", String(20)),
    Column("blocked_since", Instant),
    Column("blocked_words", Text, nullable=False, server_default=""),
    Column("probe_at", Instant),
    Column("probes", Integer, nullable=False, server_default="0"),
    #: What was left in the account when it was last asked for, and when it is to be asked again.
    Column("balance", Float),
    Column("balance_unit", String(20), nullable=False, server_default=""),
    Column("balance_at", Instant),
    #: Called too fast: not before this; and how many times in a row.
    Column("cool_until", Instant),
    Column("cooled", Integer, nullable=False, server_default="0"),
    #: Submits a minute: when the bucket will be full again.
    Column("full_at", Instant),
    #: Looks with this key were too fast: none before this.
    Column("look_after", Instant),
)

#: When a tenant was last given a place at a key: whose turn it is.
turns = Table(
    "turns",
    metadata,
    Column("station", String(100), primary_key=True),
    Column("key", String(100), primary_key=True),
    Column("tenant", String(100), primary_key=True),
    Column("served_at", Instant, nullable=False),
)

#: Counts that move in the same transaction as what they count. Each is spread over rows that are
#: added up, so that writers seldom wait for one another.
tallies = Table(
    "tallies",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("shard", Integer, primary_key=True, autoincrement=False),
    Column("count", BigInteger, nullable=False),
)

# Lists. A job that lives changes all the time and is in few of these; one that has ended is in all,
# and rests (docs/decisions/0011-lists-have-two-halves.md).
LIVING = text("finished_at IS NULL")
ENDED = text("finished_at IS NOT NULL")
#: With all that lists filter by, so that nobody looks up a hundred thousand jobs to find none.
Index(
    "ix_jobs_living",
    *(jobs.c.tenant, jobs.c.id, jobs.c.state, jobs.c.provider, jobs.c.operation, jobs.c.station),
    jobs.c.updated_at,
    postgresql_where=LIVING,
    sqlite_where=LIVING,
)
for _column in (jobs.c.state, jobs.c.provider, jobs.c.operation, jobs.c.station, jobs.c.updated_at):
    Index(
        f"ix_jobs_ended_{_column.name}",
        jobs.c.tenant,
        _column,
        jobs.c.id,
        postgresql_where=ENDED,
        sqlite_where=ENDED,
    )
for _column in (jobs.c.parent_id, jobs.c.batch_id):
    _given = text(f"{_column.name} IS NOT NULL")
    Index(
        f"ix_jobs_{_column.name}", _column, jobs.c.id, postgresql_where=_given, sqlite_where=_given
    )

#: Few have ended and changed last when they were older than this; they have an index of their own,
#: for lists of what changed since a time. In each store's words.
LATE = timedelta(hours=1)
ENDED_LATE = {
    "sqlite": text("finished_at IS NOT NULL AND updated_at - created_at > 3600000000"),
    "postgresql": text("finished_at IS NOT NULL AND updated_at - created_at > interval '1 hour'"),
}
Index(
    "ix_jobs_ended_late",
    jobs.c.tenant,
    jobs.c.updated_at,
    jobs.c.id,
    postgresql_where=ENDED_LATE["postgresql"],
    sqlite_where=ENDED_LATE["sqlite"],
)

#: A job's metadata, by which it is found.
job_labels = Table(
    "job_labels",
    metadata,
    Column("tenant", String(100), primary_key=True),
    Column("label", String(24), primary_key=True),
    Column("job_id", String(40), ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Index("ix_job_labels_job_id", "job_id"),
    sqlite_with_rowid=False,
)

#: Orders that may arrive twice; see `generation.store.idempotency`.
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

job_events = Table(
    "job_events",
    metadata,
    Column("id", String(40), primary_key=True),
    #: None for what happened to something else than a job: a webhook endpoint, say.
    Column("job_id", String(40), ForeignKey("jobs.id", ondelete="CASCADE")),
    Column("tenant", String(100), nullable=False),
    #: 1, 2, 3 … within the job; 0 where there is none.
    Column("sequence", Integer, nullable=False),
    Column("type", String(40), nullable=False),
    Column("state", String(20)),
    #: What caused it, in words for a person.
    Column("reason", Text, nullable=False),
    #: Where the job was bound to then.
    Column("station", String(100)),
    Column("key", String(100)),
    Column("created_at", Instant, nullable=False),
    #: The payload as it is signed and sent, serialised once. None for events nobody is told of, and
    #: for a birth that no webhook asked for.
    Column("body", LargeBinary),
    #: The place in the feed: 1, 2, 3 … over all tenants, given after the commit, so that nothing
    #: appears before a place that somebody has read. 0 for what is in no feed, None until placed.
    Column("position", BigInteger),
    UniqueConstraint("job_id", "sequence"),
)

UNPLACED = text("position IS NULL")
PLACED = text("position > 0")
Index("ix_job_events_unplaced", job_events.c.id, postgresql_where=UNPLACED, sqlite_where=UNPLACED)
Index(
    "ix_job_events_feed",
    job_events.c.tenant,
    job_events.c.position,
    job_events.c.type,
    postgresql_where=PLACED,
    sqlite_where=PLACED,
)

#: One row. Whoever gives places holds it locked, so places are given by one at a time.
event_feed = Table(
    "event_feed",
    metadata,
    Column("id", Integer, primary_key=True),
    #: The place that was given last; it never falls.
    Column("last", BigInteger, nullable=False),
)

webhook_endpoints = Table(
    "webhook_endpoints",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("tenant", String(100), nullable=False),
    Column("url", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("events", Document, nullable=False),
    Column("metadata", Document, nullable=False),
    Column("headers", Document, nullable=False),
    Column("concurrency", Integer, nullable=False),
    Column("rate", Float),
    Column("ordered", Boolean, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("disabled_reason", Text, nullable=False),
    Column("disabled_at", Instant),
    Column("secret", String(200), nullable=False),
    Column("old_secrets", Document, nullable=False),
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
    #: Begins with its time of birth, so the order of ids is the order of creation.
    Column("id", String(40), primary_key=True),
    Column("event_id", String(40), nullable=False),
    Column("event_type", String(40), nullable=False),
    #: Null for an event of an endpoint.
    Column("job_id", String(40), ForeignKey("jobs.id", ondelete="CASCADE")),
    Column("tenant", String(100), nullable=False),
    #: Who signs: the API key of a job's own webhook, or the endpoint.
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
    #: An event goes to an endpoint once, whoever sends it there again. Nulls are all different.
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
    #: The head of the answer.
    Column("response", Text, nullable=False),
    Column("next_attempt_at", Instant),
)

durations = Table(
    "durations",
    metadata,
    Column("station", String(100), primary_key=True),
    Column("provider", String(40), primary_key=True),
    Column("operation", String(60), primary_key=True),
    Column("model", String(100), primary_key=True),
    #: `generation.durations.Sketch`, by bucket.
    Column("weights", Document, nullable=False),
    Column("updated_at", Instant, nullable=False),
)

secrets = Table(
    "secrets",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("value", LargeBinary, nullable=False),
)
