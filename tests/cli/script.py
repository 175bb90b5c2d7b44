"""The console script `genq`, in its own folder and environment."""

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from ops.stack.child_reaper import ChildReaper
from tests.services.leaks import MARK
from tests.services.waiting import wait_for

GENQ = Path(sys.executable).with_name("genq")
#: Patient: the machine may be busy with other tests.
SOON = timedelta(seconds=60)
OURS = ("GENQ_", "FLOWER_", "CELERY_")


@dataclass(frozen=True)
class Outcome:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def sentence(self) -> str:
        """The one line on standard error that a known failure ends with."""
        assert "Traceback" not in self.err
        lines = self.err.splitlines()
        assert lines, f"exit code {self.code} without a word"
        assert lines[-1].startswith("genq: "), self.err
        return lines[-1]


@dataclass(frozen=True)
class Genq:
    """Runs `genq`. What it writes stays in `folder`; `settings` are its GENQ_* variables."""

    folder: Path
    settings: Mapping[str, str]

    def having(self, **settings: str) -> "Genq":
        """The same with other settings besides, named without GENQ_."""
        named = {f"GENQ_{name.upper()}": value for name, value in settings.items()}
        return replace(self, settings={**self.settings, **named})

    @property
    def environment(self) -> dict[str, str]:
        outer = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(OURS) or name == MARK
        }
        return {**outer, "TMPDIR": str(self.folder), "HOME": str(self.folder), **self.settings}

    def __call__(self, *arguments: str, stdin: bytes = b"") -> Outcome:
        """Run a command to its end."""
        ended = subprocess.run(
            [GENQ, *arguments],
            input=stdin,
            capture_output=True,
            cwd=self.folder,
            env=self.environment,
            timeout=90,
            check=False,
        )
        return Outcome(ended.returncode, ended.stdout.decode(), ended.stderr.decode())

    def popen(self, *arguments: str) -> "subprocess.Popen[bytes]":
        """Start a command whose end the test waits for."""
        return subprocess.Popen(
            [GENQ, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=self.folder,
            env=self.environment,
        )

    @contextmanager
    def running(self, reaper: ChildReaper, *arguments: str) -> Generator["Running"]:
        """A process that goes on until the block ends."""
        log = self.folder / f"{arguments[0]}.log"
        with log.open("ab") as output:
            process = reaper.launch(
                [str(GENQ), *arguments], output=output, env=self.environment, cwd=self.folder
            )
        try:
            yield Running(process, log)
        finally:
            process.terminate()
            try:
                process.wait(20)
            finally:
                process.kill()
                process.wait()
                reaper.release(process.pid)


@dataclass(frozen=True)
class Running:
    """A process of genq's, and the file of its output."""

    process: "subprocess.Popen[bytes]"
    log: Path

    def until(self, condition: Callable[[], object], what: str) -> None:
        """Wait for a condition; where it does not come, the failure has the last words."""
        try:
            wait_for(condition, SOON, what)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.log.read_text()[-2000:]}") from None


def status_of(url: str, auth: str | None = None) -> int | None:
    """The HTTP status of a GET; None where nobody answers."""
    return answer_of(url, auth)[0]


def answer_of(url: str, auth: str | None = None, method: str = "GET") -> tuple[int | None, bytes]:
    headers = {"Authorization": auth} if auth else {}
    request = urllib.request.Request(url, headers=headers, method=method)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=20) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
    except OSError:
        return None, b""
