"""
Connections and transactions: SQLite for one machine, PostgreSQL for production, one code for both.

A committed transaction is on disk: SQLite runs in WAL mode with synchronous=FULL, PostgreSQL with
synchronous_commit on. On SQLite all writing of a process goes through one connection, whose
transactions begin IMMEDIATE: writers wait for each other in line and never fail half-way.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any, cast

import structlog
from pydantic_core import from_json, to_json
from sqlalchemy import Connection, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import InvalidatePoolError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, ConnectionPoolEntry

from generation.store.inserts import insert_once
from generation.store.schema import unreadable_rows
from generation.store.sqlite_driver import driver
from generation.store.unreadable import UNREADABLE, Unreadable

log = structlog.get_logger(__name__)

#: Another process may hold SQLite's write lock for this long before a writer gives up.
SQLITE_BUSY_SECONDS = 30
#: A connection is replaced after this time …
RECYCLE_SECONDS = 1800
#: … and asked whether it is still there where it has not been used for this time.
RESTED_SECONDS = 1.0
USED_AT = "genq.used_at"
#: Without a transaction around the statements, in each store's words.
NO_BEGIN = "genq_no_begin"
OUTRIGHT: Mapping[bool, Mapping[str, Any]] = {
    True: {NO_BEGIN: True},
    False: {"isolation_level": "AUTOCOMMIT"},
}


class UnusableDatabase(ValueError):
    """The database URL cannot work; the message says what to change."""


def checked_url(url: str) -> URL:
    """The URL, if it names a database we run on. Raises `UnusableDatabase`."""
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
    """One process's connections to one database. Lives on one event loop."""

    def __init__(self, url: str, *, pool_size: int = 8) -> None:
        self.url = checked_url(url)
        self.is_sqlite = self.url.drivername.startswith("sqlite")
        if self.is_sqlite:
            self._reader = sqlite_engine(self.url, pool_size=4, begin="BEGIN")
            self._writer = sqlite_engine(self.url, pool_size=1, begin="BEGIN IMMEDIATE")
        else:
            self._reader = self._writer = postgresql_engine(self.url, pool_size)
        self._outright = self._writer.execution_options(**OUTRIGHT[self.is_sqlite])
        self._unreadable = Unreadable()
        for engine in {self._reader, self._writer}:
            event.listen(engine.sync_engine, "connect", self._let_know)

    @asynccontextmanager
    async def reading(self) -> AsyncGenerator[AsyncConnection]:
        """A transaction that only reads."""
        try:
            async with self._reader.begin() as connection:
                yield connection
        finally:
            if self._unreadable.fresh:
                await self._note_unreadable()

    @asynccontextmanager
    async def writing(self) -> AsyncGenerator[AsyncConnection]:
        """A transaction that is on disk once the block has ended without an error."""
        try:
            async with self._writer.begin() as connection:
                yield connection
        finally:
            if self._unreadable.fresh:
                await self._note_unreadable()

    def _let_know(self, connection: Any, record: ConnectionPoolEntry) -> None:
        del connection
        record.info[UNREADABLE] = self._unreadable

    async def _note_unreadable(self) -> None:
        """Write down which rows could not be read. Never fails: they are met again."""
        rows = [{**row, "seen_at": datetime.now(UTC)} for row in self._unreadable.take()]
        try:
            async with self._writer.begin() as connection:
                await connection.execute(insert_once(connection, unreadable_rows), rows)
        except (SQLAlchemyError, OSError) as error:
            log.warning("unreadable_not_noted", error=f"{type(error).__name__}: {error}")

    @asynccontextmanager
    async def outright(self) -> AsyncGenerator[AsyncConnection]:
        """
        Each statement is a transaction of its own: on disk once it has been executed, by one trip.
        """
        async with self._outright.connect() as connection:
            yield connection

    def on_writing(self, statements: Sequence[str]) -> None:
        """Have every connection that writes to SQLite begin with these."""

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


def compact_json(value: Any) -> str:
    return to_json(value).decode()


def postgresql_engine(url: URL, pool_size: int) -> AsyncEngine:
    engine = create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        pool_recycle=RECYCLE_SECONDS,
        json_serializer=compact_json,
        json_deserializer=from_json,
        connect_args={"timeout": 10, "command_timeout": 60, "server_settings": {"jit": "off"}},
    )

    def leave(connection: Any, record: ConnectionPoolEntry) -> None:
        del connection
        record.info[USED_AT] = monotonic()

    def check(connection: Any, record: ConnectionPoolEntry, proxy: Any) -> None:
        """
        Three trips to the server, half of what a small transaction takes: not for one that was in
        use a moment ago. Should it have gone since, whoever uses it learns that, and with the first
        such failure the pool lets go of all its connections.
        """
        del proxy
        if monotonic() - record.info.get(USED_AT, 0.0) < RESTED_SECONDS:
            return
        try:
            connection.ping()
        except Exception as error:
            raise InvalidatePoolError from error

    event.listen(engine.sync_engine, "checkin", leave)
    event.listen(engine.sync_engine, "checkout", check)
    return engine


def sqlite_engine(url: URL, *, pool_size: int, begin: str) -> AsyncEngine:
    if url.database and url.database != ":memory:":
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_async_engine(
        url,
        poolclass=AsyncAdaptedQueuePool,
        pool_size=pool_size,
        max_overflow=0,
        json_serializer=compact_json,
        json_deserializer=from_json,
        connect_args={"timeout": SQLITE_BUSY_SECONDS},
        module=driver(),
    )

    def configure(connection: Any, record: Any) -> None:
        del record
        # The driver would begin transactions by itself, and late; `begin` below does it in time.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    def begin_transaction(connection: Connection) -> None:
        """With the first statement: what nobody asks anything in needs none."""
        if not connection.get_execution_options().get(NO_BEGIN):
            cast(Any, connection.connection.dbapi_connection).begin = begin

    event.listen(engine.sync_engine, "connect", configure)
    event.listen(engine.sync_engine, "begin", begin_transaction)
    return engine
