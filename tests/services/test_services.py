"""The services the other tests stand on are what they claim to be."""

import asyncio
import re
import subprocess
from pathlib import Path
from typing import Any, cast

import asyncpg
import pytest
import redis
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from ops.stack.broker import BrokerProcess, client
from tests.services.migrations import migrated_file, migrated_template, sqlite_url_of
from tests.services.missing import miss
from tests.services.postgres import Cluster
from tests.services.postgres_installation import Installation, PostgresUnavailable, find_postgres

SCRIPT = Path(__file__).parents[2] / "ops" / "ci" / "postgres.sh"


async def execute(url: str, *statements: str) -> list[Any]:
    """Run the statements in one committed transaction; the first column of the last one's rows."""
    engine = create_async_engine(url)
    try:
        async with engine.begin() as connection:
            results = [await connection.execute(text(statement)) for statement in statements]
            return list(results[-1].scalars()) if results[-1].returns_rows else []
    finally:
        await engine.dispose()


class TestBroker:
    @pytest.mark.parametrize("database", [0, 3, 0])
    def test_the_shared_broker_comes_empty(self, redis_url: str, database: int) -> None:
        url = f"{redis_url.removesuffix('/0')}/{database}"
        with client(url) as connection:
            assert connection.dbsize() == 0
            connection.set("left", "behind")

    def test_a_private_broker_keeps_its_data_over_stop_and_kill(
        self, private_broker: BrokerProcess
    ) -> None:
        with client(private_broker.url) as connection:
            connection.set("paid", "once")
        for end in (private_broker.stop, private_broker.kill):
            end()
            with client(private_broker.url) as connection, pytest.raises(redis.ConnectionError):
                connection.ping()
            private_broker.start()
            with client(private_broker.url) as connection:
                assert connection.get("paid") == "once"

    def test_flushall_forgets_everything(self, private_broker: BrokerProcess) -> None:
        with client(private_broker.url) as connection:
            connection.set("paid", "once")
            private_broker.flushall()
            assert connection.dbsize() == 0


class TestPostgres:
    @pytest.mark.parametrize("_", range(2))
    async def test_each_test_gets_a_database_of_its_own(self, postgres_url: str, _: int) -> None:
        assert re.fullmatch(r"postgresql\+asyncpg://\w+@127\.0\.0\.1:\d+/\w+", postgres_url)
        assert not await execute(postgres_url, "SELECT 1 FROM pg_class WHERE relname = 'mine'")
        await execute(postgres_url, "CREATE TABLE mine (id int)")

    async def test_a_database_is_dropped_while_somebody_is_connected(
        self, postgres_cluster: Cluster
    ) -> None:
        url = postgres_cluster.create_database("busy")
        connection = cast(Any, await asyncpg.connect(url.replace("+asyncpg", "")))
        postgres_cluster.drop_database("busy")
        with pytest.raises(asyncpg.PostgresError):
            await connection.execute("SELECT 1")
        names = await execute(postgres_cluster.url, "SELECT datname FROM pg_database")
        assert "busy" not in names

    async def test_the_cluster_is_private(
        self, postgres_cluster: Cluster, postgres_installation: Installation
    ) -> None:
        async def setting(name: str) -> str:
            return (await execute(postgres_cluster.url, f"SHOW {name}"))[0]

        assert Path(await setting("data_directory")).parent == postgres_installation.home
        assert await setting("listen_addresses") == "127.0.0.1"
        assert await setting("unix_socket_directories") == str(postgres_installation.home)
        assert await setting("fsync") == "off"

    async def test_a_private_cluster_is_durable(self, private_postgres: Cluster) -> None:
        assert await execute(private_postgres.url, "SHOW fsync") == ["on"]
        assert await execute(private_postgres.url, "SHOW synchronous_commit") == ["on"]
        assert await execute(private_postgres.url, "SHOW full_page_writes") == ["on"]

    async def test_what_was_committed_survives_kill_stop_and_restart(
        self, private_postgres: Cluster
    ) -> None:
        url = private_postgres.url
        await execute(url, "CREATE TABLE kept (id int)", "INSERT INTO kept VALUES (7)")
        for end in (private_postgres.kill, private_postgres.stop):
            end()
            with pytest.raises(ConnectionRefusedError):
                await execute(url, "SELECT 1")
            private_postgres.start()
            assert await execute(url, "SELECT id FROM kept") == [7]
        private_postgres.restart()
        assert await execute(url, "SELECT id FROM kept") == [7]

    async def test_a_migrated_template_is_copied(self, private_postgres: Cluster) -> None:
        def migrate(url: str) -> None:
            asyncio.run(execute(url, "CREATE TABLE migrated (id int)"))

        template = migrated_template(private_postgres, migrate)
        copy = private_postgres.create_database("copy", template)
        assert await execute(copy, "SELECT count(*) FROM migrated") == [0]

    def test_path_decides_which_programs_are_used(self, tmp_path: Path) -> None:
        for program in ("initdb", "postgres"):
            (tmp_path / program).touch(mode=0o700)
        assert find_postgres({"PATH": str(tmp_path)}) == tmp_path

    @pytest.mark.usefixtures("postgres_installation")
    def test_the_install_script_leaves_an_installed_server_alone(self) -> None:
        answer = subprocess.run([SCRIPT], capture_output=True, text=True, check=False)
        assert (answer.returncode, answer.stderr) == (0, "")
        assert "PostgreSQL is installed" in answer.stdout


class TestStores:
    async def test_a_migrated_file_is_copied(self, tmp_path: Path) -> None:
        def migrate(url: str) -> None:
            asyncio.run(execute(url, "CREATE TABLE migrated (id int)"))

        url = sqlite_url_of(migrated_file(tmp_path, migrate))
        assert await execute(url, "SELECT count(*) FROM migrated") == [0]

    @pytest.mark.parametrize("_", range(2))
    async def test_each_test_gets_a_file_of_its_own(
        self, sqlite_url: str, tmp_path: Path, _: int
    ) -> None:
        assert sqlite_url == f"sqlite+aiosqlite:///{tmp_path}/genq.db"
        await execute(sqlite_url, "CREATE TABLE mine (id int)")

    async def test_a_store_is_tried_on_both_kinds(
        self, store_url: str, request: pytest.FixtureRequest
    ) -> None:
        kind = request.node.callspec.params["store_url"]
        assert store_url.startswith(f"{kind}+")
        assert await execute(store_url, "SELECT 1") == [1]


class TestMissingServices:
    def test_a_laptop_skips(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("CI", raising=False)
        with pytest.raises(pytest.skip.Exception, match="no server"):
            miss(PostgresUnavailable("no server"))

    def test_the_judging_machine_fails(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CI", "true")
        with pytest.raises(pytest.fail.Exception, match="no server"):
            miss(PostgresUnavailable("no server"))
