"""Connections and transactions of one database.

SQLite is for one machine, PostgreSQL for production. A committed transaction is on disk: SQLite
runs in WAL mode with synchronous=FULL, PostgreSQL with synchronous_commit on. On SQLite all writing
of a process goes through one connection, whose transactions begin IMMEDIATE, so writers wait for
each other and never fail half-way.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog
from asyncpg.exceptions import InterfaceError
from sqlalchemy import event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.pool import ConnectionPoolEntry

from generation.store.engine.engines import NO_BEGIN, postgresql_engine, sqlite_engine
from generation.store.engine.insert_once import insert_once
from generation.store.engine.sqlite_file import DatabaseFile
from generation.store.engine.unreadable_rows import UNREADABLE, UnreadableTracker
from generation.store.schema import unreadable_rows

log = structlog.get_logger(__name__)

#: Options for statements without a transaction around them, by database.
AUTOCOMMIT: Mapping[bool, Mapping[str, Any]] = {
    True: {NO_BEGIN: True},
    False: {"isolation_level": "AUTOCOMMIT"},
}


class UnusableDatabase(ValueError):
    """The database URL cannot work; the message says what to change."""


def checked_url(url: str) -> URL:
    """Return the URL if it names a supported database. Raises `UnusableDatabase`."""
    try:
        parsed = make_url(url)
    except Exception as error:
        raise UnusableDatabase(
            "GENQ_DATABASE_URL is not a database URL; write"
            " postgresql+asyncpg://user:password@host/name or sqlite+aiosqlite:///path/genq.db"
        ) from error
    if parsed.drivername in {"postgresql", "postgres"}:
        parsed = parsed.set(drivername="postgresql+asyncpg")
    if parsed.drivername == "sqlite":
        parsed = parsed.set(drivername="sqlite+aiosqlite")
    if parsed.drivername not in {"postgresql+asyncpg", "sqlite+aiosqlite"}:
        raise UnusableDatabase(
            f"GENQ_DATABASE_URL names {parsed.drivername!r}; use postgresql+asyncpg or"
            " sqlite+aiosqlite"
        )
    return parsed


class Database:
    """One process's connections to one database. Belongs to one event loop."""

    def __init__(self, url: str, *, pool_size: int = 8) -> None:
        self.url = checked_url(url)
        self._file: DatabaseFile | None = None
        self.is_sqlite = self.url.drivername.startswith("sqlite")
        if self.is_sqlite:
            self._reader = sqlite_engine(self.url, pool_size=4, begin="BEGIN")
            self._writer = sqlite_engine(self.url, pool_size=1, begin="BEGIN IMMEDIATE")
            if self.url.database and self.url.database != ":memory:":
                self._file = DatabaseFile(Path(self.url.database))
        else:
            self._reader = self._writer = postgresql_engine(self.url, pool_size)
        self._autocommit = self._writer.execution_options(**AUTOCOMMIT[self.is_sqlite])
        self._unreadable = UnreadableTracker()
        for engine in {self._reader, self._writer}:
            event.listen(engine.sync_engine, "connect", self._let_know)

    def reading(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """Begin a transaction that only reads.

        Like the others it raises `DatabaseReplaced` if SQLite's file was replaced.
        """
        return self._begun(self._reader.begin())

    def writing(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """Begin a transaction that is on disk once the block has ended without an error."""
        return self._begun(self._writer.begin())

    def autocommit(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """Open a connection on which each statement is a transaction.

        A statement is on disk once it was executed, in one round trip.
        """
        return self._begun(self._autocommit.connect())

    @asynccontextmanager
    async def _begun(
        self, beginning: AbstractAsyncContextManager[AsyncConnection]
    ) -> AsyncGenerator[AsyncConnection]:
        if self._file is not None:
            self._file.check()
        try:
            async with beginning as connection:
                yield connection
        except InterfaceError as error:
            # The driver raises this for a new connection that its server closes while it is made.
            raise ConnectionResetError(f"PostgreSQL: {error}") from error
        finally:
            if self._unreadable.fresh:
                await self._note_unreadable()

    def _let_know(self, connection: Any, record: ConnectionPoolEntry) -> None:
        del connection
        record.info[UNREADABLE] = self._unreadable

    async def _note_unreadable(self) -> None:
        """Record which rows could not be read. Never fails: they will be met again."""
        rows = [{**row, "seen_at": datetime.now(UTC)} for row in self._unreadable.take()]
        try:
            async with self._writer.begin() as connection:
                await connection.execute(insert_once(connection, unreadable_rows), rows)
        except (SQLAlchemyError, OSError) as error:
            log.warning("unreadable_row_not_recorded", error=f"{type(error).__name__}: {error}")

    def on_writing(self, statements: Sequence[str]) -> None:
        """Execute these statements first on every connection that writes to SQLite."""

        def execute(connection: Any, record: Any) -> None:
            del record
            cursor = connection.cursor()
            for statement in statements:
                cursor.execute(statement)
            cursor.close()

        event.listen(self._writer.sync_engine, "connect", execute)

    async def close(self) -> None:
        await self._writer.dispose()
        if self._reader is not self._writer:
            await self._reader.dispose()
