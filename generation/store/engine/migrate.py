"""Migrates a database to the current schema, and compares revisions."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from generation.store.engine.database import Database

MIGRATIONS = Path(__file__).parents[1] / "migrations"
#: Two processes that migrate one PostgreSQL at once take turns by this lock.
MIGRATION_LOCK = 7_153_001


@dataclass(frozen=True, slots=True)
class Revisions:
    """The revision a database has, and the one this code needs."""

    found: str | None
    needed: str

    @property
    def match(self) -> bool:
        return self.found == self.needed


def alembic_config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    return config


def migrate(url: str) -> None:
    """Migrate the database to the current schema. Does nothing if it is current."""
    asyncio.run(_migrate(url))


async def _migrate(url: str) -> None:
    database = Database(url)
    try:
        async with database.writing() as connection:
            await connection.run_sync(upgrade)
    finally:
        await database.close()


def upgrade(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
    config = alembic_config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


async def revisions(database: Database) -> Revisions:
    """Return the database's revision. Raises the driver's error if it cannot be reached."""

    def found(connection: Connection) -> str | None:
        return MigrationContext.configure(connection).get_current_revision()

    async with database.reading() as connection:
        current = await connection.run_sync(found)
    needed = ScriptDirectory.from_config(alembic_config()).get_current_head()
    assert needed is not None
    return Revisions(current, needed)
