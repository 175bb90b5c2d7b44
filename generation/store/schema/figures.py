"""Counters, learned durations, and rows that cannot be read."""

from sqlalchemy import BigInteger, Column, Integer, String, Table, Text

from generation.store.schema.columns import InsertDocument, Instant, metadata

#: Counters that change in the transaction of what they count. Each is spread over rows that are
#: added up, so that writers seldom wait for one another.
tallies = Table(
    "tallies",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("shard", Integer, primary_key=True, autoincrement=False),
    Column("count", BigInteger, nullable=False),
)

durations = Table(
    "durations",
    metadata,
    Column("station", String(100), primary_key=True),
    Column("provider", String(40), primary_key=True),
    Column("operation", String(60), primary_key=True),
    Column("model", String(100), primary_key=True),
    #: The histogram's weights, by bucket.
    Column("weights", InsertDocument, nullable=False),
    Column("updated_at", Instant, nullable=False),
)

#: Rows of other tables that some process could not read, and why. They are unchanged.
unreadable_rows = Table(
    "unreadable_rows",
    metadata,
    Column("table_name", String(40), primary_key=True),
    Column("row_id", String(100), primary_key=True),
    Column("cause", Text, nullable=False),
    Column("seen_at", Instant, nullable=False),
)
