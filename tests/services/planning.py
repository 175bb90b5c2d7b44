"""
A PostgreSQL database whose tables have grown, to ask for plans: on small ones they mean nothing.
SQLite plans by the tables' definitions alone, as long as nobody has it analyze them.
"""

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import pytest
from sqlalchemy import Boolean, Column, Integer, LargeBinary, String, Table, Text, text

from generation.store import Store
from generation.store.schema import InsertDocument, Instant, metadata
from tests.services.plans import GROWING
from tests.services.postgres import Cluster

ROWS: Final = 20_000
TENANT: Final = "'tenant_' || n % 500"
JOB: Final = "'job_' || lpad(n::text, 26, '0')"
DELIVERY: Final = "'dlv_' || lpad(n::text, 26, '0')"
ENDS: Final = "CASE WHEN n % 100 > 0 THEN now() END"
#: What tells one row from the others, by column or by table and column.
DIFFERENT: Final[Mapping[str, str]] = {
    "tenant": TENANT,
    "job_id": JOB,
    "jobs.id": JOB,
    "jobs.state": "CASE WHEN n % 100 > 0 THEN 'succeeded' ELSE 'running' END",
    "jobs.finished_at": ENDS,
    "jobs.wake_at": "CASE WHEN n % 100 = 0 THEN now() END",
    "jobs.batch_id": "CASE WHEN n % 10 = 0 THEN 'batch_' || n / 100 END",
    "job_events.id": "'evt_' || lpad(n::text, 26, '0')",
    "job_events.position": "n",
    "job_labels.label": "'label_' || n % 5000",
    "deliveries.id": DELIVERY,
    "deliveries.event_id": "'evt_' || n",
    "deliveries.endpoint_id": "CASE WHEN n % 2 = 0 THEN 'ep_' || n % 100 END",
    "deliveries.lane": "'lane_' || n % 100",
    "deliveries.state": "CASE WHEN n % 100 > 0 THEN 'succeeded' ELSE 'queued' END",
    "deliveries.finished_at": ENDS,
    "delivery_attempts.delivery_id": DELIVERY,
    "idempotency_keys.key": "'key_' || n",
    "idempotency_keys.expires_at": "now() + n * interval '1 minute'",
}
#: What a column has that must have something.
PLAIN: Final[Mapping[type[Any], str]] = {
    Boolean: "false",
    InsertDocument.__class__: "'{}'",
    Instant: "now()",
    Integer: "0",
    LargeBinary: "''",
    String: "''",
    Text: "''",
}


@pytest.fixture(scope="session")
def planning_url(postgres_cluster: Cluster, postgres_template: str) -> str:
    """The database, filled and analyzed."""
    url = postgres_cluster.create_database("planning", postgres_template)
    with ThreadPoolExecutor(1) as beside:  # whoever asks for it may be on a loop
        beside.submit(lambda: asyncio.run(fill(url))).result()
    return url


async def fill(url: str) -> None:
    store = Store(url)
    try:
        async with store.database.writing() as connection:
            for table in metadata.sorted_tables:
                if table.name in GROWING:
                    await connection.execute(text(filling(table)))
            await connection.execute(text("ANALYZE"))
    finally:
        await store.close()


def filling(table: Table) -> str:
    values = {column.name: value for column in table.c if (value := value_of(column)) is not None}
    chosen = f"INSERT INTO {table.name} ({', '.join(values)}) SELECT {', '.join(values.values())}"
    return f"{chosen} FROM generate_series(1, {ROWS}) AS n"


def value_of(column: Column[Any]) -> str | None:
    different = DIFFERENT.get(f"{column.table.name}.{column.name}") or DIFFERENT.get(column.name)
    if different or column.nullable:
        return different
    return next(value for kind, value in PLAIN.items() if isinstance(column.type, kind))
