"""A PostgreSQL server of the tests' own, that can be stopped, killed and started again."""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any, Self, cast

import asyncpg

from ops.stack.child_reaper import ChildReaper, kill_group
from ops.stack.ports import LOOPBACK, free_port
from tests.services.postgres_installation import SUPERUSER, Installation, PostgresUnavailable
from tests.services.processes import descendants, is_running

START_WITHIN = timedelta(seconds=60)
STOP_WITHIN = timedelta(seconds=60)
ASK_EVERY = timedelta(milliseconds=10)

#: What is acknowledged survives the loss of the machine, as in production.
DURABLE = ("-c", "fsync=on", "-c", "synchronous_commit=on")
#: What is acknowledged survives the loss of a process only: several times faster.
FORGETFUL = ("-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")


class Cluster:
    """
    A server on a copy of the installation's seed, on 127.0.0.1 and a Unix socket in its folder.

    Its port stays the same over restarts. Every method blocks; a start takes about 0.1 s. Its
    output is appended to a log beside its folder, and its children end when this process does.
    """

    def __init__(
        self, installation: Installation, name: str, reaper: ChildReaper, *, durable: bool = True
    ) -> None:
        self.port = free_port()
        self._installation = installation
        self._reaper = reaper
        self._folder = installation.home / name
        self._log = installation.home / f"{name}.log"
        self._writes = DURABLE if durable else FORGETFUL
        self._process: subprocess.Popen[bytes] | None = None
        installation.run(["cp", "-a", installation.seed, self._folder])

    @property
    def url(self) -> str:
        """The database `postgres` that every cluster has."""
        return self.url_of("postgres")

    @property
    def pid(self) -> int:
        """The server's process, whose children are its backends."""
        assert self._process is not None, "the server does not run"
        return self._process.pid

    def url_of(self, database: str) -> str:
        return f"postgresql+asyncpg://{SUPERUSER}@{LOOPBACK}:{self.port}/{database}"

    def create_database(self, name: str, template: str = "template0") -> str:
        """Make a database and say its URL; nobody may be connected to the template."""
        self._execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self.url_of(name)

    def drop_database(self, name: str) -> None:
        """Drop a database, and the connections somebody still has to it."""
        self._execute(f'DROP DATABASE "{name}" WITH (FORCE)')

    def start(self) -> None:
        """Start it and wait until it takes connections. Raises PostgresUnavailable. Idempotent."""
        if self._process is not None and self._process.poll() is None:
            return
        with self._log.open("ab") as log:
            self._process = self._reaper.launch(
                self._argv,
                output=log,
                env=self._installation.environ,
                cwd=self._installation.home,
                user=self._installation.account,
            )
        deadline = time.monotonic() + START_WITHIN.total_seconds()
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                words = self._log.read_text(errors="replace")[-2000:]
                raise PostgresUnavailable(f"PostgreSQL did not start on {self.port}:\n{words}")
            time.sleep(ASK_EVERY.total_seconds())

    def stop(self) -> None:
        """End cleanly without waiting for clients (a "fast" shutdown). Idempotent."""
        self._end(signal.SIGINT)

    def restart(self) -> None:
        """`stop`, then `start`: every connection is cut, nothing committed is lost."""
        self.stop()
        self.start()

    def kill(self) -> None:
        """SIGKILL the server and its backends at once, and wait until all are gone. Idempotent."""
        if self._process is None:
            return
        # A backend is the leader of a session of its own, and so out of reach of the group.
        backends = descendants(self._process.pid)
        kill_group(self._process.pid)
        for backend in backends:
            with contextlib.suppress(ProcessLookupError):
                os.kill(backend.pid, signal.SIGKILL)
        self._process.wait()
        self._reaper.release(self._process.pid)
        self._process = None
        while any(is_running(backend.pid) for backend in backends):
            time.sleep(ASK_EVERY.total_seconds())

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End it without further ado and delete its data."""
        if self._process is None and self._lock.exists():
            # A killed server leaves a shared memory segment that only its next start removes.
            with contextlib.suppress(PostgresUnavailable):
                self.start()
        self._end(signal.SIGQUIT)
        shutil.rmtree(self._folder)

    def _end(self, signum: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(signum)
        try:
            self._process.wait(STOP_WITHIN.total_seconds())
        except subprocess.TimeoutExpired:
            pass
        finally:
            self.kill()

    @property
    def _lock(self) -> Path:
        return self._folder / "postmaster.pid"

    @property
    def _argv(self) -> tuple[str, ...]:
        return (
            str(self._installation.programs / "postgres"),
            *("-D", str(self._folder)),
            *("-c", f"listen_addresses={LOOPBACK}"),
            *("-c", f"port={self.port}"),
            *("-c", f"unix_socket_directories={self._installation.home}"),
            *("-c", "max_connections=200"),
            *self._writes,
        )

    def _is_ready(self) -> bool:
        """As pg_ctl sees it: the lock file's first line is our server, its eighth the state."""
        try:
            lines = self._lock.read_text().splitlines()
        except FileNotFoundError:
            return False
        return (
            self._process is not None
            and len(lines) >= 8
            and lines[0] == str(self._process.pid)
            and lines[7].strip() == "ready"
        )

    def _execute(self, statement: str) -> None:
        # In a thread, because the caller's may already run an event loop.
        with ThreadPoolExecutor(max_workers=1) as thread:
            thread.submit(asyncio.run, self._execute_async(statement)).result()

    async def _execute_async(self, statement: str) -> None:
        connection = cast(
            Any,
            await asyncpg.connect(
                host=LOOPBACK, port=self.port, user=SUPERUSER, database="postgres", ssl=False
            ),
        )
        try:
            await connection.execute(statement)
        finally:
            await connection.close()
