"""
Which errors mean that the database is away, and which that we are wrong.
"""

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
#: The same by PostgreSQL's classes of error, where its driver has no class of exception for it:
#: data that cannot be stored, a broken constraint, a wrong statement, something unsupported.
OUR_FAULT_CLASSES = frozenset({"22", "23", "42", "0A"})


#: What PostgreSQL says of a server that only reads: a replica, to which a failover led.
READ_ONLY = "25006"
#: What SQLAlchemy says where one new connection after the other was closed at once.
NONE_LASTED = "This connection is closed"
#: What PostgreSQL says once of a statement that was prepared before the tables changed.
OUTDATED_PLAN = "cached statement plan is invalid"


def is_away(error: Exception) -> bool:
    """Whether the same transaction may succeed once the database is back, or has room again."""
    if isinstance(error, DBAPIError):
        sqlstate = sqlstate_of(error.orig)
        if OUTDATED_PLAN in str(error.orig):
            return True
        return not isinstance(error, OUR_FAULT) and sqlstate[:2] not in OUR_FAULT_CLASSES
    if isinstance(error, InvalidRequestError):
        return NONE_LASTED in str(error)
    return isinstance(error, (TimeoutError, OSError))


def is_cut(error: BaseException) -> bool:
    """
    Whether the connection broke, so that a transaction may or may not have been committed, and the
    next one begins on another connection.
    """
    if isinstance(error, DBAPIError):
        return error.connection_invalidated
    return isinstance(error, (ConnectionError, EOFError))


def takes_no_writes(cause: BaseException | None) -> bool:
    """Whether a database, or its file, can be read and not be written."""
    code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
    return code == sqlite3.SQLITE_READONLY or sqlstate_of(cause) == READ_ONLY


def cause_of(error: BaseException) -> BaseException | None:
    """What the driver has raised."""
    return error.orig if isinstance(error, DBAPIError) else error


def sqlstate_of(cause: BaseException | None) -> str:
    return str(getattr(cause, "sqlstate", None) or "")


async def again_if_cut(ask: Callable[[], Awaitable[Answer]]) -> Answer:
    """
    What a question is answered that changes nothing: it may be asked once more where the connection
    broke.
    """
    try:
        return await ask()
    except Exception as error:
        if not is_cut(error):
            raise
        log.info("asked_again", error=type(error).__name__)
    return await ask()
