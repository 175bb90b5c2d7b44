"""Health and readiness while the database and the broker stop and start."""

import os
import signal
import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from time import monotonic
from typing import Any

import httpx
import pytest

from api.system.endpoints import Readiness
from generation.queue import SUBMITS
from generation.settings import seconds
from ops.stack.broker import BrokerProcess, client
from ops.stack.ports import free_port
from tests.api.serving import ORDER, Served, serving, settings_of
from tests.api.system.test_metrics import reading
from tests.api.test_refused_orders import problem
from tests.services.postgres import Cluster
from tests.services.processes import descendants
from tests.services.waiting import wait_for

BACK = timedelta(seconds=30)


def test_everything_works(over_sqlite: Served) -> None:
    assert over_sqlite.http.get("/healthz").json() == {"ok": True}
    answer = over_sqlite.http.get("/readyz")
    assert answer.status_code == 200
    ready = Readiness.model_validate_json(answer.content)
    assert set(ready.checks) == {
        *("store", "schema", "broker", "workers", "stations", "keys", "rows")
    }
    assert ready.degraded == ["workers"], "none runs in these tests, and all else is well"
    assert [name for name, check in ready.checks.items() if not check.ok] == ["workers"]
    assert "genq worker" in ready.checks["workers"].detail


@pytest.mark.parametrize("violence", [signal.SIGKILL, signal.SIGSTOP])
def test_a_broker_that_does_not_answer(
    tmp_path: Path, sqlite_url: str, private_broker: BrokerProcess, violence: signal.Signals
) -> None:
    with serving(settings_of(tmp_path, sqlite_url, private_broker.url)) as served:
        assert failed_checks(served.http) == {}
        assert private_broker.pid is not None
        os.kill(private_broker.pid, violence)
        try:
            assert failed_checks(served.http) == {}, "orders are taken without a broker"
            broker = degraded(served.http)["broker"]
            figures = reading(served.admin())
        finally:
            private_broker.kill()
        assert "GENQ_REDIS_URL" in broker
        assert figures["genq_broker_up",] == 0
        served.caller().order()
        private_broker.start()
        wait_for(lambda: "broker" not in degraded(served.http), BACK, "the broker to be seen")
        assert reading(served.admin())["genq_broker_up",] == 1


def test_a_broker_that_answers_with_an_error(
    tmp_path: Path, sqlite_url: str, private_broker: BrokerProcess
) -> None:
    with (
        serving(settings_of(tmp_path, sqlite_url, private_broker.url)) as served,
        client(private_broker.url) as broker,
    ):
        broker.set(SUBMITS, "no list")
        assert "The broker answers WRONGTYPE" in degraded(served.http)["broker"]
        assert 'genq_broker_error{code="WRONGTYPE"} 1.0' in served.admin().get("/metrics").text
        broker.delete(SUBMITS)
        broker.replicaof("127.0.0.1", free_port())
        assert "The broker answers READONLY" in degraded(served.http)["broker"]
        assert 'genq_broker_error{code="READONLY"} 1.0' in served.admin().get("/metrics").text
        assert failed_checks(served.http) == {}
        broker.replicaof("NO", "ONE")
        assert "broker" not in degraded(served.http)


def test_a_stopped_database(tmp_path: Path, private_postgres: Cluster, redis_url: str) -> None:
    settings = settings_of(tmp_path, private_postgres.url, redis_url, key_cache=seconds(60))
    with serving(settings) as served:
        caller = served.caller()
        job_id = caller.order()["id"]
        private_postgres.stop()
        assert list(failed_checks(served.http)) == ["store", "schema"]
        for answer in (caller.post("/v1/jobs", ORDER), caller.get(f"/v1/jobs/{job_id}")):
            problem(answer, 503, "store_unavailable")
            assert answer.headers["retry-after"] == "5"
        private_postgres.start()
        wait_for(lambda: failed_checks(served.http) == {}, BACK, "readiness to come back")
        assert caller.get(f"/v1/jobs/{job_id}").json()["id"] == job_id
        assert caller.order()["state"] == "queued"


def test_a_hanging_database(tmp_path: Path, private_postgres: Cluster, redis_url: str) -> None:
    with serving(settings_of(tmp_path, private_postgres.url, redis_url)) as served:
        assert failed_checks(served.http) == {}
        with frozen(private_postgres):
            failed = failed_checks(served.http)
        assert list(failed) == ["store", "schema"]
        assert "does not answer in time" in failed["store"]
        wait_for(lambda: failed_checks(served.http) == {}, BACK, "readiness to come back")


def test_a_schema_of_another_version(served: Served) -> None:
    with closing(sqlite3.connect(served.settings.data_dir / "genq.db")) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0000'")
        connection.commit()
    failed = failed_checks(served.http)
    assert list(failed) == ["schema"]
    assert "run: genq migrate" in failed["schema"]


def failed_checks(http: httpx.Client) -> dict[str, str]:
    """Return the details of failed required checks. They are public and come soon."""
    began = monotonic()
    answer = http.get("/readyz")
    # Of what hangs two seconds are waited for; what is beyond that is this machine's load.
    assert monotonic() - began < 10
    document: dict[str, Any] = answer.json()
    failed = {
        name: check["detail"]
        for name, check in document["checks"].items()
        if check["required"] and not check["ok"]
    }
    assert (answer.status_code, document["ready"]) == ((503, False) if failed else (200, True))
    assert http.get("/healthz").status_code == 200
    for private in ("127.0.0.1", "redis://", "postgresql", "Error"):
        assert private not in answer.text
    return failed


def degraded(http: httpx.Client) -> dict[str, str]:
    """Return the details of failed checks that are not required."""
    document = http.get("/readyz").json()
    return {name: document["checks"][name]["detail"] for name in document["degraded"]}


@contextmanager
def frozen(postgres: Cluster) -> Generator[None]:
    """Stop the server's processes: it keeps its connections and does not answer."""
    own = descendants(os.getpid())
    server = next(each.pid for each in own if f"port={postgres.port}" in each.command)
    processes = [server, *(each.pid for each in descendants(server))]
    for pid in processes:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in processes:
            os.kill(pid, signal.SIGCONT)
