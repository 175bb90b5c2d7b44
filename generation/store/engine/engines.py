"""The engines of each kind of database, and which connections are no longer used."""

from pathlib import Path
from time import monotonic
from typing import Any, cast

from pydantic_core import from_json, to_json
from sqlalchemy import Connection, event
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import ExceptionContext
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, ConnectionPoolEntry

from generation.store.engine.db_errors import takes_no_writes
from generation.store.engine.sqlite_driver import driver

#: How long another process may hold SQLite's write lock before a writer gives up.
SQLITE_BUSY_SECONDS = 30
#: A connection is replaced after this time …
RECYCLE_SECONDS = 1800
#: … and checked before use if it was idle for this time.
RESTED_SECONDS = 1.0
#: In a connection's `info`: when it was used last.
USED_AT = "genq.used_at"
#: asyncpg's message for a connection whose server spoke out of turn before it closed.
OUT_OF_STEP = "cannot switch to state"
#: Options for statements without a transaction around them, by database.
NO_BEGIN = "genq_no_begin"


def compact_json(value: Any) -> str:
    return to_json(value).decode()


def postgresql_engine(url: URL, pool_size: int) -> AsyncEngine:
    engine = create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        pool_recycle=RECYCLE_SECONDS,
        hide_parameters=True,  # what failed is logged, and orders and secrets are among them
        json_serializer=compact_json,
        json_deserializer=from_json,
        connect_args={"timeout": 10, "command_timeout": 60, "server_settings": {"jit": "off"}},
    )

    def leave(connection: Any, record: ConnectionPoolEntry) -> None:
        del connection
        record.info[USED_AT] = monotonic()

    def check(connection: Any, record: ConnectionPoolEntry, proxy: Any) -> None:
        """Check a connection before it is used.

        A connection that the server closed is recognized by that. Finding out whether a server has
        gone silently takes three round trips, half of what a small transaction takes, so it is done
        only for idle connections.
        """
        del proxy
        if connection.driver_connection.is_closed():
            raise InvalidatePoolError
        if monotonic() - record.info.get(USED_AT, 0.0) < RESTED_SECONDS:
            return
        try:
            connection.ping()
        except Exception as error:
            raise InvalidatePoolError from error

    event.listen(engine.sync_engine, "checkin", leave)
    event.listen(engine.sync_engine, "checkout", check)
    event.listen(engine.sync_engine, "handle_error", leave_if_useless)
    return engine


def leave_if_useless(context: ExceptionContext) -> None:
    """Drop a connection that cannot be used any more.

    A read-only connection never becomes writable, although its database may: the server is a
    replica, or the file was not writable when it was opened. A connection that the server just
    closed is useless, too. New connections replace them.
    """
    cause = context.original_exception
    if takes_no_writes(cause) or OUT_OF_STEP in str(cause):
        context.is_disconnect = True


def sqlite_engine(url: URL, *, pool_size: int, begin: str) -> AsyncEngine:
    if url.database and url.database != ":memory:":
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_async_engine(
        url,
        poolclass=AsyncAdaptedQueuePool,
        pool_size=pool_size,
        max_overflow=0,
        hide_parameters=True,  # what failed is logged, and orders and secrets are among them
        json_serializer=compact_json,
        json_deserializer=from_json,
        connect_args={"timeout": SQLITE_BUSY_SECONDS},
        module=driver(),
    )

    def configure(connection: Any, record: Any) -> None:
        del record
        # The driver would begin transactions by itself, too late; `begin` below does it in time.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    def begin_transaction(connection: Connection) -> None:
        """Begin the transaction with its first statement."""
        if not connection.get_execution_options().get(NO_BEGIN):
            cast(Any, connection.connection.dbapi_connection).begin = begin

    event.listen(engine.sync_engine, "connect", configure)
    event.listen(engine.sync_engine, "begin", begin_transaction)
    event.listen(engine.sync_engine, "handle_error", leave_if_useless)
    return engine
