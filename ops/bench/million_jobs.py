"""A million jobs of one tenant over a month, inserted directly into the database."""

import random
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import asyncpg  # pyright: ignore[reportMissingTypeStubs]
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect
from ulid import ULID

from generation.job import TERMINAL, Job, JobState
from generation.store.engine.database import checked_url
from generation.store.engine.engines import compact_json
from generation.store.jobs.metadata_index import label
from generation.store.jobs.rows import job_row
from generation.store.schema import Instant, job_labels, jobs

COUNT = 1_000_000
TENANT = "bench"
START = datetime(2026, 1, 1, tzinfo=UTC)
APART = timedelta(days=30) / COUNT
END = START + APART * COUNT
RUNS_FOR = timedelta(minutes=10)
#: Duration of one job in a hundred.
RUNS_LATE_FOR = timedelta(hours=26)
BATCH = "batch_01KG9Q2Z6M8T4V7X1Y3A5C7E9G"
PARENT = "job_01KG9Q2Z6M8T4V7X1Y3A5C7E9G"

STATES = (
    (0.95, JobState.SUCCEEDED),
    (0.98, JobState.FAILED),
    (0.99, JobState.CANCELED),
    (0.995, JobState.EXPIRED),
    (1.0, JobState.RUNNING),
)
OPERATIONS = (
    (0.5, ("kling", "text2video")),
    (0.8, ("midjourney", "imagine")),
    (0.95, ("flux", "image")),
    (0.999, ("suno", "music")),
    (1.0, ("luma", "video")),
)
STATIONS = ((0.9, "relay"), (0.9999, "proxy"), (1.0, "backup"))


def job_id(number: int) -> str:
    at = START + APART * number
    return f"job_{ULID.from_int((int(at.timestamp() * 1000) << 80) + number)}"


async def fill(url: str) -> None:
    """Insert all jobs; on PostgreSQL also run VACUUM ANALYZE."""
    if url.startswith("sqlite"):
        fill_sqlite(checked_url(url).database or "")
        return
    connection: Any = await cast(Any, asyncpg).connect(url.replace("+asyncpg", ""))
    try:
        for table, rows in ((jobs, job_rows(postgresql.dialect())), (job_labels, labels())):
            columns = [column.name for column in table.c]
            await connection.copy_records_to_table(table.name, records=rows, columns=columns)
        await connection.execute("VACUUM ANALYZE jobs")
        await connection.execute("VACUUM ANALYZE job_labels")
    finally:
        await connection.close()


def fill_sqlite(file: str) -> None:
    connection = sqlite3.connect(file)
    try:
        connection.execute("PRAGMA synchronous=OFF")
        for table, rows in ((jobs, job_rows(sqlite.dialect())), (job_labels, labels())):
            marks = ", ".join("?" for _ in table.c)
            connection.executemany(f"INSERT INTO {table.name} VALUES ({marks})", rows)
            connection.commit()
    finally:
        connection.close()


TEMPLATE = Job(
    id="",
    tenant=TENANT,
    api_key_id="key_1",
    provider="",
    operation="",
    input={"prompt": "a lighthouse at dusk, slow pan over the water", "duration": 5},
    created_at=START,
    updated_at=START,
    deadline=START,
    sequence=4,
    attempts=1,
    dialect="kling.relay",
    key="main",
)


def job_values() -> Iterator[dict[str, Any]]:
    """Yield the columns in which the jobs differ."""
    rng = random.Random(1)
    for number in range(COUNT):
        at = START + APART * number
        state = drawn(STATES, rng)
        runs_for = RUNS_LATE_FOR if number % 100 == 99 else RUNS_FOR
        ended = at + runs_for if state in TERMINAL else None
        provider, operation = drawn(OPERATIONS, rng)
        yield {
            "id": job_id(number),
            "state": state.value,
            "provider": provider,
            "operation": operation,
            "station": drawn(STATIONS, rng),
            "metadata": f'{{"customer":"{customer(number)}"}}',
            "parent_id": PARENT if number % 10_000 == 7 else None,
            "batch_id": BATCH if number // 100 == COUNT // 200 else None,
            "created_at": at,
            "updated_at": ended or at,
            "finished_at": ended,
            "deadline": at + timedelta(hours=1),
            "wake_at": None if ended else at + timedelta(hours=1),
        }


def customer(number: int) -> str:
    return str(number % 5000)


def job_rows(dialect: Dialect) -> Iterator[tuple[Any, ...]]:
    """Yield rows as the driver takes them: JSON as text, times in the database's form."""
    common = {name: written(value) for name, value in job_row(TEMPLATE).items()}
    instants = {column.name: column.type for column in jobs.c if isinstance(column.type, Instant)}
    for job in job_values():
        row = common | job
        for name, kind in instants.items():
            row[name] = kind.process_bind_param(row[name], dialect)
        yield tuple(row[column.name] for column in jobs.c)


def written(value: Any) -> Any:
    return compact_json(value) if isinstance(value, (dict, list, tuple)) else value


def labels() -> Iterator[tuple[str, ...]]:
    for number in range(COUNT):
        row = {
            "tenant": TENANT,
            "label": label("customer", customer(number)),
            "job_id": job_id(number),
        }
        yield tuple(row[column.name] for column in job_labels.c)


def drawn(choices: Any, rng: random.Random) -> Any:
    roll = rng.random()
    return next(value for most, value in choices if roll <= most)
