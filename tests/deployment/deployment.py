"""
Starting, breaking and asking a whole genq.
"""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import httpx
from sqlalchemy import update

from generation.store import Store, new_key
from generation.store.schema import jobs
from generation.webhooks.signature import new_secret
from ops.sandbox.handle import SandboxHandle
from ops.stack.child_reaper import ChildReaper, kill_group
from ops.stack.ports import free_port
from tests.deployment.receiver import Receiver
from tests.services.waiting import wait_for

Value = TypeVar("Value")

START = timedelta(seconds=60)
FINISH = timedelta(seconds=60)
GENQ = str(Path(sys.executable).parent / "genq")

#: For the tests that wait for a lease to run out; the others keep the usual one, which a machine
#: that is busy for a moment does not let run out by itself.
SHORT_LEASE = "4"
#: Everything that is worth waiting for comes quickly in tests.
QUICK: Mapping[str, str] = {
    "GENQ_TICK": "0.1",
    "GENQ_NUDGE_AGAIN": "1",
    "GENQ_RETRY_BASE": "0.2",
    "GENQ_LOOK_TIMEOUT": "5",
    "GENQ_WORKER_CONCURRENCY": "16",
    "GENQ_WEBHOOK_ALLOW_HTTP": "true",
    "GENQ_WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8",
    "GENQ_WEBHOOK_ALLOWED_PORTS": "any",
    "GENQ_WEBHOOK_SCHEDULE": "0,0.3,0.3,0.3,5",
}

STATIONS = """
[[stations]]
name = "sandbox"
url = "{url}"
speed = {speed}

[stations.speaks]
midjourney = {{ dialect = "midjourney.station" }}
kling = {{ dialect = "kling.relay" }}

[[stations.keys]]
name = "main"
env = "TEST_STATION_KEY"
"""


@dataclass
class Program:
    """One running process of the deployment."""

    name: str
    process: "subprocess.Popen[bytes]"
    log: Path
    reaper: ChildReaper

    def kill(self) -> None:
        """SIGKILL, as a machine that loses power."""
        kill_group(self.process.pid)
        self._ended()

    def stop(self, patience: timedelta = FINISH) -> int:
        """SIGTERM, and the exit code it ends with."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(patience.total_seconds())
        finally:
            kill_group(self.process.pid)
        self._ended()
        return self.process.returncode

    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def _ended(self) -> None:
        self.process.wait()
        self.reaper.release(self.process.pid)


@dataclass
class Deployment:
    """One genq: its settings, its processes, and a caller with a key."""

    folder: Path
    reaper: ChildReaper
    sandbox: SandboxHandle
    receiver: Receiver
    store_url: str
    redis_url: str
    speed: float = 20
    settings: dict[str, str] = field(default_factory=dict[str, str])
    key: str = field(default_factory=new_key)
    webhook_secret: str = field(default_factory=new_secret)
    programs: list[Program] = field(default_factory=list[Program])
    api_url: str = ""
    #: The `genq` that is run.
    program: str = GENQ
    #: One for all requests: to make one takes longer than a request does.
    http: httpx.Client = field(default_factory=lambda: httpx.Client(trust_env=False, timeout=20))

    def __post_init__(self) -> None:
        stations = self.folder / "stations.toml"
        stations.write_text(STATIONS.format(url=self.sandbox.url, speed=self.speed))
        asyncio.run(self._add_key())

    async def _add_key(self) -> None:
        store = Store(self.store_url)
        try:
            await store.keys.add("tester", self.key, self.webhook_secret, datetime.now(UTC))
        finally:
            await store.close()

    @property
    def environment(self) -> dict[str, str]:
        own = {
            "GENQ_DATA_DIR": str(self.folder / "data"),
            "GENQ_DATABASE_URL": self.store_url,
            "GENQ_REDIS_URL": self.redis_url,
            "GENQ_STATIONS_FILE": str(self.folder / "stations.toml"),
            "TEST_STATION_KEY": "sk-test",
        }
        return {**os.environ, **QUICK, **own, **self.settings}

    def start(self, name: str, *arguments: str, **environment: str) -> Program:
        log = self.folder / f"{name}-{len(self.programs)}.log"
        with log.open("wb") as output:
            process = self.reaper.launch(
                [self.program, *arguments],
                output=output,
                env={**self.environment, **environment},
                cwd=self.folder,
            )
        program = Program(name, process, log, self.reaper)
        self.programs.append(program)
        return program

    def start_api(self) -> Program:
        """An API that answers."""
        port = free_port()
        self.api_url = f"http://127.0.0.1:{port}"
        program = self.start("api", "api", GENQ_API_PORT=str(port))
        wait_for(lambda: self._alive(program), START, "the API to answer")
        return program

    def start_worker(self) -> Program:
        """A worker that has begun to tick; it may still be looking for its broker."""
        program = self.start("worker", "worker")
        wait_for(lambda: "worker_ready" in _running(program).output(), START, "the worker to tick")
        return program

    def start_in_background(self, work: Callable[[], Value]) -> Future[Value]:
        """What a test must do while it looks on."""
        pool = ThreadPoolExecutor(1)
        try:
            return pool.submit(work)
        finally:
            pool.shutdown(wait=False)

    def _alive(self, program: Program) -> bool:
        _running(program)
        try:
            return self.http.get(f"{self.api_url}/healthz").status_code == 200
        except httpx.TransportError:
            return False

    def close(self) -> None:
        self.http.close()
        for program in reversed(self.programs):
            if program.process.poll() is None:
                program.kill()

    # What a caller does

    def request(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        headers = {"authorization": f"Bearer {self.key}"} | arguments.pop("headers", {})
        return self.http.request(method, f"{self.api_url}{path}", headers=headers, **arguments)

    def submit(self, name: str, prompt: str, **fields: Any) -> str:
        """Post a job with this prompt; its id. The webhook goes to the receiver."""
        provider, operation = name.split(".")
        body = {
            "provider": provider,
            "operation": operation,
            "input": {"prompt": prompt},
            "webhook": {"url": self.receiver.url},
            **fields,
        }
        answer = self.request("POST", "/v1/jobs", json=body)
        assert answer.status_code == 202, answer.text
        return answer.json()["id"]

    def job(self, job_id: str) -> dict[str, Any]:
        return self.request("GET", f"/v1/jobs/{job_id}").raise_for_status().json()

    def until(self, job_id: str, *states: str, patience: timedelta = FINISH) -> dict[str, Any]:
        """The job once it is in one of these states."""

        def there() -> dict[str, Any] | None:
            job = self.job(job_id)
            return job if job["state"] in states else None

        try:
            return wait_for(there, patience, f"{job_id} to be {' or '.join(states)}") or {}
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.job(job_id)}\n{self.logs()}") from None

    def let_deadline_pass(self, job_id: str) -> None:
        """Now, and not before the test has seen what it must."""
        asyncio.run(self._end_patience(job_id))

    async def _end_patience(self, job_id: str) -> None:
        store = Store(self.store_url)
        now = datetime.now(UTC)
        passed = update(jobs).where(jobs.c.id == job_id).values(deadline=now, wake_at=now)
        try:
            async with store.database.writing() as connection:
                await connection.execute(passed)
        finally:
            await store.close()

    def told(self, job_id: str, patience: timedelta = FINISH) -> dict[str, Any]:
        """The verified payload of the first webhook about this job."""
        wait_for(lambda: self.receiver.about(job_id), patience, f"a webhook about {job_id}")
        return self.receiver.about(job_id)[0].verify(self.webhook_secret)

    def logs(self) -> str:
        return "\n".join(f"--- {p.name}\n{p.output()[-3000:]}" for p in self.programs)


def _running(program: Program) -> Program:
    assert program.process.poll() is None, f"{program.name} ended:\n{program.output()[-3000:]}"
    return program


@contextmanager
def deployed(deployment: Deployment) -> Generator[Deployment]:
    """The deployment; whatever it has started ends with the block."""
    try:
        yield deployment
    finally:
        deployment.close()
