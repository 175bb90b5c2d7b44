"""The table of jobs, with the indexes for claims, counts, lists and lookups."""

from datetime import timedelta

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, String, Table, Text, false, text

from generation.store.schema.columns import InsertDocument, Instant, metadata

jobs = Table(
    "jobs",
    metadata,
    #: Begins with a timestamp, so the order of ids is the order of creation.
    Column("id", String(40), primary_key=True),
    Column("tenant", String(100), nullable=False),
    Column("api_key_id", String(40), nullable=False),
    #: The same key if it has limits; its unfinished jobs are counted by this column.
    Column("quota_key", String(40)),
    Column("provider", String(40), nullable=False),
    Column("operation", String(60), nullable=False),
    #: The model that the caller named, or ""; durations are learned for each.
    Column("model", String(100), nullable=False, server_default=""),
    Column("input", InsertDocument, nullable=False),
    Column("metadata", InsertDocument, nullable=False),
    Column("webhook", InsertDocument),
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
    Column("tried", InsertDocument),
    Column("station", String(100)),
    Column("key", String(100)),
    Column("dialect", String(60)),
    Column("bound", Boolean, nullable=False, server_default=false()),
    Column("upstream_id", String(300)),
    Column("upstream_details", InsertDocument, nullable=False),
    Column("named_id", String(300)),
    Column("attempts", Integer, nullable=False),
    Column("purchases", Integer, nullable=False, server_default="0"),
    Column("misses", Integer, nullable=False),
    Column("empty_looks", Integer, nullable=False, server_default="0"),
    Column("progress", Integer),
    Column("billed", String(10), nullable=False),
    Column("cancel_requested_at", Instant),
    Column("resolved_as", String(10)),
    Column("answer", InsertDocument),
    Column("answered_at", Instant),
    Column("last_reply", Text, nullable=False, server_default=""),
    Column("result", InsertDocument),
    Column("error", InsertDocument),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("submitted_at", Instant),
    Column("started_at", Instant),
    Column("finished_at", Instant),
    Column("deadline", Instant, nullable=False),
    Column("erased_at", Instant),
)

#: Jobs that need only a look, and all others; literally as in the indexes, or no database would use
#: them.
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

#: Which job has a task: no two jobs may share one unnoticed, and no tenants.
TASKS = text("upstream_id IS NOT NULL")
Index("ix_jobs_upstream_id", jobs.c.upstream_id, postgresql_where=TASKS, sqlite_where=TASKS)

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
#: A wait queue in the order in which a tenant's jobs leave it.
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

# Lists. A live job changes often and is in few of these indexes; an ended job is in all of them and
# no longer changes (docs/decisions/0011-lists-use-separate-indexes.md).
LIVING = text("finished_at IS NULL")
ENDED = text("finished_at IS NOT NULL")
#: With all columns that lists filter by, so that an empty result needs no lookups of jobs.
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

#: Few jobs changed last when they were older than this; they have an index of their own, for lists
#: of changes since a time. By database.
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
