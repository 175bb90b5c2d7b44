"""The log of rows that could not be read, for operators."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Column, CursorResult, Table, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from generation.store.access.api_keys import key_of
from generation.store.engine.any_of import rows_among, rows_for
from generation.store.engine.database import Database
from generation.store.engine.unreadable_rows import Make, is_of_content
from generation.store.events import all_rows
from generation.store.jobs.rows import read_jobs
from generation.store.schema import (
    api_keys,
    deliveries,
    job_events,
    jobs,
    unreadable_rows,
    webhook_endpoints,
)
from generation.store.webhooks.delivery_rows import read_deliveries
from generation.store.webhooks.endpoint_rows import old_secrets_of, read_endpoints


def read_key_owners(found: CursorResult[Any]) -> list[Any]:
    """Read keys, including the secrets that senders need."""
    return [(key_of(row), old_secrets_of(row.old_webhook_secrets)) for row in found]


#: How each kind of row is read.
READERS: Mapping[str, tuple[Table, Make[Any]]] = {
    table.name: (table, make)
    for table, make in (
        (jobs, read_jobs),
        (job_events, all_rows),
        (deliveries, read_deliveries),
        (webhook_endpoints, read_endpoints),
        (api_keys, read_key_owners),
    )
}


#: The tables whose rows may be found unreadable.
TABLES = tuple(READERS)


@dataclass(frozen=True, slots=True)
class UnreadableRecord:
    """A row that cannot be read."""

    table: str
    row_id: str
    #: The error of reading it, on one line.
    cause: str
    #: When it was last tried.
    seen_at: datetime


class UnreadableRecords:
    """The recorded unreadable rows."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def counts(self) -> dict[str, int]:
        """Return how many there are of each table with any."""
        table = unreadable_rows.c.table_name
        query = select(table, func.count()).group_by(table).order_by(table)
        async with self._database.reading() as connection:
            return {name: count for name, count in await connection.execute(query)}

    async def all(self, limit: int) -> list[UnreadableRecord]:
        """Return this many of them, those first that were not tried for longest."""
        columns = unreadable_rows.c
        query = select(columns.table_name, columns.row_id, columns.cause, columns.seen_at)
        query = query.order_by(columns.seen_at, columns.row_id).limit(limit)
        async with self._database.reading() as connection:
            return [UnreadableRecord(*row) for row in await connection.execute(query)]

    async def read_again(self, limit: int, now: datetime) -> int:
        """Try this many of them again, and forget those that can be read or are gone.

        Returns how many.
        """
        well: list[tuple[str, str]] = []
        noted = await self.all(limit)
        if not noted:
            return 0
        async with self._database.reading() as connection:
            for each in noted:
                if each.table in READERS and await is_well(connection, each):
                    well.append((each.table, each.row_id))
        name = (unreadable_rows.c.table_name, unreadable_rows.c.row_id)
        tried = [(each.table, each.row_id) for each in noted]
        async with self._database.writing() as connection:
            dialect = connection.dialect.name
            these = rows_among(dialect, name, "rows")
            if well:
                gone = delete(unreadable_rows).where(these)
                await connection.execute(gone, rows_for(dialect, "rows", well))
            seen = update(unreadable_rows).where(these).values(seen_at=now)
            await connection.execute(seen, rows_for(dialect, "rows", tried))
        return len(well)


async def is_well(connection: AsyncConnection, each: UnreadableRecord) -> bool:
    """Return whether the row can be read, or is gone."""
    table, make = READERS[each.table]
    column = cast(Column[str], table.c.id)
    try:
        make(await connection.execute(select(table).where(column == each.row_id)))
    except Exception as error:
        if not is_of_content(error):
            raise
        return False
    return True
