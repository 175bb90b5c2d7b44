"""Databases that already have the schema: migrated once a session, then copied for each test."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.services.postgres import Cluster

#: Brings the database of a URL to the newest schema; it blocks and leaves no connection open.
Migrate = Callable[[str], None]

TEMPLATE = "migrated"


def migrated(url: str, migrate: Migrate) -> str:
    """Bring the database of a URL to the newest schema; says the URL."""
    # In a thread, because migrate may run an event loop of its own.
    with ThreadPoolExecutor(max_workers=1) as thread:
        thread.submit(migrate, url).result()
    return url


def migrated_template(cluster: Cluster, migrate: Migrate) -> str:
    """Make and migrate a database for `Cluster.create_database` to copy; says its name."""
    migrated(cluster.create_database(TEMPLATE), migrate)
    return TEMPLATE


def migrated_file(folder: Path, migrate: Migrate) -> Path:
    """Make and migrate an SQLite file to be copied."""
    file = folder / "migrated.db"
    file.touch()
    migrated(sqlite_url_of(file), migrate)
    return file


def sqlite_url_of(file: Path) -> str:
    return f"sqlite+aiosqlite:///{file}"
