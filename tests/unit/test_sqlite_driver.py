"""SQLite's transactions, as they begin, end and break through the short way to its thread."""

from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from generation.store import Database


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(f"sqlite+aiosqlite:///{tmp_path}/a.db")


async def names(database: Database) -> list[str]:
    async with database.reading() as connection:
        found = await connection.execute(text("SELECT name FROM things ORDER BY name"))
        return list(found.scalars())


async def test_a_transaction_is_kept_whole_or_not_at_all(database: Database) -> None:
    adding = text("INSERT INTO things VALUES (:name)")
    async with database.writing() as connection:
        await connection.execute(text("CREATE TABLE things (name TEXT PRIMARY KEY)"))
        await connection.execute(adding, [{"name": "one"}, {"name": "two"}])
    with pytest.raises(IntegrityError):
        async with database.writing() as connection:
            await connection.execute(adding, {"name": "three"})
            await connection.execute(adding, {"name": "one"})
    async with database.writing():
        pass  # nothing was asked, so nothing had begun
    async with database.writing() as connection:
        changed = await connection.execute(text("UPDATE things SET name = upper(name)"))
        assert changed.rowcount == 2
        await connection.rollback()
    assert await names(database) == ["one", "two"]
    await database.close()


async def test_others_see_a_transaction_once_it_has_ended(database: Database) -> None:
    async with database.writing() as connection:
        await connection.execute(text("CREATE TABLE things (name TEXT PRIMARY KEY)"))
    async with database.writing() as connection:
        returned = await connection.execute(
            text("INSERT INTO things VALUES ('one'), ('two') RETURNING name")
        )
        assert list(returned.scalars()) == ["one", "two"]
        assert await names(database) == []
    assert await names(database) == ["one", "two"]
    await database.close()
