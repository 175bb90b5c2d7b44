"""
APIs to call, and their callers.

Most tests share one API for each kind of database and come as a tenant of their own, who sees
nothing of the others. A test that breaks something, or counts everything, takes `served`.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.stack.broker import BrokerProcess
from tests.api.serving import Caller, Served, serving, settings_of
from tests.services.fixtures import database_of
from tests.services.migrations import sqlite_url_of
from tests.services.postgres import Cluster


@pytest.fixture
def served(tmp_path: Path, sqlite_url: str, redis_url: str) -> Iterator[Served]:
    """A fresh API over SQLite."""
    with serving(settings_of(tmp_path, sqlite_url, redis_url)) as served:
        yield served


@pytest.fixture
def served_on_both(tmp_path: Path, store_url: str, redis_url: str) -> Iterator[Served]:
    """A fresh API over each kind of database in turn."""
    with serving(settings_of(tmp_path, store_url, redis_url)) as served:
        yield served


@pytest.fixture(scope="session")
def over_sqlite(
    tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path, shared_broker: BrokerProcess
) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("api-sqlite")
    shutil.copy(sqlite_template, folder / "genq.db")
    url = sqlite_url_of(folder / "genq.db")
    with serving(settings_of(folder, url, database_of(shared_broker, 2))) as served:
        yield served


@pytest.fixture(scope="session")
def over_postgresql(
    tmp_path_factory: pytest.TempPathFactory,
    postgres_cluster: Cluster,
    postgres_template: str,
    shared_broker: BrokerProcess,
) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("api-postgresql")
    url = postgres_cluster.create_database("api", postgres_template)
    with serving(settings_of(folder, url, database_of(shared_broker, 3))) as served:
        yield served


@pytest.fixture
def caller(over_sqlite: Served) -> Caller:
    """A tenant of the shared API over SQLite."""
    return over_sqlite.caller()


@pytest.fixture(params=["sqlite", "postgresql"])
def caller_on_both(request: pytest.FixtureRequest) -> Caller:
    """A tenant of the shared API over each kind of database in turn."""
    served: Served = request.getfixturevalue(f"over_{request.param}")
    return served.caller()
