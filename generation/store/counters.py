"""Counters that are kept up to date.

Counting a million rows on each request would cost too much.
"""

from collections.abc import Mapping
from functools import cache
from random import getrandbits
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from generation.store.engine.database import Database
from generation.store.schema import tallies

SHARD_BITS = 4


def some_shard() -> int:
    return getrandbits(SHARD_BITS)


async def add(
    connection: AsyncConnection, counts: Mapping[str, int], shard: int | None = None
) -> None:
    """Add to the counters, in the transaction of what is counted.

    Call this last, because the rows stay locked until the commit. `shard` is the one that this
    transaction has added to before; with two of them, two writers may deadlock.
    """
    shard = some_shard() if shard is None else shard
    rows = [
        {"name": name, "shard": shard, "count": count}
        for name, count in sorted(counts.items())  # in one order, or two writers may deadlock
        if count
    ]
    if not rows:
        return
    await connection.execute(_adding(connection.dialect.name), rows)


@cache
def _adding(dialect: str) -> Any:
    """Cached: building the statement takes longer than executing it."""
    adding = (sqlite if dialect == "sqlite" else postgresql).insert(tallies)
    return adding.on_conflict_do_update(
        index_elements=[tallies.c.name, tallies.c.shard],
        set_={"count": tallies.c.count + adding.excluded.count},
    )


async def add_to_tallies(database: Database, counts: Mapping[str, int]) -> None:
    """Add to counters of things that are not in the store."""
    if any(counts.values()):
        async with database.writing() as connection:
            await add(connection, counts)


async def totals(database: Database) -> dict[str, int]:
    """Return every counter."""
    query = select(tallies.c.name, func.sum(tallies.c.count)).group_by(tallies.c.name)
    async with database.reading() as connection:
        return {name: int(count) for name, count in await connection.execute(query)}
