"""
Where a measurement takes place: a folder and a broker of its own, and the processes that it runs.
"""

import os
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

from ops.stack.broker import BrokerProcess, local_broker
from ops.stack.child_reaper import ChildReaper, kill_group

#: `genq`, as a Python runs it that has no script of that name.
GENQ = ("-c", "from ops.cli import main; main()")
START_SECONDS = 90
STOP_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Workspace:
    """There until `stack` is unwound, with all that was entered into it."""

    folder: Path
    reaper: ChildReaper
    broker: BrokerProcess
    stack: ExitStack

    @contextmanager
    def running(
        self, name: str, command: Sequence[str], environment: Mapping[str, str]
    ) -> Generator[int]:
        """A Python process for as long as the block lasts, by its pid; it prints to `log(name)`."""
        with self.log(name).open("ab") as log:
            process = self.reaper.launch(
                [sys.executable, *command], output=log, env={**os.environ, **environment}
            )
        try:
            yield process.pid
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                pass
            finally:
                kill_group(process.pid)
                process.wait()
                self.reaper.release(process.pid)

    @contextmanager
    def serving(
        self, name: str, command: Sequence[str], environment: Mapping[str, str], url: str
    ) -> Generator[int]:
        """The same, once it answers at the URL."""
        with self.running(name, command, environment) as pid:
            self.wait_until(lambda: answers(url), name, every=0.05)
            yield pid

    def wait_until(self, condition: Callable[[], bool], name: str, *, every: float = 1) -> None:
        """Until what is asked so often, in seconds, is so; else the command ends, with its log."""
        deadline = monotonic() + START_SECONDS
        while not condition():
            if monotonic() > deadline:
                said = self.log(name).read_text(errors="replace") if self.log(name).exists() else ""
                sys.exit(f"waited {START_SECONDS} s for {name}\n{said[-2000:]}")
            sleep(every)

    def log(self, name: str) -> Path:
        return self.folder / f"{name}.log"


@contextmanager
def temporary_workspace() -> Generator[Workspace]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="genq-bench-")))
        reaper = stack.enter_context(ChildReaper())
        broker = BrokerProcess(local_broker(folder / "broker", os.environ), reaper)
        yield Workspace(folder, reaper, stack.enter_context(broker), stack)


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1):
            return True
    except (urllib.error.URLError, OSError):
        return False
