"""Tells a lost connection from a programming error."""

import sqlite3
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    InvalidRequestError,
    NotSupportedError,
    ProgrammingError,
    TimeoutError,
)

log = structlog.get_logger(__name__)

Answer = TypeVar("Answer")

OUR_FAULT = (DataError, IntegrityError, NotSupportedError, ProgrammingError)
#: The same by PostgreSQL's classes of error, where its driver has no exception class: data that
#: cannot be stored, a broken constraint, a wrong statement, something unsupported.
OUR_FAULT_CLASSES = frozenset({"22", "23", "42", "0A"})


#: PostgreSQL's code for a read-only server: a replica, after a failover.
READ_ONLY = "25006"
#: SQLAlchemy's message when every new connection was closed at once.
NONE_LASTED = "This connection is closed"
#: PostgreSQL's message, once, for a statement that was prepared before the tables changed.
OUTDATED_PLAN = "cached statement plan is invalid"


def is_unavailable(error: Exception) -> bool:
    """Return whether the transaction may succeed once the database is back or has space."""
    if isinstance(error, DBAPIError):
        sqlstate = sqlstate_of(error.orig)
        if OUTDATED_PLAN in str(error.orig):
            return True
        return not isinstance(error, OUR_FAULT) and sqlstate[:2] not in OUR_FAULT_CLASSES
    if isinstance(error, InvalidRequestError):
        return NONE_LASTED in str(error)
    return isinstance(error, (TimeoutError, OSError))


def is_disconnected(error: BaseException) -> bool:
    """Return whether the connection broke.

    The transaction may or may not have been committed; the next one uses another connection.
    """
    if isinstance(error, DBAPIError):
        return error.connection_invalidated
    return isinstance(error, (ConnectionError, EOFError))


def takes_no_writes(cause: BaseException | None) -> bool:
    """Return whether a database, or its file, is read-only."""
    code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
    return code == sqlite3.SQLITE_READONLY or sqlstate_of(cause) == READ_ONLY


def cause_of(error: BaseException) -> BaseException | None:
    """Return the driver's own exception."""
    return error.orig if isinstance(error, DBAPIError) else error


def sqlstate_of(cause: BaseException | None) -> str:
    return str(getattr(cause, "sqlstate", None) or "")


async def retry_if_disconnected(ask: Callable[[], Awaitable[Answer]]) -> Answer:
    """Ask a question that changes nothing, and repeat it once if the connection broke."""
    try:
        return await ask()
    except Exception as error:
        if not is_disconnected(error):
            raise
        log.info("read_repeated", error=type(error).__name__)
    return await ask()
