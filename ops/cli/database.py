"""Opens the store for one command and turns database errors into one sentence."""
# ruff: noqa: PLC0415  (the database's libraries are loaded by the commands that need them)

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ops.cli.exit_codes import CliError

if TYPE_CHECKING:
    from generation.settings import Settings
    from generation.store import Store
    from generation.store.engine.migrate import Revisions

Result = TypeVar("Result")

SQLITE_HEADER = b"SQLite format 3\0"
#: SQLSTATEs of a PostgreSQL server that is starting, stopping or out of connections.
TRANSIENT_CODES = frozenset({"57P01", "57P02", "57P03", "53300"})
#: File system errors that need an operator.
PERMANENT_ERRORS = (FileNotFoundError, NotADirectoryError, PermissionError)


class DatabaseUnavailable(CliError):
    """The database cannot be used. `transient`: it may become available by itself."""

    def __init__(self, message: str, *, transient: bool = False) -> None:
        super().__init__(message)
        self.transient = transient


def with_store(settings: "Settings", work: Callable[["Store"], Awaitable[Result]]) -> Result:
    """Return what `work` returns. Raises `DatabaseUnavailable` without a migrated database."""

    async def checked(store: "Store") -> Result:
        from generation.store import revisions

        check_revision(await revisions(store.database))
        return await work(store)

    file = sqlite_file(settings)
    check_file(file)
    if file is not None and not file.exists():
        raise DatabaseUnavailable(f"there is no database at {file} yet: run genq migrate")
    return asyncio.run(run_with_store(settings, checked))


async def run_with_store(
    settings: "Settings", work: Callable[["Store"], Awaitable[Result]]
) -> Result:
    from sqlalchemy.exc import SQLAlchemyError

    from generation.store import Store

    store = None
    try:
        store = Store(settings.store_url, pool_size=1)
        return await work(store)
    except (SQLAlchemyError, OSError) as error:
        raise database_error(error) from None
    finally:
        if store is not None:
            await store.close()


def sqlite_file(settings: "Settings") -> Path | None:
    """Return the database file, or None for a server. Raises `DatabaseUnavailable`."""
    from generation.store import UnusableDatabase
    from generation.store.engine.database import checked_url

    try:
        url = checked_url(settings.store_url)
    except UnusableDatabase as error:
        raise DatabaseUnavailable(str(error)) from None
    if not url.drivername.startswith("sqlite"):
        return None
    if url.database in {None, "", ":memory:"}:
        raise DatabaseUnavailable(
            "GENQ_DATABASE_URL names no file: use sqlite+aiosqlite:///path/genq.db"
        )
    return Path(str(url.database))


def check_file(file: Path | None) -> None:
    """Raise `DatabaseUnavailable` if the file exists and is not an SQLite database."""
    if file is None or not file.exists():
        return
    try:
        with file.open("rb") as content:
            header = content.read(len(SQLITE_HEADER))
    except OSError as error:
        raise DatabaseUnavailable(f"the database {file} cannot be read: {error.strerror}") from None
    if header and header != SQLITE_HEADER:
        raise DatabaseUnavailable(
            f"{file} is not an SQLite database: set GENQ_DATABASE_URL to another file"
        )


def check_revision(found: "Revisions") -> None:
    """Raise `DatabaseUnavailable` if the schema is not the one this version needs."""
    if found.found is None:
        raise DatabaseUnavailable("the database has no genq tables yet: run genq migrate")
    if not found.match:
        raise DatabaseUnavailable(
            f"the database is at revision {found.found} and this genq needs {found.needed}: run "
            "genq migrate, or install the genq that migrated it"
        )


def database_error(error: Exception) -> DatabaseUnavailable:
    """Translate a driver's error into a message for an operator."""
    origin = getattr(error, "orig", None) or error
    first_line = (str(origin).strip() or type(origin).__name__).splitlines()[0]
    unreachable = isinstance(error, OSError) and not isinstance(error, PERMANENT_ERRORS)
    transient = unreachable or getattr(origin, "sqlstate", None) in TRANSIENT_CODES
    return DatabaseUnavailable(
        f"the database cannot be used: {first_line}; see GENQ_DATABASE_URL", transient=transient
    )
