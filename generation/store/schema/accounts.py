"""
Keys at stations, and whose turn it is at them.
"""

from sqlalchemy import Column, Float, Integer, String, Table, Text

from generation.store.schema.columns import Document, Instant, metadata

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
    #: Called too fast: not before this; how many times in a row, and when last.
    Column("cool_until", Instant),
    Column("cooled", Integer, nullable=False, server_default="0"),
    Column("cooled_at", Instant),
    #: The latest jobs that the key was refused for, and what it is refused for one model only.
    Column("refusals", Document),
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
