"""The processes: start, refusal to start, health."""

import asyncio
import base64
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from generation.broker import WorkerReport, save_report
from generation.settings import Settings
from ops.cli.exit_codes import CliError
from ops.cli.flower_access import check_access
from ops.cli.flower_page import COLUMNS
from ops.stack.broker import BrokerProcess
from ops.stack.ports import LOOPBACK, free_port
from tests.cli.conftest import Deployment
from tests.cli.script import SOON, Genq, answer_of, status_of
from tests.services.waiting import wait_for
from worker.runtime.heartbeat import beat, path


class TestFlower:
    auth = "Basic " + base64.b64encode(b"watcher:by:night").decode()

    def test_jobs_are_shown_with_the_password(self, deployment: Deployment) -> None:
        tasks = f"{deployment.flower_url}/api/tasks"
        assert status_of(tasks) == 401
        assert status_of(tasks, "Basic " + base64.b64encode(b"watcher:by").decode()) == 401
        ordered = deployment.caller("submit", "midjourney.imagine", "prompt=for Flower")
        job_id = ordered.out.strip()

        def shown() -> bool:
            status, body = answer_of(tasks, self.auth)
            assert status == 200
            return job_id in json.loads(body)

        wait_for(shown, SOON, "the job to be a row in Flower")

    def test_flower_is_read_only(self, deployment: Deployment) -> None:
        url = f"{deployment.flower_url}/api/worker/shutdown/genq"
        assert answer_of(url, self.auth, method="POST")[0] == 403

    def test_the_page_has_the_configured_columns(self, deployment: Deployment) -> None:
        status, page = answer_of(f"{deployment.flower_url}/tasks", self.auth)
        assert status == 200
        columns = re.findall(r'data-column="(\w+)"', page.decode())
        assert columns == COLUMNS.split(",")

    def test_the_health_check_needs_no_password(self, deployment: Deployment) -> None:
        assert answer_of(f"{deployment.flower_url}/healthcheck") == (200, b"OK")

    def test_flower_refuses_public_addresses_without_a_password(self, genq: Genq) -> None:
        answer = genq.having(flower_host="0.0.0.0")("flower")
        assert answer.code == 1
        assert "set GENQ_FLOWER_BASIC_AUTH=user:password" in answer.sentence

    @pytest.mark.parametrize(
        ("host", "auth", "refusal"),
        [
            ("127.0.0.1", None, None),
            ("::1", None, None),
            ("localhost", None, None),
            ("0.0.0.0", "a:b", None),
            ("::", None, "set GENQ_FLOWER_BASIC_AUTH=user:password, or GENQ_FLOWER_HOST"),
            ("genq.test.invalid", None, "everyone who can reach genq.test.invalid"),
            ("127.0.0.1", "hush", "must be user:password"),
            ("127.0.0.1", ":hush", "must be user:password"),
        ],
    )
    def test_access_rules(self, host: str, auth: str | None, refusal: str | None) -> None:
        password = None if auth is None else SecretStr(auth)
        settings = Settings(flower_host=host, flower_basic_auth=password)
        if refusal is None:
            check_access(settings)
            return
        with pytest.raises(CliError, match=refusal) as stop:
            check_access(settings)
        assert "hush" not in str(stop.value)

    def test_behind_a_proxy_without_a_broker_until_ctrl_c(self, genq: Genq) -> None:
        port = free_port()
        alone = genq.having(
            redis_url="redis://127.0.0.1:1/0", flower_port=str(port), flower_url_prefix="/watch/"
        )
        process = alone.popen("flower")
        try:
            page = f"http://127.0.0.1:{port}/watch"
            wait_for(lambda: status_of(f"{page}/healthcheck") == 200, SOON, "Flower")
            assert b'href="/watch/tasks"' in answer_of(f"{page}/tasks")[1]
            assert status_of(f"{page}/static/favicon.ico") == 200
        finally:
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=30)
        assert process.returncode == 0
        assert b"Traceback" not in err

    def test_an_occupied_port_is_reported(self, genq: Genq) -> None:
        with socket.create_server((LOOPBACK, 0)) as taken:
            port = taken.getsockname()[1]
            answer = genq.having(flower_port=str(port))("flower")
        assert answer.code == 1
        assert answer.sentence.endswith("set GENQ_FLOWER_PORT")


class TestHealth:
    def test_a_ticking_worker_is_healthy(self, deployment: Deployment) -> None:
        answer = deployment.operator("health", "worker")
        assert (answer.code, answer.err) == (0, "")

    def test_only_workers_with_the_same_settings_count(self, deployment: Deployment) -> None:
        other = deployment.operator.having(redis_url="redis://127.0.0.1:1/0")
        answer = other("health", "worker")
        assert answer.code == 1
        assert "start genq worker" in answer.sentence

    def test_a_stopped_ticker_is_unhealthy(
        self, genq: Genq, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
        url = f"sqlite+aiosqlite:///{tmp_path}/genq.db"
        settings = Settings(database_url=url, redis_url="redis://:hush@127.0.0.1:1/0")
        having = genq.having(database_url=url, redis_url="redis://:hush@127.0.0.1:1/0")
        beat(settings)
        os.utime(path(settings), (time.time() - 40, time.time() - 40))
        answer = having("health", "worker")
        assert answer.code == 1
        assert "no worker has ticked for 4" in answer.sentence

    def test_a_switched_off_worker_is_a_warning(
        self,
        genq: Genq,
        tmp_path: Path,
        private_broker: BrokerProcess,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
        url = f"sqlite+aiosqlite:///{tmp_path}/genq.db"
        beat(Settings(database_url=url, redis_url=private_broker.url))
        having = genq.having(database_url=url, redis_url=private_broker.url)

        async def report(name: str, *switched_off: str) -> None:
            redis = Redis.from_url(private_broker.url)
            await save_report(redis, WorkerReport(name, switched_off))
            await redis.aclose()

        asyncio.run(report(f"worker-1@{socket.gethostname()}"))
        asyncio.run(report("worker-2@elsewhere", "submits"))
        assert having("health", "worker").err == ""
        asyncio.run(report(f"worker-1@{socket.gethostname()}", "submits"))
        answer = having("health", "worker")
        assert answer.code == 0
        assert f"submits of worker-1@{socket.gethostname()}" in answer.sentence
        assert "restart this worker" in answer.sentence
        workers = [
            (finding["subject"], finding["level"])
            for finding in having("check", "--json").json["findings"]
            if finding["subject"].startswith("worker ")
        ]
        assert sorted(workers) == [
            (f"worker worker-1@{socket.gethostname()}", "warning"),
            ("worker worker-2@elsewhere", "warning"),
        ]

    def test_health_of_the_api(self, deployment: Deployment) -> None:
        everywhere = deployment.operator.having(api_host="0.0.0.0")
        assert everywhere("health", "api").code == 0
        away = deployment.operator.having(api_port=str(free_port()))("health", "api")
        assert away.code == 1
        assert "start genq api" in away.sentence


class TestStarting:
    def test_unusable_stations_are_reported(self, genq: Genq, tmp_path: Path) -> None:
        (tmp_path / "stations.toml").write_text('[[stations]]\nname = "a"\nkeys = [{env = "NONE"}]')
        answer = genq("api")
        assert answer.code == 1
        assert "the environment variable NONE is not set" in answer.sentence

    def test_invalid_sandbox_settings_are_reported(self, genq: Genq) -> None:
        with socket.create_server((LOOPBACK, 0)) as taken:
            port = taken.getsockname()[1]
            answer = genq("sandbox", "--port", str(port))
        assert answer.code == 1
        assert answer.sentence.endswith("give another --port")
        wrong = genq.having(sandbox_tasks_kept="none")("sandbox")
        assert wrong.code == 2
        assert wrong.sentence == "genq: GENQ_SANDBOX_TASKS_KEPT: give a whole number"
        unknown = genq.having(sandbox_sped="2")("sandbox")
        assert unknown.code == 2
        assert "GENQ_SANDBOX_SPED: " in unknown.sentence
        assert unknown.sentence.endswith("did you mean GENQ_SANDBOX_SPEED?")

    @pytest.mark.parametrize(
        "command", [("api",), ("worker",), ("flower",), ("migrate",), ("keys", "list"), ("check",)]
    )
    def test_unknown_settings_are_rejected(
        self, genq: Genq, tmp_path: Path, command: tuple[str, ...]
    ) -> None:
        answer = genq.having(datbase_url="postgresql+asyncpg://u:secret@h/d")(*command)
        assert answer.code == 1
        assert "GENQ_DATBASE_URL: there is no such setting" in answer.out + answer.err
        assert "did you mean GENQ_DATABASE_URL?" in answer.out + answer.err
        assert "secret" not in answer.out + answer.err
        assert not (tmp_path / ".genq").exists(), "nothing was made meanwhile"

    def test_unknown_settings_are_rejected_in_files_and_for_celery(
        self, genq: Genq, tmp_path: Path
    ) -> None:
        (tmp_path / ".env").write_text("GENQ_TICKS=1\n")
        assert "GENQ_TICKS: there is no such setting; did you mean GENQ_TICK?" in genq("api").err
        command = [sys.executable, "-m", "celery", "-A", "worker.app", "worker"]
        ended = subprocess.run(
            command, cwd=tmp_path, env=genq.environment, capture_output=True, check=False
        )
        assert b"did you mean GENQ_TICK?" in ended.stderr
        assert ended.returncode != 0
