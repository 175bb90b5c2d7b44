"""The API as a process: when it refuses to start, how it ends, what it logs."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.server import prepare
from api.startup_checks import Refusal
from generation.settings import Settings
from ops.stack.child_reaper import ChildReaper, kill_group
from ops.stack.ports import free_port
from tests.api.serving import ORDER, STATIONS, add_key, in_store, settings_of
from tests.services.migrations import sqlite_url_of
from tests.services.waiting import wait_for

START = timedelta(seconds=60)
PROGRAM = "from api.server import run; from generation.settings import Settings; run(Settings())"


def environment(folder: Path, store_url: str, redis_url: str, **changes: str) -> dict[str, str]:
    """The environment of an API with `STATIONS`."""
    (folder / "stations.toml").write_text(STATIONS)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("GENQ_")}
    own = {
        "GENQ_DATA_DIR": str(folder),
        "GENQ_DATABASE_URL": store_url,
        "GENQ_REDIS_URL": redis_url,
        "GENQ_STATIONS_FILE": str(folder / "stations.toml"),
        "GENQ_LOG_FORMAT": "json",
    }
    return inherited | own | changes


class TestRefusals:
    """Where the API cannot start, one sentence says what to do."""

    @pytest.mark.parametrize("schema", [True, False])
    def test_the_process_ends_at_once_with_code_1_and_one_line(
        self, tmp_path: Path, sqlite_url: str, schema: bool
    ) -> None:
        url = sqlite_url if schema else sqlite_url_of(tmp_path / "new.db")
        ended = subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env=environment(tmp_path, url, "redis://127.0.0.1:1/0"),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (ended.returncode, ended.stdout) == (1, ""), ended.stderr
        (line,) = ended.stderr.strip().splitlines()
        assert line.startswith("genq api: ")
        assert line.endswith("genq keys create NAME" if schema else "run: genq migrate")

    @staticmethod
    def refusal(folder: Path, store_url: str, **changes: Any) -> str:
        with pytest.raises(Refusal) as refused:
            prepare(settings_of(folder, store_url, "redis://127.0.0.1:1/0", **changes))
        assert "\n" not in str(refused.value)
        return str(refused.value)

    def test_no_database(self, tmp_path: Path) -> None:
        url = f"postgresql+asyncpg://genq:secret-word@127.0.0.1:{free_port()}/genq"
        sentence = self.refusal(tmp_path, url)
        assert "GENQ_DATABASE_URL" in sentence
        assert "secret-word" not in sentence

    def test_a_database_of_another_kind(self, tmp_path: Path) -> None:
        assert "postgresql+asyncpg" in self.refusal(tmp_path, "mysql://localhost/genq")

    def test_stations_that_cannot_be_read(self, tmp_path: Path, sqlite_url: str) -> None:
        add_key(settings_of(tmp_path, sqlite_url, ""), "acme")
        broken = tmp_path / "broken.toml"
        broken.write_text("[[stations]]\nname = 7\n")
        assert "broken.toml" in self.refusal(tmp_path, sqlite_url, stations_file=broken)

    def test_a_port_that_is_taken(self, tmp_path: Path, sqlite_url: str) -> None:
        add_key(settings_of(tmp_path, sqlite_url, ""), "acme")
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            assert "GENQ_API_PORT" in self.refusal(tmp_path, sqlite_url, api_port=port)


@dataclass
class Running:
    """An API process that answers."""

    process: "subprocess.Popen[bytes]"
    log: Path
    http: httpx.Client
    settings: Settings

    def end(self, number: signal.Signals = signal.SIGTERM) -> float:
        """Tell it to end; after how many seconds it has, with code 0."""
        began = time.monotonic()
        self.process.send_signal(number)
        assert self.process.wait(30) == 0, self.log.read_text()
        return time.monotonic() - began


@contextmanager
def running(
    folder: Path, store_url: str, redis_url: str, reaper: ChildReaper, **changes: str
) -> Generator[Running]:
    settings = settings_of(folder, store_url, redis_url)
    key = add_key(settings, "acme")
    port = free_port()
    log = folder / "api.log"
    env = environment(folder, store_url, redis_url, GENQ_API_PORT=str(port), **changes)
    with log.open("wb") as output:
        process = reaper.launch([sys.executable, "-c", PROGRAM], output=output, env=env)
    http = httpx.Client(
        base_url=f"http://127.0.0.1:{port}",
        headers={"x-api-key": key},
        trust_env=False,
        timeout=20,
    )

    def answers() -> bool:
        assert process.poll() is None, log.read_text()
        try:
            return http.get("/healthz").status_code == 200
        except httpx.TransportError:
            return False

    try:
        with http:
            wait_for(answers, START, "the API to answer")
            yield Running(process, log, http, settings)
    finally:
        kill_group(process.pid)
        process.wait()
        reaper.release(process.pid)


def test_an_interrupt_at_the_keyboard_ends_it_too(
    tmp_path: Path, sqlite_url: str, redis_url: str, reaper: ChildReaper
) -> None:
    with running(tmp_path, sqlite_url, redis_url, reaper) as api:
        api.http.get("/")  # leaves a connection open
        assert api.end(signal.SIGINT) < 10
        assert "Traceback" not in api.log.read_text()


def test_what_is_in_flight_is_answered_and_nothing_new_taken(
    tmp_path: Path, sqlite_url: str, redis_url: str, reaper: ChildReaper
) -> None:
    answered: list[str] = []
    refused = threading.Event()
    enough = threading.Event()

    def order_until_refused(http: httpx.Client) -> None:
        try:
            while True:
                answer = http.post("/v1/jobs", json=ORDER)
                assert answer.status_code == 202, answer.text
                answered.append(answer.json()["id"])
                if len(answered) >= 30:
                    enough.set()
        except httpx.TransportError:
            refused.set()

    with running(tmp_path, sqlite_url, redis_url, reaper) as api:
        threads = [threading.Thread(target=order_until_refused, args=(api.http,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        assert enough.wait(30)
        assert api.end() < 15
        for thread in threads:
            thread.join(30)
        assert refused.is_set()
        kept = in_store(api.settings, lambda store: store.jobs.counts())
        # Everything that was answered was kept, and nothing was kept without an answer.
        assert kept == {"queued": len(answered)}
        assert len(set(answered)) == len(answered)
        assert "Traceback" not in api.log.read_text()


def test_a_request_without_end_does_not_keep_it_alive(
    tmp_path: Path, sqlite_url: str, redis_url: str, reaper: ChildReaper
) -> None:
    with running(tmp_path, sqlite_url, redis_url, reaper) as api:
        begun, ended = threading.Event(), threading.Event()

        def drip() -> Iterator[bytes]:
            yield b"{"
            begun.set()
            ended.wait(60)

        def post() -> None:
            with suppress(httpx.TransportError):
                api.http.post("/v1/jobs", content=drip())

        thread = threading.Thread(target=post)
        thread.start()
        assert begun.wait(30)
        try:
            assert api.end() < 15
        finally:
            ended.set()
            thread.join(15)


def test_the_log_has_what_went_wrong_and_no_secret(
    tmp_path: Path, sqlite_url: str, redis_url: str, reaper: ChildReaper
) -> None:
    secret = {
        "input": {"prompt": "private-prompt", "nonsense": "private-field"},
        "webhook": {"url": "http://hooks.example.com/?token=private-token"},
    }
    with running(tmp_path, sqlite_url, redis_url, reaper) as api:
        http: Any = api.http
        assert http.post("/v1/jobs", json=ORDER | {"input": {"prompt": "private"}}).is_success
        refused = http.post("/v1/jobs?private=query", json=ORDER | secret)
        assert refused.status_code == 422
        assert http.get("/v1/jobs", headers={"x-api-key": "private-key" * 4}).status_code == 401
        assert http.get("/nowhere%0a{%22event%22:1}").status_code == 404
        api.end()
        log = api.log.read_text()
    assert "private" not in log
    assert http.headers["x-api-key"] not in log
    lines = [line for line in log.splitlines() if '"event": "request"' in line]
    assert len(lines) == 3, log
    assert refused.headers["x-request-id"] in lines[0]
    assert '"status": 422' in lines[0]
    assert "/nowhere%0a" in lines[2]
