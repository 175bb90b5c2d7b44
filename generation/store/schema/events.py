"""
What has happened, and in which order.
"""

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
