"""The context of a fault: the system, its services and connections, and the time limits."""

import shutil
import signal
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ops.faults.books import Books
from ops.faults.house import House, Lines, Runner
from ops.faults.proxy import GARBAGE, Harm, Proxy
from ops.faults.recovery import Recoveries
from ops.faults.verdict import RECOVERY_SECONDS
from ops.stack.broker import BrokerProcess
from tests.services.postgres import Cluster

LOOK_SECONDS = 0.02
MARGIN_SECONDS = 5
BALLAST_BYTES = 1024 * 1024


@dataclass
class Field:
    """Where the violence takes place."""

    house: House
    broker: BrokerProcess
    books: Books
    recoveries: Recoveries
    #: The database's server; None on SQLite.
    server: Cluster | None
    #: The small disk that holds an SQLite database; None where there is none to fill.
    disk: Path | None
    #: In a short run everything that takes time takes a tenth of it.
    is_short: bool
    #: How long a trap waits for somebody to come past.
    patience: float

    @property
    def lines(self) -> Lines:
        return self.house.lines

    @property
    def cluster(self) -> Cluster:
        assert self.server is not None
        return self.server

    @property
    def database_line(self) -> Proxy:
        assert self.lines.database is not None
        return self.lines.database

    def seconds(self, usual: float) -> float:
        return usual / 10 if self.is_short else usual

    def wait(self, condition: Callable[[], bool]) -> bool:
        """Whether it came true while there was patience."""
        deadline = time.monotonic() + self.patience
        while not condition():
            if time.monotonic() > deadline:
                return False
            time.sleep(LOOK_SECONDS)
        return True

    def spring(self, trap: str, action: str) -> bool:
        """Set a trap and wait for somebody to step into it."""
        self.house.traps.set(trap, action)
        hit = self.wait(self.collect)
        self.house.traps.unset(trap)
        return self.collect() or hit

    def collect(self) -> bool:
        sprung = self.house.traps.sprung()
        for each in sprung:
            self.house.expect_end(each.pid)
            if each.action == "kill":
                self.recoveries.note(each.trap, each.about, each.at)
        return bool(sprung)

    def wait_for_recovery(self) -> None:
        """Until nothing stands still that a kill has left, or for longer than that may take."""
        deadline = time.monotonic() + RECOVERY_SECONDS + MARGIN_SECONDS
        while self.recoveries.pending and time.monotonic() < deadline:
            time.sleep(LOOK_SECONDS)

    def harm(
        self, line: Proxy, matches: Callable[[bytes], bool], harm: Harm, reply: bytes = GARBAGE
    ) -> bool:
        """Do this to the next exchange of this line that matches."""
        tamper = line.tamper(matches, harm, reply=reply)
        hit = self.wait(tamper.done.is_set)
        line.forget(tamper)
        return hit

    def kill_workers(self, cause: str) -> None:
        """SIGKILL all workers; whatever was being submitted stands still from now on."""
        now = time.time()
        for worker in self.house.workers:
            self.house.signal(worker, signal.SIGKILL)
        for job_id in self.books.submitting():
            self.recoveries.note(cause, job_id, now)

    @contextmanager
    def frozen(self, worker: Runner) -> Generator[None]:
        """A worker that stands still for as long as the block lasts, as on a machine that swaps."""
        process = worker.process
        self.house.signal(worker, signal.SIGSTOP)
        try:
            yield
        finally:
            if process is not None and process.poll() is None:
                process.send_signal(signal.SIGCONT)

    def fill_disk(self, seconds: float) -> bool:
        """Leave no byte free on the small disk for so long. False where there is no such disk."""
        if self.disk is None:
            return False
        ballast = self.disk / "ballast"
        until = time.monotonic() + seconds
        try:
            with ballast.open("wb", buffering=0) as file:
                while time.monotonic() < until:
                    try:
                        file.write(
                            bytes(min(BALLAST_BYTES, shutil.disk_usage(self.disk).free) or 1)
                        )
                    except OSError:
                        time.sleep(LOOK_SECONDS)  # full: what has become free is taken, too
        finally:
            ballast.unlink(missing_ok=True)
        return True
