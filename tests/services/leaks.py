"""
A check, loaded as a pytest plugin: no test leaves a process behind.

At the end of the session every process that descends from this one, or carries its mark in the
environment, fails the run with its command line, and is killed. A process that is already on its
way out gets two seconds. The mark finds those whose parent has ended; it is read from /proc, so on
macOS only descendants are found.
"""

import contextlib
import os
import signal
import time
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from tests.services.processes import Process, descendants, running

MARK: Final = "TEST_SESSION_OF_GENQ"
GRACE = timedelta(seconds=2)
LEAKED = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    """Mark this process, so that each of its children is known by its environment."""
    config.stash[LEAKED] = []
    os.environ[MARK] = f"{os.getpid()}-{time.time_ns()}"


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Look when every fixture has been torn down."""
    config = session.config
    if config.pluginmanager.has_plugin("dsession"):
        # The controller of pytest-xdist runs no tests, and its workers are still its children.
        leaked = config.stash[LEAKED]
    else:
        leaked = config.stash[LEAKED] = [_kill(process) for process in _leaked()]
        _tell_controller(config, leaked)
    if leaked and session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Collect what a worker of pytest-xdist found; one that crashed has nothing to say."""
    node.config.stash[LEAKED] += getattr(node, "workeroutput", {}).get(MARK, [])


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Name each process, so that the test that started it can be found."""
    if leaked := config.stash[LEAKED]:
        terminalreporter.section("processes left behind", red=True)
        for line in leaked:
            terminalreporter.line(line)
        terminalreporter.line("A test or fixture started these and did not stop them.")


def _tell_controller(config: pytest.Config, leaked: list[str]) -> None:
    if (output := getattr(config, "workeroutput", None)) is not None:
        output[MARK] = leaked


def _leaked() -> list[Process]:
    deadline = time.monotonic() + GRACE.total_seconds()
    while (found := _ours()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return found


def _ours() -> list[Process]:
    own = os.getpid()
    found = {process.pid: process for process in descendants(own)}
    found.update(
        (process.pid, process)
        for process in running().values()
        if process.pid != own and _is_marked(process.pid)
    )
    return list(found.values())


def _is_marked(pid: int) -> bool:
    try:
        environment = Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return False
    return f"{MARK}={os.environ[MARK]}".encode() in environment.split(b"\0")


def _kill(process: Process) -> str:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(process.pid, signal.SIGKILL)
    return f"{process.pid} {process.command}"
