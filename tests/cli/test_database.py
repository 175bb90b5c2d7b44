"""`genq migrate` and `genq keys` with present, missing and starting databases."""

import asyncio
import shutil
import socket
import sqlite3
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from generation.access.permissions import Access, Limits, Rate, Scope
from generation.settings import Settings
from generation.store import ApiKey, Store
from ops.cli.database import DatabaseUnavailable, check_file, sqlite_file
from ops.cli.exit_codes import CliError
from ops.cli.migrate import check_first_key, migrate_when_up
from ops.stack.ports import LOOPBACK
from tests.cli.script import Genq
from tests.services.migrations import sqlite_url_of
from tests.services.postgres import Cluster

KEY = "a-first-key-of-24-letters-or-more"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def key_in(url: str, key: str) -> ApiKey | None:
    """What the API would find for this key."""

    async def find() -> ApiKey | None:
        store = Store(url, pool_size=1)
        try:
            return await store.keys.find(key)
        finally:
            await store.close()

    return asyncio.run(find())


class TestMigrate:
    def test_the_first_key_is_stored_once_and_stays_revoked(
        self, genq: Genq, tmp_path: Path
    ) -> None:
        url = sqlite_url_of(tmp_path / ".genq" / "genq.db")
        having = genq.having(api_key=KEY, webhook_secret=SECRET)
        first, second = having("migrate"), having("migrate")
        assert (first.code, second.code) == (0, 0), first.err + second.err
        assert "stored the key" in first.out
        assert "already stored" in second.out
        assert KEY not in first.out + second.out
        stored = key_in(url, KEY)
        assert stored is not None
        assert (stored.tenant, stored.webhook_secret) == ("default", SECRET)

        assert having("keys", "revoke", stored.id).code == 0
        third = having("migrate")
        assert third.code == 0
        assert "has been revoked and stays revoked" in third.sentence
        assert key_in(url, KEY) is None

    @pytest.mark.parametrize(
        ("settings", "words"),
        [
            ({"api_key": "short", "webhook_secret": SECRET}, "GENQ_API_KEY must have at least 24"),
            ({"api_key": KEY}, "also needs GENQ_WEBHOOK_SECRET"),
            ({"api_key": KEY, "webhook_secret": "hush"}, "GENQ_WEBHOOK_SECRET: a webhook secret"),
        ],
    )
    def test_an_unusable_first_key_is_rejected(self, settings: dict[str, Any], words: str) -> None:
        with pytest.raises(CliError, match=words) as stop:
            check_first_key(Settings(**settings))
        assert "hush" not in str(stop.value)

    def test_unusable_settings_are_rejected_before_migrating(
        self, genq: Genq, tmp_path: Path
    ) -> None:
        answer = genq.having(database_url="mysql://u:hush@h/d")("migrate")
        assert answer.code == 1
        assert "GENQ_DATABASE_URL names 'mysql'" in answer.sentence
        assert "hush" not in answer.err
        assert not (tmp_path / ".genq").exists()

    def test_a_database_of_a_newer_version_is_unchanged(
        self, genq: Genq, sqlite_url: str, tmp_path: Path
    ) -> None:
        with sqlite3.connect(tmp_path / "genq.db") as connection:
            connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.close()
        answer = genq.having(database_url=sqlite_url)("migrate")
        assert answer.code == 1
        assert "install the newer version" in answer.sentence

    def test_migrate_waits_for_a_starting_server(
        self, genq: Genq, private_postgres: Cluster
    ) -> None:
        private_postgres.stop()
        with socket.create_server((LOOPBACK, private_postgres.port)) as listener:
            listener.settimeout(30)
            started = genq.having(database_url=private_postgres.url).popen("migrate")
            # It has tried, and met a server that hangs up.
            listener.accept()[0].close()
        private_postgres.start()
        out, err = started.communicate(timeout=60)
        assert (started.returncode, err) == (0, b"")
        assert b"up to date" in out

    def test_permanent_errors_are_reported_at_once(
        self, genq: Genq, postgres_cluster: Cluster
    ) -> None:
        url = postgres_cluster.url_of("nowhere")
        answer = genq.having(database_url=url)("migrate")
        assert answer.code == 1
        assert 'database "nowhere" does not exist' in answer.sentence

    @pytest.mark.parametrize(
        ("url", "words"),
        [
            ("sqlite:////proc/nowhere/genq.db", "No such file or directory"),
            ("sqlite+aiosqlite://", "names no file"),
            ("postgresql:hush", "is not a database URL"),
        ],
    )
    def test_an_unusable_database_path_is_reported(self, url: str, words: str) -> None:
        settings = Settings(database_url=url)
        with pytest.raises(DatabaseUnavailable, match=words) as stop:
            check_file(sqlite_file(settings))
            migrate_when_up(settings)
        assert not stop.value.transient
        assert "hush" not in str(stop.value)


class TestKeys:
    def test_keys_are_created_listed_and_revoked(self, genq: Genq, sqlite_url: str) -> None:
        having = genq.having(database_url=sqlite_url)
        made = having("keys", "create", "acme", "--json").json
        found = key_in(sqlite_url, made["key"])
        assert found is not None
        assert (found.id, found.tenant) == (made["id"], "acme")
        assert found.webhook_secret == made["webhook_secret"]

        listed = having("keys", "list", "--json")
        (row,) = listed.json
        assert (row["id"], row["tenant"], row["revoked_at"]) == (made["id"], "acme", None)
        assert made["key"] not in listed.out
        assert made["webhook_secret"] not in listed.out

        assert having("keys", "revoke", made["id"]).code == 0
        assert key_in(sqlite_url, made["key"]) is None
        again = having("keys", "revoke", made["id"])
        assert again.code == 1
        assert "there is no valid key" in again.sentence

    def test_users_are_told_to_save_the_key(self, genq: Genq, postgres_url: str) -> None:
        having = genq.having(database_url=postgres_url)
        made = having("keys", "create", "Ärzte & Co")
        assert made.code == 0
        assert "they are shown only once" in made.err
        words = dict(line.rsplit(maxsplit=1) for line in made.out.splitlines())
        assert key_in(postgres_url, words["API key"])
        assert words["webhook secret"].startswith("whsec_")
        listed = having("keys", "list").out
        assert "Ärzte & Co" in listed

    def test_permissions_and_limits_of_a_key_are_stored_and_listed(
        self, genq: Genq, sqlite_url: str
    ) -> None:
        having = genq.having(database_url=sqlite_url)
        words = "--scope submit --scope read --rate 60/m --max-in-flight 20 --daily-jobs 1000"
        words += " --provider kling --expires 90d"
        made = having("keys", "create", "acme", *words.split(), "--json").json
        found = key_in(sqlite_url, made["key"])
        assert found is not None
        assert found.access == Access(
            scopes=frozenset({Scope.SUBMIT, Scope.READ}),
            providers=frozenset({"kling"}),
            limits=Limits(rate=Rate(60, timedelta(minutes=1)), max_in_flight=20, daily_jobs=1000),
            expires_at=found.created_at + timedelta(days=90),
        )
        listed = having("keys", "list").out
        assert "read, submit" in listed
        assert "60/m; 20 in flight; 1000 a day; only kling" in listed

    @pytest.mark.parametrize(
        ("words", "sentence"),
        [
            ("--rate fast", "genq: --rate must be jobs per second, minute or hour, as in 10/s"),
            (
                "--provider klng",
                "genq: --provider: there is no provider 'klng'; did you mean kling?",
            ),
            (
                "--expires soon",
                "genq: --expires must be a time such as 90d, 12h or 2027-01-31T12:00:00Z",
            ),
            ("--expires 2020-01-01T00:00:00Z", "genq: --expires must be in the future"),
            ("--expires 2090-01-01T00:00:00", "genq: --expires needs a time zone"),
            ("--scope write", "genq: Invalid value for '--scope'"),
            ("--daily-jobs 0", "genq: Invalid value for '--daily-jobs'"),
        ],
    )
    def test_invalid_limits_are_rejected(self, genq: Genq, words: str, sentence: str) -> None:
        answer = genq("keys", "create", "acme", *words.split())
        assert (answer.code, answer.out) == (2, "")
        assert answer.sentence.startswith(sentence)

    def test_a_missing_database_names_the_command_to_run(self, genq: Genq, tmp_path: Path) -> None:
        answer = genq("keys", "list")
        assert answer.code == 1
        assert answer.sentence.endswith("run genq migrate")
        assert not (tmp_path / ".genq").exists()

    def test_a_file_that_is_no_database_is_unchanged(self, genq: Genq, tmp_path: Path) -> None:
        shutil.copy(__file__, tmp_path / "genq.db")
        having = genq.having(database_url=f"sqlite:///{tmp_path / 'genq.db'}")
        answer = having("keys", "create", "acme")
        assert answer.code == 1
        assert "is not an SQLite database" in answer.sentence
        assert answer.out == ""
