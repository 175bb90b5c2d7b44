"""Inserts that may be repeated."""

from functools import cache
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection


def insert_once(connection: AsyncConnection, table: Table) -> Any:
    """Insert a row unless its id exists, because a commit whose answer was lost is repeated."""
    return _statement(connection.dialect.name, table)


@cache
def _statement(dialect: str, table: Table) -> Any:
    """Cached: building a statement of fifty columns takes longer than executing it."""
    insert = sqlite.insert if dialect == "sqlite" else postgresql.insert
    return insert(table).on_conflict_do_nothing()
