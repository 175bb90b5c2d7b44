"""The tables that migrations make are those the code speaks of."""

from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection

from generation.store.engine.database import Database
from generation.store.schema import metadata


async def test_migrations_bring_a_database_to_the_schema(store_url: str) -> None:
    def differences(connection: Connection) -> Any:
        return compare_metadata(MigrationContext.configure(connection), metadata)

    database = Database(store_url)
    try:
        async with database.reading() as connection:
            assert await connection.run_sync(differences) == []
    finally:
        await database.close()
