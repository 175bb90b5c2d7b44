"""
How long tasks took, by what was bought where: one small row for each, added to in batches.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, astuple, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, delete, select, tuple_, update

from generation.durations import Ending, Sketch, sketch_of
from generation.store.database import Database
from generation.store.inserts import insert_once
from generation.store.schema import durations

#: What has not been bought for this long is forgotten.
FORGET_AFTER = timedelta(days=90)


@dataclass(frozen=True, slots=True, order=True)
class Kind:
    """Tasks that take about as long as each other: one model of one operation at one station."""

    station: str
    provider: str
    operation: str
    model: str


KEY = (durations.c.station, durations.c.provider, durations.c.operation, durations.c.model)


class DurationStore:
    """All access to what was seen of durations."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> dict[Kind, Sketch]:
        """Everything that is known."""
        async with self._database.reading() as connection:
            rows = await connection.execute(select(durations))
            return {kind_of(row): sketch_of(row.weights) for row in rows}

    async def add(self, seen: Mapping[Kind, Sequence[Ending]], now: datetime) -> None:
        """
        Add these endings. Processes that add at once wait for each other, and nothing is lost.
        """
        kinds = sorted(seen)
        born: list[dict[str, Any]] = [
            {**asdict(kind), "weights": {}, "updated_at": now} for kind in kinds
        ]
        named = tuple_(*KEY).in_([astuple(kind) for kind in kinds])
        query = select(durations).where(named).order_by(*KEY).with_for_update()
        async with self._database.writing() as connection:
            await connection.execute(insert_once(connection, durations), born)
            for row in (await connection.execute(query)).all():
                kind = kind_of(row)
                sketch = sketch_of(row.weights).with_endings(seen[kind])
                same = tuple_(*KEY).in_([astuple(kind)])
                changed = {"weights": sketch.document(), "updated_at": now}
                await connection.execute(update(durations).where(same).values(changed))
            old = durations.c.updated_at < now - FORGET_AFTER
            await connection.execute(delete(durations).where(old))


def kind_of(row: Row[Any]) -> Kind:
    return Kind(row.station, row.provider, row.operation, row.model)
