"""The measured databases, and API keys for them."""

import asyncio
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from generation.access.permissions import Access, Limits
from generation.store import Store, migrate, new_key
from generation.webhooks.signature import new_secret
from ops.bench.workspace import Workspace
from tests.services.postgres import Cluster
from tests.services.postgres_installation import PostgresUnavailable, installation

TENANT = "bench"


@dataclass(frozen=True, slots=True)
class MeasuredStore:
    """An empty, durable, migrated database that exists as long as its workspace."""

    name: str
    url: str
    #: Process id of the database server; None for SQLite.
    pid: int | None = None


def stores(workspace: Workspace) -> Iterator[MeasuredStore]:
    """Yield SQLite and, if installed, PostgreSQL; otherwise print that it is missing."""
    for name in ("SQLite", "PostgreSQL"):
        if store := open_store(workspace, name):
            yield store
        else:
            print(f"{name} is not installed.")


def open_store(workspace: Workspace, name: str) -> MeasuredStore | None:
    """Return the database; None if it is not installed."""
    if name == "SQLite":
        store = MeasuredStore(name, f"sqlite+aiosqlite:///{workspace.folder}/bench.db")
    else:
        try:
            found = workspace.stack.enter_context(installation(os.environ))
        except PostgresUnavailable:
            return None
        cluster = workspace.stack.enter_context(Cluster(found, "bench", workspace.reaper))
        store = MeasuredStore(name, cluster.create_database("bench"), cluster.pid)
    migrate(store.url)
    return store


def added_key(url: str, limits: Limits | None = None) -> str:
    return asyncio.run(_added_key(url, Access(limits=limits or Limits())))


async def _added_key(url: str, access: Access) -> str:
    store, key = Store(url), new_key()
    try:
        await store.keys.add(TENANT, key, new_secret(), datetime.now(UTC), access)
    finally:
        await store.close()
    return key
