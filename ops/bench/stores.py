"""
The stores that are measured, one after the other.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from ops.stack.keeper import Keeper
from tests.services.postgres import Cluster
from tests.services.postgres_installation import PostgresUnavailable, installation


def stores(stack: ExitStack, folder: Path, keeper: Keeper) -> Iterator[tuple[str, str | None]]:
    """
    The name of each store and the URL of an empty, durable database in it, there until the stack is
    unwound; None where it is not installed.
    """
    yield "SQLite", f"sqlite+aiosqlite:///{folder}/bench.db"
    try:
        found = stack.enter_context(installation(os.environ))
    except PostgresUnavailable:
        yield "PostgreSQL", None
    else:
        cluster = stack.enter_context(Cluster(found, "bench", keeper, durable=True))
        yield "PostgreSQL", cluster.create_database("bench")
