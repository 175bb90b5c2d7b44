"""A benchmark's folder, broker and processes."""

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

#: Python arguments that run `genq` without its console script.
GENQ = ("-c", "from ops.cli import main; main()")
START_SECONDS = 90
STOP_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Workspace:
    """Exists until `stack` is unwound, with everything entered into it."""

    folder: Path
    reaper: ChildReaper
    broker: BrokerProcess
    stack: ExitStack

    @contextmanager
    def running(
        self, name: str, command: Sequence[str], environment: Mapping[str, str]
    ) -> Generator[int]:
        """Run a Python process during the block; yield its pid. It prints to `log(name)`."""
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
        """Like `running`, but wait until the URL answers."""
        with self.running(name, command, environment) as pid:
            self.wait_until(lambda: answers(url), name, every=0.05)
            yield pid

    def wait_until(self, condition: Callable[[], bool], name: str, *, every: float = 1) -> None:
        """Poll the condition every `every` seconds; exit with the log after a timeout."""
        deadline = monotonic() + START_SECONDS
        while not condition():
            if monotonic() > deadline:
                output = (
                    self.log(name).read_text(errors="replace") if self.log(name).exists() else ""
                )
                sys.exit(f"waited {START_SECONDS} s for {name}\n{output[-2000:]}")
            sleep(every)

    def log(self, name: str) -> Path:
        return self.folder / f"{name}.log"


@contextmanager
def temporary_workspace() -> Generator[Workspace]:
    """Yield a workspace in a temporary folder with a broker of its own."""
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
