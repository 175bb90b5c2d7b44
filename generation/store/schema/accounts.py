"""Keys at stations, and the turns of tenants."""

from sqlalchemy import Column, Float, Integer, String, Table, Text

from generation.store.schema.columns import InsertDocument, Instant, metadata

#: What all processes know about one key at one station. A key without a row is unknown.
accounts = Table(
    "accounts",
    metadata,
    Column("station", String(100), primary_key=True),
    Column("key", String(100), primary_key=True),
    #: Refused itself: `auth` or `out_of_credits`, since when and with which message, and when one
    #: job tries again.
    Column("blocked_code", String(20)),
    Column("blocked_since", Instant),
    Column("blocked_words", Text, nullable=False, server_default=""),
    Column("probe_at", Instant),
    Column("probes", Integer, nullable=False, server_default="0"),
    #: The last known balance of the account, and when it is asked for again.
    Column("balance", Float),
    Column("balance_unit", String(20), nullable=False, server_default=""),
    Column("balance_at", Instant),
    #: Rate limited: not before this time; how many times in a row, and when last.
    Column("cool_until", Instant),
    Column("cooled", Integer, nullable=False, server_default="0"),
    Column("cooled_at", Instant),
    #: The latest jobs for which the key was refused, and refusals of single models.
    Column("refusals", InsertDocument),
    #: Submits per minute: when the bucket will be full again.
    Column("full_at", Instant),
    #: Looks with this key are paused until then.
    Column("look_after", Instant),
)

#: When a tenant last got a slot of a key.
turns = Table(
    "turns",
    metadata,
    Column("station", String(100), primary_key=True),
    Column("key", String(100), primary_key=True),
    Column("tenant", String(100), primary_key=True),
    Column("served_at", Instant, nullable=False),
)
