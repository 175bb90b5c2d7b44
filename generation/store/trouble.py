"""
Which errors mean that the database is away, and which that we are wrong.
"""

from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    NotSupportedError,
    ProgrammingError,
    TimeoutError,
)

OUR_FAULT = (DataError, IntegrityError, NotSupportedError, ProgrammingError)
#: The same by PostgreSQL's classes of error, where its driver has no class of exception for it:
#: data that cannot be stored, a broken constraint, a wrong statement, something unsupported.
OUR_FAULT_CLASSES = frozenset({"22", "23", "42", "0A"})


def is_away(error: Exception) -> bool:
    """Whether the same transaction may succeed once the database is back, or has room again."""
    if isinstance(error, DBAPIError):
        sqlstate = str(getattr(error.orig, "sqlstate", None) or "")
        return not isinstance(error, OUR_FAULT) and sqlstate[:2] not in OUR_FAULT_CLASSES
    return isinstance(error, (TimeoutError, OSError))


def is_cut(error: BaseException) -> bool:
    """
    Whether the connection broke, so that a transaction may or may not have been committed, and the
    next one begins on another connection.
    """
    if isinstance(error, DBAPIError):
        return error.connection_invalidated
    return isinstance(error, (ConnectionError, EOFError))
