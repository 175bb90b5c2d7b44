"""Measured task durations, one small row per kind of task, added to in batches."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, astuple, dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import ColumnElement, CursorResult, Row, Select, and_, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from generation.polling.duration_histogram import (
    EMPTY_HISTOGRAM,
    DurationHistogram,
    ObservedDuration,
    histogram_of,
)
from generation.store.engine.any_of import rows_among, rows_for
from generation.store.engine.database import Database
from generation.store.engine.insert_once import insert_once
from generation.store.engine.unreadable_rows import OF_CONTENT
from generation.store.schema import durations

log = structlog.get_logger(__name__)

#: Kinds of tasks that were not bought for this long are forgotten.
FORGET_AFTER = timedelta(days=90)


@dataclass(frozen=True, slots=True, order=True)
class Kind:
    """Tasks with similar durations: one model of one operation at one station."""

    station: str
    provider: str
    operation: str
    model: str


KEY = (durations.c.station, durations.c.provider, durations.c.operation, durations.c.model)


class DurationStore:
    """Statements about measured durations."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> dict[Kind, DurationHistogram]:
        """Return everything that is known."""
        async with self._database.reading() as connection:
            return await read_histograms(connection, select(durations))

    async def add(self, seen: Mapping[Kind, Sequence[ObservedDuration]], now: datetime) -> None:
        """Add these durations.

        Processes that add at once wait for each other, and nothing is lost.
        """
        kinds = sorted(seen)
        new_rows: list[dict[str, Any]] = [
            {**asdict(kind), "weights": {}, "updated_at": now} for kind in kinds
        ]
        async with self._database.writing() as connection:
            dialect = connection.dialect.name
            named = rows_among(dialect, KEY, "kinds")
            query = select(durations).where(named).order_by(*KEY).with_for_update()
            names = rows_for(dialect, "kinds", [astuple(kind) for kind in kinds])
            await connection.execute(insert_once(connection, durations), new_rows)
            known = await read_histograms(connection, query, names)
            for kind in kinds:
                sketch = known.get(kind, EMPTY_HISTOGRAM).with_durations(seen[kind])
                changed = {"weights": sketch.document(), "updated_at": now}
                await connection.execute(
                    update(durations).where(is_of(astuple(kind))).values(changed)
                )
            old = durations.c.updated_at < now - FORGET_AFTER
            await connection.execute(delete(durations).where(old))


async def read_histograms(
    connection: AsyncConnection,
    query: Select[*tuple[Any, ...]],
    parameters: Mapping[str, Any] | None = None,
) -> dict[Kind, DurationHistogram]:
    """Return the histograms of these rows; an unreadable one counts as empty."""
    try:
        return histograms_of(await connection.execute(query, parameters))
    except OF_CONTENT as error:
        log.warning("durations_unreadable", error=f"{type(error).__name__}: {error}")
    found: dict[Kind, DurationHistogram] = {}
    for key in (await connection.execute(query.with_only_columns(*KEY), parameters)).all():
        with suppress(*OF_CONTENT):
            one = query.where(is_of(tuple(key)))
            found |= histograms_of(await connection.execute(one, parameters))
    return found


def is_of(key: Sequence[str]) -> ColumnElement[bool]:
    return and_(*(column == part for column, part in zip(KEY, key, strict=True)))


def histograms_of(found: CursorResult[*tuple[Any, ...]]) -> dict[Kind, DurationHistogram]:
    return {kind_of(row): histogram_of(row.weights) for row in found}


def kind_of(row: Row[Any]) -> Kind:
    return Kind(row.station, row.provider, row.operation, row.model)
