"""Writes moved jobs: of each only the columns that its move has changed.

A job has about forty columns that a save may write, and a move changes eight. Preparing the others
would be most of a save's cost.
"""

from collections import defaultdict
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from sqlalchemy import Update, bindparam, update
from sqlalchemy.ext.asyncio import AsyncConnection

from generation.job import Job
from generation.store.jobs.rows import changed_row
from generation.store.schema import jobs


async def save(connection: AsyncConnection, moves: Iterable[tuple[Job, Job]]) -> None:
    """Write these locked jobs after their moves, given before and after."""
    alike: defaultdict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    for before, after in moves:
        changed = changed_row(before, after)
        alike[tuple(changed)].append({"_id": after.id, **changed})
    for names, rows in alike.items():
        await connection.execute(_update(names), rows)


@lru_cache(maxsize=256)
def _update(names: tuple[str, ...]) -> Update:
    """Cached for each set of changed columns."""
    return (
        update(jobs)
        .where(jobs.c.id == bindparam("_id"))
        .values({name: bindparam(name) for name in names})
    )
