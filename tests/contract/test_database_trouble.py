"""
A database that drops its connections, takes no more of them, no writes, or is another one than
before: what was accepted is there once, everybody else is told, and it goes on by itself.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Coroutine
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import asyncpg
import pytest
from sqlalchemy import func, select, text

from generation.store import JobFilters, Store, is_unavailable
from generation.store.engine import engines
from generation.store.engine.db_errors import takes_no_writes
from generation.store.engine.sqlite_file import DatabaseReplaced
from generation.store.schema import job_events, jobs
from tests.contract.test_store import later, submitting
from tests.services.migrations import sqlite_url_of
from tests.services.waiting import wait_for_async
from tests.unit.jobs import NOON, a_job
from tests.unit.webhooks.endpoints import an_endpoint

SOON = timedelta(seconds=30)
OTHERS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
LEFT = OTHERS.replace("pg_terminate_backend(pid)", "count(*)")


@pytest.fixture
async def postgres(postgres_url: str) -> AsyncIterator[Store]:
    store = Store(postgres_url)
    yield store
    await store.close()


class Operator:
    """Somebody who does things to the database, by a connection of their own."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def execute(self, statement: str) -> None:
        await self._connection.execute(statement)

    async def value(self, query: str) -> Any:
        return await self._connection.fetchval(query)

    async def cut_all(self) -> None:
        await self.execute(OTHERS)

    async def cut_all_and_wait(self) -> None:
        await self.cut_all()
        while await self.value(LEFT):
            await asyncio.sleep(0.01)


@pytest.fixture
async def operator(postgres_url: str) -> AsyncIterator[Operator]:
    connection = await cast(Any, asyncpg).connect(postgres_url.replace("+asyncpg", ""))
    yield Operator(connection)
    await connection.close()


async def driver_of(store: Store) -> Any:
    """What a connection of the pool is made of."""
    async with store.database.reading() as connection:
        await connection.execute(text("SELECT pg_sleep(0.05)"))
        return (await connection.get_raw_connection()).driver_connection


async def test_connections_that_were_dropped_since_are_not_used(
    postgres: Store, operator: Operator
) -> None:
    job = await postgres.jobs.insert(a_job())
    for use in (
        lambda: postgres.jobs.page("acme", JobFilters(), limit=5),
        lambda: postgres.jobs.insert(a_job()),
        lambda: postgres.endpoints.add(an_endpoint()),
        lambda: postgres.jobs.change(job.id, submitting),
        lambda: postgres.claims.due_steps(NOON, 5, later),
    ):
        drivers = await asyncio.gather(*(driver_of(postgres) for _ in range(4)))
        await operator.cut_all()
        while not all(driver.is_closed() for driver in drivers):
            await asyncio.sleep(0.01)
        await use()


class Traffic:
    """Orders, claims and reads, until it is over."""

    def __init__(self, store: Store) -> None:
        self.over = False
        self.accepted: list[str] = []
        self.refused: list[str] = []
        self.troubles: list[Exception] = []
        self._store = store

    async def order(self) -> None:
        while not self.over:
            job = a_job()
            try:
                await self._store.jobs.insert(job)
            except Exception as error:
                self.troubles.append(error)
                self.refused.append(job.id)
            else:
                self.accepted.append(job.id)
                await self._try(self._store.jobs.change(job.id, submitting))

    async def read(self) -> None:
        while not self.over:
            await self._try(self._store.jobs.page("acme", JobFilters(), limit=5))
            await self._try(self._store.claims.due_steps(NOON, 5, later))

    async def _try(self, work: Coroutine[Any, Any, object]) -> None:
        try:
            await work
        except Exception as error:
            self.troubles.append(error)
            await asyncio.sleep(0.01)


async def test_what_is_cut_in_the_middle_of_traffic_is_stored_once_or_told(
    postgres: Store, operator: Operator
) -> None:
    traffic = Traffic(postgres)

    async def cut() -> None:
        try:
            for _ in range(20):
                before = len(traffic.accepted)
                await asyncio.sleep(0.05)
                await wait_for_async(lambda n=before: len(traffic.accepted) > n, SOON, "an order")
                await operator.cut_all()
        finally:
            traffic.over = True

    orders, reads = (traffic.order() for _ in range(10)), (traffic.read() for _ in range(3))
    await asyncio.gather(cut(), *orders, *reads)
    assert [error for error in traffic.troubles if not is_unavailable(error)] == []
    assert traffic.accepted
    async with postgres.database.reading() as connection:
        stored = set((await connection.execute(select(jobs.c.id))).scalars())
        events = (await connection.execute(select(func.count()).select_from(job_events))).scalar()
        attempts = (await connection.execute(select(func.max(jobs.c.attempts)))).scalar()
        submissions = select(func.count()).where(job_events.c.type == "job.queued")
        born = (await connection.execute(submissions)).scalar()
    assert set(traffic.accepted) <= stored <= {*traffic.accepted, *traffic.refused}
    assert born == len(stored), "each is born once"
    assert attempts == 1, "and claimed once, however often the claim was repeated"
    assert events is not None
    assert events <= 2 * len(stored)


async def test_no_more_connections_are_to_be_had(
    postgres: Store, operator: Operator, postgres_url: str
) -> None:
    await operator.execute("DROP ROLE IF EXISTS few")
    await operator.execute("CREATE ROLE few LOGIN CONNECTION LIMIT 1")
    await operator.execute("GRANT ALL ON ALL TABLES IN SCHEMA public TO few")
    name, _, rest = postgres_url.rpartition("@")
    url = f"{name.rpartition('//')[0]}//few@{rest}"
    first, second = Store(url), Store(url)
    await first.jobs.insert(a_job())
    with pytest.raises(Exception, match="too many connections") as caught:
        await second.jobs.insert(a_job())
    assert is_unavailable(caught.value), "waiting cures it"
    await first.close()
    while await operator.value("SELECT count(*) FROM pg_stat_activity WHERE usename = 'few'"):
        await asyncio.sleep(0.01)
    job = await second.jobs.insert(a_job())
    assert await postgres.jobs.get(job.id)
    await second.close()
    await operator.execute("DROP OWNED BY few")
    await operator.execute("DROP ROLE few")


async def test_a_failover_leads_to_a_replica_first(postgres: Store, operator: Operator) -> None:
    name = await operator.value("SELECT current_database()")
    await operator.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    await operator.cut_all_and_wait()
    outcomes = await asyncio.gather(
        *(postgres.jobs.insert(a_job()) for _ in range(20)), return_exceptions=True
    )
    assert {type(outcome).__name__ for outcome in outcomes} <= {"DBAPIError", "InternalError"}
    assert all(isinstance(each, Exception) and is_unavailable(each) for each in outcomes)
    assert await postgres.jobs.counts() == {}, "which can be read"
    await operator.execute("SET default_transaction_read_only = off")
    await operator.execute(f'ALTER DATABASE "{name}" RESET default_transaction_read_only')
    with pytest.raises(Exception, match="read-only"):
        await postgres.jobs.insert(a_job())
    await postgres.jobs.insert(a_job())


@pytest.mark.parametrize("sqlstate", ["53100", "53200", "57P03"])
async def test_a_server_without_room_is_waited_for(
    postgres: Store, operator: Operator, sqlstate: str
) -> None:
    await operator.execute(
        "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" RAISE EXCEPTION 'no space left' USING ERRCODE = '{sqlstate}'; END $$"
    )
    await operator.execute(
        "CREATE TRIGGER full_disk BEFORE INSERT ON jobs EXECUTE FUNCTION full_disk()"
    )
    with pytest.raises(Exception, match="no space left") as caught:
        await postgres.jobs.insert(a_job())
    assert is_unavailable(caught.value)
    await operator.execute("DROP TRIGGER full_disk ON jobs")
    await postgres.jobs.insert(a_job())


async def test_tables_that_change_under_a_running_process(
    postgres: Store, operator: Operator
) -> None:
    job = await postgres.jobs.insert(a_job())
    await postgres.jobs.get(job.id)
    await operator.execute("ALTER TABLE jobs ALTER COLUMN dialect TYPE varchar(70)")
    outcomes = [
        *await asyncio.gather(
            *(postgres.jobs.get(job.id) for _ in range(3)), return_exceptions=True
        )
    ]
    assert all(is_unavailable(each) for each in outcomes if isinstance(each, Exception))
    assert await postgres.jobs.get(job.id)


async def test_sqlite_that_is_locked_for_too_long(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "SQLITE_BUSY_SECONDS", 0.1)
    store = Store(sqlite_url)
    await store.jobs.insert(a_job())
    with closing(sqlite3.connect(str(store.database.url.database))) as hog:
        hog.execute("BEGIN IMMEDIATE")
        with pytest.raises(Exception, match="locked") as caught:
            await store.jobs.insert(a_job())
        assert is_unavailable(caught.value)
        assert len(await store.jobs.page("acme", JobFilters(), limit=5)) == 1
        hog.rollback()
    await store.jobs.insert(a_job())
    assert await store.jobs.counts() == {"queued": 2}
    await store.close()


async def test_nothing_is_accepted_into_a_sqlite_file_that_was_replaced(
    sqlite_url: str, sqlite_template: Path, tmp_path: Path
) -> None:
    store = Store(sqlite_url)
    await store.jobs.insert(a_job())
    file = Path(str(store.database.url.database))
    file.rename(tmp_path / "aside.db")
    with pytest.raises(OSError, match=file.name) as caught:
        await store.jobs.insert(a_job())
    assert is_unavailable(caught.value)
    file.write_bytes(sqlite_template.read_bytes())
    for _ in range(2):
        with pytest.raises(DatabaseReplaced, match="stop every process"):
            await store.jobs.insert(a_job())
    with pytest.raises(DatabaseReplaced):
        await store.jobs.counts()
    (tmp_path / "aside.db").rename(file)
    await store.jobs.insert(a_job())
    assert await store.jobs.counts() == {"queued": 2}
    await store.close()


async def test_a_sqlite_connection_that_takes_no_writes_is_told_apart(
    sqlite_template: Path,
) -> None:
    with closing(sqlite3.connect(f"file:{sqlite_template}?mode=ro", uri=True)) as reader:
        with pytest.raises(sqlite3.OperationalError) as caught:
            reader.execute("DELETE FROM jobs")
        assert takes_no_writes(caught.value)
    store = Store(sqlite_url_of(sqlite_template))
    with pytest.raises(Exception, match="no such table") as other:
        async with store.database.writing() as connection:
            await connection.execute(text("DELETE FROM no_table"))
    assert not takes_no_writes(getattr(other.value, "orig", None))
    await store.close()
