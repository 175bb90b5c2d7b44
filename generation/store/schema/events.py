"""Events, and their order in the feed."""

from sqlalchemy import (
    BigInteger,
    Column,
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

from generation.store.schema.columns import Instant, metadata

job_events = Table(
    "job_events",
    metadata,
    Column("id", String(40), primary_key=True),
    #: None for an event of a webhook endpoint.
    Column("job_id", String(40), ForeignKey("jobs.id", ondelete="CASCADE")),
    Column("tenant", String(100), nullable=False),
    #: 1, 2, 3 … within the job; 0 if there is none.
    Column("sequence", Integer, nullable=False),
    Column("type", String(40), nullable=False),
    Column("state", String(20)),
    #: The cause, as text for people.
    Column("reason", Text, nullable=False),
    #: The station and key to which the job was bound at that time.
    Column("station", String(100)),
    Column("key", String(100)),
    Column("created_at", Instant, nullable=False),
    #: The payload as it is signed and sent. None for events without one, and for a `job.queued`
    #: event that no webhook asked for.
    Column("body", LargeBinary),
    #: The position in the feed: 1, 2, 3 … over all tenants, assigned after the commit, so that
    #: nothing appears before a position that was read. 0 for events in no feed, None until
    #: assigned.
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

#: One row. It is locked to assign positions, so one process at a time does.
event_feed = Table(
    "event_feed",
    metadata,
    Column("id", Integer, primary_key=True),
    #: The last assigned position; it never falls.
    Column("last", BigInteger, nullable=False),
)
