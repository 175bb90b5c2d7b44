"""The store, opened for one command; a database that is away or not ours ends in one sentence."""
# ruff: noqa: PLC0415  (the database's libraries are loaded by the commands that need them)

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ops.cli.exit_codes import Stop

if TYPE_CHECKING:
    from generation.settings import Settings
    from generation.store import Store
    from generation.store.engine.migrate import Revisions

Answer = TypeVar("Answer")

SQLITE_HEADER = b"SQLite format 3\0"
#: PostgreSQL's codes for a server that is starting, stopping, or full for the moment.
PASSING = frozenset({"57P01", "57P02", "57P03", "53300"})
#: Errors of the file system, which do not pass by themselves.
LASTING = (FileNotFoundError, NotADirectoryError, PermissionError)


class NoDatabase(Stop):
    """There is no database to work on. `passing` where it may come up by itself."""

    def __init__(self, message: str, *, passing: bool = False) -> None:
        super().__init__(message)
        self.passing = passing


def with_store(settings: "Settings", work: Callable[["Store"], Awaitable[Answer]]) -> Answer:
    """What `work` returns. Raises `NoDatabase` where there is no migrated database."""

    async def checked(store: "Store") -> Answer:
        from generation.store import revisions

        require(await revisions(store.database))
        return await work(store)

    file = sqlite_file(settings)
    check_file(file)
    if file is not None and not file.exists():
        raise NoDatabase(f"there is no database at {file} yet: run genq migrate")
    return asyncio.run(opened(settings, checked))


async def opened(settings: "Settings", work: Callable[["Store"], Awaitable[Answer]]) -> Answer:
    from sqlalchemy.exc import SQLAlchemyError

    from generation.store import Store

    store = None
    try:
        store = Store(settings.store_url, pool_size=1)
        return await work(store)
    except (SQLAlchemyError, OSError) as error:
        raise away(error) from None
    finally:
        if store is not None:
            await store.close()


def sqlite_file(settings: "Settings") -> Path | None:
    """The database's file; None for a server. Raises `NoDatabase` for a URL that is none."""
    from generation.store import UnusableDatabase
    from generation.store.engine.database import checked_url

    try:
        url = checked_url(settings.store_url)
    except UnusableDatabase as error:
        raise NoDatabase(str(error)) from None
    if not url.drivername.startswith("sqlite"):
        return None
    if url.database in {None, "", ":memory:"}:
        raise NoDatabase("GENQ_DATABASE_URL names no file: write sqlite+aiosqlite:///path/genq.db")
    return Path(str(url.database))


def check_file(file: Path | None) -> None:
    """Raises `NoDatabase` for a file that exists and is no SQLite database."""
    if file is None or not file.exists():
        return
    try:
        with file.open("rb") as content:
            header = content.read(len(SQLITE_HEADER))
    except OSError as error:
        raise NoDatabase(f"the database {file} cannot be read: {error.strerror}") from None
    if header and header != SQLITE_HEADER:
        raise NoDatabase(f"{file} is not an SQLite database: set GENQ_DATABASE_URL to another file")


def require(found: "Revisions") -> None:
    """Raises `NoDatabase` where the schema is not the one this version of genq works with."""
    if found.found is None:
        raise NoDatabase("the database has no tables of genq's yet: run genq migrate")
    if not found.match:
        raise NoDatabase(
            f"the database is at revision {found.found} and this genq needs {found.needed}: run "
            "genq migrate, or install the genq that migrated it"
        )


def away(error: Exception) -> NoDatabase:
    """What a driver's error means to an operator."""
    origin = getattr(error, "orig", None) or error
    first_line = (str(origin).strip() or type(origin).__name__).splitlines()[0]
    away = isinstance(error, OSError) and not isinstance(error, LASTING)
    passing = away or getattr(origin, "sqlstate", None) in PASSING
    return NoDatabase(
        f"the database cannot be used: {first_line}; see GENQ_DATABASE_URL", passing=passing
    )
