"""Rows that cannot be read: written by another version of genq, or damaged on disk.

An unreadable row blocks no other row. All rows are read here: together and, if that fails, one by
one, without the unreadable ones. These are logged, recorded in a table of their own, and left
unchanged, because they are somebody's jobs and may be repaired.
"""

import sqlite3
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import Any, Generic, TypeVar, cast

import structlog
from sqlalchemy import Column, ColumnElement, CursorResult, Select, Table, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from generation.store.schema import unreadable_rows

log = structlog.get_logger(__name__)

Noun = TypeVar("Noun")
#: Makes the objects of these rows; fails if one of them cannot be read.
Make = Callable[[CursorResult[Any]], list[Noun]]

#: A due row that cannot be read is tried again after this time, and recorded again no sooner.
AGAIN = timedelta(minutes=5)
#: The number of rows that are remembered.
MOST_KNOWN = 10_000
#: In a connection's `info`: where its process keeps what it could not read.
UNREADABLE = "genq.unreadable"

#: What documents of another shape, unknown words and times out of range raise.
OF_CONTENT = (ValueError, TypeError, LookupError, ArithmeticError, AttributeError)


class UnreadableRow(Exception):
    """A row exists and cannot be read. The message says which one."""

    def __init__(self, table: str, row_id: str) -> None:
        super().__init__(f"row {row_id} of {table} cannot be read")
        self.table = table
        self.row_id = row_id


@dataclass(frozen=True, slots=True)
class ReadResult(Generic[Noun]):
    """The rows that a query found."""

    found: list[Noun]
    #: The ids of those that cannot be read.
    unreadable: Sequence[str] = ()


class UnreadableTracker:
    """The rows that one process could not read, and those of them to be recorded."""

    def __init__(self) -> None:
        self.fresh: list[dict[str, str]] = []
        self._noted_at: dict[tuple[str, str], float] = {}

    def meet(self, table: str, row_id: str, error: Exception) -> None:
        name, now = (table, row_id), monotonic()
        known = self._noted_at.get(name)
        if known is not None and now - known < AGAIN.total_seconds():
            return
        cause = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"[:500]
        if known is None:
            log.error("row_unreadable", table=table, row_id=row_id, error=cause)
        if len(self._noted_at) >= MOST_KNOWN:
            self._noted_at.clear()
        self._noted_at[name] = now
        self.fresh.append({"table_name": table, "row_id": row_id, "cause": cause})

    def take(self) -> list[dict[str, str]]:
        """Return the rows to be recorded now."""
        taken, self.fresh = self.fresh, []
        return taken


async def read(
    connection: AsyncConnection,
    query: Select[*tuple[Any, ...]],
    named: Column[str],
    make: Make[Noun],
    parameters: Mapping[str, Any] | None = None,
) -> ReadResult[Noun]:
    """Return the objects of a query's rows, and the ids of the unreadable ones.

    Ids are in the column `named`. A query with locks locks the same rows.
    """
    try:
        return ReadResult(make(await connection.execute(query, parameters)))
    except Exception as error:
        if not is_of_content(error):
            raise
    found: list[Noun] = []
    unreadable: list[str] = []
    ids = (await connection.execute(query.with_only_columns(named), parameters)).scalars().all()
    for row_id in ids:
        try:
            found += make(await connection.execute(query.where(named == row_id), parameters))
        except Exception as error:
            if not is_of_content(error):
                raise
            unreadable.append(row_id)
            known = cast(UnreadableTracker, connection.info[UNREADABLE])
            known.meet(named.table.name, row_id, error)
    return ReadResult(found, unreadable)


async def read_one(
    connection: AsyncConnection,
    query: Select[*tuple[Any, ...]],
    named: Column[str],
    make: Make[Noun],
) -> Noun | None:
    """Return the object of the row that the query finds. Raises `UnreadableRow`."""
    return one_of(named, await read(connection, query, named, make))


def one_of(named: Column[str], result: ReadResult[Noun]) -> Noun | None:
    """Return the object, if any. Raises `UnreadableRow`."""
    if result.unreadable:
        raise UnreadableRow(named.table.name, result.unreadable[0])
    return result.found[0] if result.found else None


async def first_readable(
    limit: int, ask: Callable[[int], Awaitable[tuple[list[Noun], int]]]
) -> list[Noun]:
    """Return the first `limit` readable rows of what `ask` finds.

    `ask` gets a number of rows and says how many of them it left out. A page that is shorter than
    its limit is the last one, so unreadable rows must not shorten it.
    """
    extra = 0
    while True:
        found, left_out = await ask(limit + extra)
        if left_out <= extra:
            return found[:limit]
        extra = left_out


async def postpone(
    connection: AsyncConnection, table: Table, row_ids: Sequence[str], now: datetime
) -> None:
    """Postpone these rows, and take them from no wait queue before then. Changes nothing else."""
    if row_ids:
        column = cast(Column[str], table.c.id)
        away: dict[str, Any] = {"wake_at": now + AGAIN}
        away |= {"line": None} if "line" in table.c else {}
        away |= {"aside": False} if "aside" in table.c else {}
        await connection.execute(update(table).where(column.in_(row_ids)).values(away))


def not_recorded(table: Table) -> ColumnElement[bool]:
    """Return a condition: the row is not recorded as unreadable."""
    noted = select(unreadable_rows.c.row_id).where(unreadable_rows.c.table_name == table.name)
    return cast(Column[str], table.c.id).not_in(noted)


def is_of_content(error: Exception) -> bool:
    """Return whether a row's content is the cause, and not its database or connection."""
    if isinstance(error, DBAPIError):
        cause = error.orig
        damaged = getattr(cause, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_CORRUPT
        return damaged or "Could not decode to UTF-8" in str(cause)
    return isinstance(error, OF_CONTENT)
