"""
Inserting what may have been inserted before.
"""

from functools import cache
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection


def insert_once(connection: AsyncConnection, table: Table) -> Any:
    """
    An insert that leaves a row of the same id alone: a commit whose answer was lost is repeated.
    """
    return _statement(connection.dialect.name, table)


@cache
def _statement(dialect: str, table: Table) -> Any:
    """Made once: a statement of fifty columns takes longer to make than to execute."""
    insert = sqlite.insert if dialect == "sqlite" else postgresql.insert
    return insert(table).on_conflict_do_nothing()
