"""
Real services as pytest fixtures; tests/conftest.py loads this module as a plugin.

A service that is not installed skips the test on a laptop and fails it where CI is set. With
pytest-xdist every worker process has servers of its own.
"""

import itertools
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.stack.broker import BrokerProcess, BrokerUnavailable, local_broker
from ops.stack.child_reaper import ChildReaper
from tests.services.migrations import (
    Migrate,
    migrated,
    migrated_file,
    migrated_template,
    sqlite_url_of,
)
from tests.services.missing import miss
from tests.services.postgres import Cluster
from tests.services.postgres_installation import (
    Installation,
    PostgresUnavailable,
    find_postgres,
    installation,
)

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def reaper() -> Iterator[ChildReaper]:
    """Starts children that die with this process, even when it is killed."""
    with ChildReaper() as reaper:
        yield reaper


@pytest.fixture(scope="session")
def shared_broker(
    reaper: ChildReaper, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[BrokerProcess]:
    """The broker behind `redis_url`; a test that stops a broker takes `private_broker`."""
    with _broker(tmp_path_factory.mktemp("broker"), reaper) as broker:
        yield broker


def database_of(broker: BrokerProcess, number: int) -> str:
    """
    The URL of one database of this broker, for whoever shares the broker and lives longer than a
    test: a message of its that comes late is not found by the next test, which has database 0.
    """
    return f"{broker.url.removesuffix('/0')}/{number}"


@pytest.fixture
def redis_url(shared_broker: BrokerProcess) -> str:
    """A real broker with nothing in it: every database has just been emptied."""
    shared_broker.flushall()
    return shared_broker.url


@pytest.fixture
def private_broker(reaper: ChildReaper, tmp_path: Path) -> Iterator[BrokerProcess]:
    """A broker of this test's own, started: url, start, stop, kill, flushall."""
    with _broker(tmp_path / "broker", reaper) as broker:
        yield broker


@pytest.fixture(scope="session")
def postgres_installation() -> Iterator[Installation]:
    """PostgreSQL's programs, and a home for clusters that is removed at the end."""
    try:
        find_postgres(os.environ)
    except PostgresUnavailable as missing:
        miss(missing)
    with installation(os.environ) as found:
        yield found


@pytest.fixture(scope="session")
def postgres_cluster(postgres_installation: Installation, reaper: ChildReaper) -> Iterator[Cluster]:
    """The server behind `postgres_url`, without fsync; one to break is `private_postgres`."""
    with Cluster(postgres_installation, "shared", reaper, durable=False) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def migrate() -> Migrate:
    """What brings a database to the newest schema."""
    # Here, because tests that need no database need not wait for it, nor fail with it.
    from generation.store import migrate  # noqa: PLC0415

    return migrate


@pytest.fixture(scope="session")
def postgres_template(postgres_cluster: Cluster, migrate: Migrate) -> str:
    """The name of a migrated database, for `postgres_cluster.create_database(name, template)`."""
    return migrated_template(postgres_cluster, migrate)


@pytest.fixture
def postgres_url(postgres_cluster: Cluster, postgres_template: str) -> Iterator[str]:
    """A fresh, migrated PostgreSQL database, dropped afterwards with whoever is connected."""
    name = f"test_{next(_numbers)}"
    yield postgres_cluster.create_database(name, postgres_template)
    postgres_cluster.drop_database(name)


@pytest.fixture
def private_postgres(
    postgres_installation: Installation, reaper: ChildReaper, migrate: Migrate
) -> Iterator[Cluster]:
    """A durable server of this test's own: url (migrated), start, stop, restart, kill."""
    with Cluster(postgres_installation, f"private_{next(_numbers)}", reaper) as cluster:
        migrated(cluster.url, migrate)
        yield cluster


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory, migrate: Migrate) -> Path:
    """A migrated SQLite file, to be copied."""
    return migrated_file(tmp_path_factory.mktemp("sqlite"), migrate)


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A fresh, migrated SQLite file."""
    file = tmp_path / "genq.db"
    shutil.copy(sqlite_template, file)
    return sqlite_url_of(file)


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest) -> str:
    """A fresh, migrated database: the test runs once on each kind."""
    return request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")


def _broker(folder: Path, reaper: ChildReaper) -> BrokerProcess:
    try:
        return BrokerProcess(local_broker(folder, os.environ), reaper)
    except BrokerUnavailable as missing:
        miss(missing)
