"""The system under test: its processes, restarted when they end, behind proxies."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from ops.faults.proxy import Proxy
from ops.faults.traps import TrapFolder
from ops.stack.child_reaper import ChildReaper, kill_group
from ops.stack.ports import free_port

#: What watches over processes in production takes about so long to notice that one has ended.
RESTART_SECONDS = 0.5
LOOK_SECONDS = 0.05
#: A process that ends within this, with 1 or 3, has refused to start: its database was away.
REFUSAL_SECONDS = 30
REFUSED = (1, 3)
#: What a process that was killed, or told to end, ends with.
ORDERLY = (0, -signal.SIGKILL, -signal.SIGTERM)
START_SECONDS = 60
STOP_SECONDS = 100

STATIONS = """
[[stations]]
name = "sandbox"
url = "{url}"
speed = {speed}

[stations.speaks]
midjourney = {{ dialect = "midjourney.{face}" }}
kling = {{ dialect = "kling.relay" }}

[[stations.keys]]
name = "main"
env = "FAULTS_STATION_KEY"
max_in_flight = 400
"""


@dataclass(frozen=True, slots=True)
class Lines:
    """The connections that can be broken. `database` is None on SQLite, which has none."""

    database: Proxy | None
    broker: Proxy
    station: Proxy
    receiver: Proxy


class Runner:
    """One process that is started again when it ends, however it ends."""

    def __init__(self, house: "House", name: str, program: str) -> None:
        self.name = name
        self.starts = 0
        self._house = house
        self._program = program
        self._due = self._began = 0.0
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        return self.process.pid if self.process else 0

    def look(self) -> None:
        """Start it, if it has ended for long enough."""
        if self.process is not None and self.process.poll() is not None:
            kill_group(self.process.pid)
            self._house.reaper.release(self.process.pid)
            self._house.note_end(self.name, self.process, time.monotonic() - self._began)
            self.process, self._due = None, time.monotonic() + RESTART_SECONDS
        if self.process is None and time.monotonic() >= self._due:
            self.process = self._house.launch(self.name, self._program)
            self._began = time.monotonic()
            self.starts += 1

    def end(self, deadline: float) -> None:
        """Wait for a process that was told to stop, and kill it if it does not."""
        if self.process is None:
            return
        try:
            self.process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            pass
        finally:
            kill_group(self.process.pid)
            self.process.wait()
            self._house.reaper.release(self.process.pid)


class House:
    """One API and some workers, under a watch of its own until it is closed."""

    def __init__(
        self,
        folder: Path,
        reaper: ChildReaper,
        lines: Lines,
        settings: Mapping[str, str],
        workers: int,
    ) -> None:
        self.folder = folder
        self.reaper = reaper
        self.lines = lines
        self.traps = TrapFolder(folder / "traps")
        self.port = free_port()
        self._ends: list[tuple[str, int, int, float]] = []
        self._expected: set[int] = set()
        self._settings = settings
        self.api = Runner(self, "api", "api")
        self.workers = [Runner(self, f"worker-{n}", "worker") for n in range(1, workers + 1)]
        self._open = threading.Event()
        self._watch = threading.Thread(target=self._keep_running, name="watch", daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start everything and wait until the API answers and every worker ticks."""
        self._open.set()
        self._watch.start()
        deadline = time.monotonic() + START_SECONDS
        while not (self.answers() and all(self.ticks(worker) for worker in self.workers)):
            if time.monotonic() > deadline:
                raise RuntimeError(f"genq did not start:\n{self.last_words()}")
            time.sleep(LOOK_SECONDS)

    def launch(self, name: str, program: str) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "ops.faults.launcher", str(self.traps.path), program]
        with (self.folder / f"{name}.log").open("ab") as log:
            return self.reaper.launch(
                command,
                output=log,
                env={**os.environ, **self._settings, "GENQ_API_PORT": str(self.port)},
                cwd=Path.cwd(),
            )

    def answers(self) -> bool:
        """Whether the API answers at all."""
        try:
            return httpx.get(f"{self.url}/healthz", trust_env=False, timeout=1).status_code == 200
        except httpx.HTTPError:
            return False

    def ticks(self, worker: Runner) -> bool:
        log = self.folder / f"{worker.name}.log"
        return log.exists() and log.read_bytes().count(b"worker_ready") >= worker.starts > 0

    def expect_end(self, pid: int) -> None:
        """This process is about to end, and that is in order."""
        self._expected.add(pid)

    def note_end(self, name: str, process: "subprocess.Popen[bytes]", age: float) -> None:
        self._ends.append((name, process.pid, process.returncode, age))

    def deaths(self) -> list[str]:
        """Ends that nobody ordered, and disorderly ones, in words."""
        found = [
            f"{name} ended by itself with {code}"
            for name, pid, code, age in self._ends
            if pid not in self._expected and not (code in REFUSED and age < REFUSAL_SECONDS)
        ]
        return found + [
            f"{name}, told to end, ended with {code}"
            for name, pid, code, _ in self._ends
            if pid in self._expected and code not in ORDERLY
        ]

    def signal(self, runner: Runner, signum: signal.Signals) -> None:
        """Send a signal to a process; one that has just ended is no error."""
        if runner.process is not None and runner.process.poll() is None:
            if signum in (signal.SIGTERM, signal.SIGKILL):
                self.expect_end(runner.process.pid)
            runner.process.send_signal(signum)

    def set_clock(self, seconds: float) -> None:
        """Set the workers' clock this far off the right time."""
        (self.traps.path / ".clock").write_text(str(seconds))
        (self.traps.path / ".clock").rename(self.traps.path / "clock")

    def close(self) -> None:
        """Stop everything in order, with the patience a worker may need."""
        self._open.clear()
        if self._watch.is_alive():
            self._watch.join()
        deadline = time.monotonic() + STOP_SECONDS
        for runner in [self.api, *self.workers]:
            self.signal(runner, signal.SIGTERM)
        for runner in [self.api, *self.workers]:
            runner.end(deadline)

    def last_words(self) -> str:
        """The ends of all logs."""
        logs = sorted(self.folder.glob("*.log"))
        return "\n".join(
            f"--- {log.name}\n{log.read_text('utf-8', 'replace')[-2000:]}" for log in logs
        )

    def _keep_running(self) -> None:
        while self._open.is_set():
            for runner in [self.api, *self.workers]:
                runner.look()
            time.sleep(LOOK_SECONDS)
