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


def is_away(error: Exception) -> bool:
    """Whether the same request may succeed once the database is back."""
    if isinstance(error, DBAPIError):
        return not isinstance(error, OUR_FAULT)
    return isinstance(error, (TimeoutError, OSError))
