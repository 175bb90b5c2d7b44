"""SQLite by aiosqlite, with one switch to its thread per statement.

SQLAlchemy asks the driver for a cursor, executes, fetches and closes, and each of these is a switch
to the connection's thread and back: about 15 µs of work and one acquisition of the interpreter's
lock. Here a statement is one switch, and the transaction begins with its first statement.
"""

import sqlite3
from collections import deque
from collections.abc import Callable
from typing import Any, cast

import aiosqlite
from sqlalchemy.dialects.sqlite.aiosqlite import (
    AsyncAdapt_aiosqlite_connection,
    AsyncAdapt_aiosqlite_cursor,
    AsyncAdapt_aiosqlite_dbapi,
)

Done = tuple[sqlite3.Cursor, deque[Any]]


class Cursor(AsyncAdapt_aiosqlite_cursor):
    """A cursor that has all its rows once it has executed."""

    __slots__ = ()

    def __init__(self, adapt_connection: "Connection") -> None:
        self._adapt_connection = adapt_connection
        self._connection = adapt_connection.driver_connection
        self._soft_closed_memoized = {}
        self._rows = deque()

    async def _execute_async(self, operation: Any, parameters: Any) -> None:
        await self._hop(execute, operation, parameters or ())

    async def _executemany_async(self, operation: Any, seq_of_parameters: Any) -> None:
        await self._hop(execute_many, operation, seq_of_parameters)

    async def _hop(self, work: Callable[..., Done], operation: str, parameters: Any) -> None:
        connection, driver = cast(Connection, self._adapt_connection), cast(Any, self._connection)
        begin, connection.begin = connection.begin, None
        self._cursor, self._rows = await driver._execute(
            work, driver._conn, begin, operation, parameters
        )

    async def _async_soft_close(self) -> None:
        """The cursor was closed where it was opened."""

    def close(self) -> None:
        self._rows.clear()


class Connection(AsyncAdapt_aiosqlite_connection):
    """A connection that begins a transaction with its first statement."""

    __slots__ = ("begin",)

    _cursor_cls = Cursor

    #: The statement that begins a transaction, if one is to begin.
    begin: str | None

    def __init__(self, dbapi: Any, connection: Any) -> None:
        super().__init__(dbapi, connection)
        self.begin = None

    def commit(self) -> None:
        if self._has_begun():
            super().commit()

    def rollback(self) -> None:
        """Roll back.

        SQLAlchemy also calls this after every commit, when the connection returns to its pool.
        """
        if self._has_begun():
            super().rollback()

    def _has_begun(self) -> bool:
        self.begin = None
        driver: Any = self.driver_connection
        return driver._connection is not None and driver.in_transaction


class Driver(AsyncAdapt_aiosqlite_dbapi):
    """Stands for the driver's module in SQLAlchemy."""

    def connect(self, *arg: Any, **kw: Any) -> Connection:
        return Connection(self, super().connect(*arg, **kw).driver_connection)


def driver() -> Driver:
    return Driver(aiosqlite, sqlite3)


def execute(
    connection: sqlite3.Connection, begin: str | None, operation: str, parameters: Any
) -> Done:
    """Runs on the connection's thread."""
    if begin is not None:
        connection.execute(begin)
    return fetched(connection.execute(operation, parameters))


def execute_many(
    connection: sqlite3.Connection, begin: str | None, operation: str, parameters: Any
) -> Done:
    """Runs on the connection's thread."""
    if begin is not None:
        connection.execute(begin)
    return fetched(connection.executemany(operation, parameters))


def fetched(cursor: sqlite3.Cursor) -> Done:
    rows = deque(cursor.fetchall() if cursor.description else ())
    cursor.close()
    return cursor, rows
