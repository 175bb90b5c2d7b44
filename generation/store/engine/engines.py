"""
The connections to each kind of database, and which of them are no longer to be used.
"""

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

#: Another process may hold SQLite's write lock for this long before a writer gives up.
SQLITE_BUSY_SECONDS = 30
#: A connection is replaced after this time …
RECYCLE_SECONDS = 1800
#: … and asked whether it is still there where it has not been used for this time.
RESTED_SECONDS = 1.0
#: In a connection's `info`: when it was used last.
USED_AT = "genq.used_at"
#: What asyncpg says of a connection that has heard from its server out of turn, its last words.
OUT_OF_STEP = "cannot switch to state"
#: Without a transaction around the statements, in each store's words.
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
        """
        One that its server has closed is known by that. Whether the server has gone without a word
        takes three trips to ask, half of what a small transaction takes: not for one that was in
        use a moment ago.
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
    """
    A connection that takes no writes never will, though its database may: the server has become a
    replica, or the file could not be written when it was opened. Nor is there any sense in one that
    its server has just closed. The next ones are new.
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
    event.listen(engine.sync_engine, "handle_error", leave_if_useless)
    return engine
