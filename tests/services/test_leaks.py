"""A run that leaves a process behind fails, and leaves none."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from tests.services.processes import is_running, running
from tests.services.waiting import wait_for

ROOT = Path(__file__).parents[2]
SOON = timedelta(seconds=30)

CHILD = "import time; time.sleep(600)"
SLEEPER = f"[sys.executable, '-c', {CHILD!r}, FOLDER]"

CLEAN = f"""
import subprocess, sys
FOLDER = __file__

def test_it():
    child = subprocess.Popen({SLEEPER})
    child.kill()
    child.wait()
"""

LEAVES_A_CHILD = f"""
import subprocess, sys
FOLDER = __file__
kept = []

def test_it():
    kept.append(subprocess.Popen({SLEEPER}, start_new_session=True))
"""

LEAVES_A_CHILD_AND_AN_ORPHAN = f"""
{LEAVES_A_CHILD}

def test_more():
    subprocess.run(["sh", "-c", '"$@" >/dev/null 2>&1 &', "sh", *{SLEEPER}], check=True)
"""


def run_pytest(folder: Path, test: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run one test file in a pytest of its own, with the leak check and nothing else of ours."""
    file = folder / "test_leaking.py"
    file.write_text(test)
    (folder / "pytest.ini").write_text("[pytest]\nasyncio_default_fixture_loop_scope = function\n")
    return subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-p", "no:cacheprovider"),
            *("-p", "tests.services.leaks", "-c", str(folder / "pytest.ini")),
            *arguments,
            str(file),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def left_of(folder: Path) -> list[str]:
    """The command lines of the sleepers of one run that are still there."""
    return [one.command for one in running().values() if str(folder) in one.command]


def test_a_clean_run_passes(tmp_path: Path) -> None:
    answer = run_pytest(tmp_path, CLEAN)
    assert answer.returncode == 0, answer.stdout
    assert "left behind" not in answer.stdout


def test_a_process_left_behind_fails_the_run(tmp_path: Path) -> None:
    answer = run_pytest(tmp_path, LEAVES_A_CHILD_AND_AN_ORPHAN)
    assert answer.returncode == pytest.ExitCode.TESTS_FAILED, answer.stdout
    assert "2 passed" in answer.stdout
    assert "processes left behind" in answer.stdout
    assert answer.stdout.count(CHILD) == 2
    wait_for(lambda: not left_of(tmp_path), SOON, "the process left behind to be killed")


def test_a_worker_of_xdist_tells_its_controller(tmp_path: Path) -> None:
    answer = run_pytest(tmp_path, LEAVES_A_CHILD, "-n", "1")
    assert answer.returncode == pytest.ExitCode.TESTS_FAILED, answer.stdout
    assert CHILD in answer.stdout
    wait_for(lambda: not left_of(tmp_path), SOON, "the process left behind to be killed")


def test_a_zombie_has_ended() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    wait_for(lambda: not is_running(child.pid), SOON, "the child to end without being waited for")
    assert child.wait() == 0
