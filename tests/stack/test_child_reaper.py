"""Registered children die with their owner; released ones do not."""

import os
import signal
import subprocess
import sys
from datetime import timedelta

import pytest

from ops.stack.child_reaper import ChildReaper, ReaperGone, kill_group
from tests.services.processes import descendants, is_running
from tests.services.waiting import wait_for

SOON = timedelta(seconds=30)
SLEEP = ["sleep", "600"]


def launch_sleep(reaper: ChildReaper) -> subprocess.Popen[bytes]:
    """A child that has told the reaper about itself and become `sleep`."""
    child = reaper.launch(SLEEP)
    asleep = " ".join(SLEEP)
    wait_for(
        lambda: (child.pid, asleep) in {(one.pid, one.command) for one in descendants(os.getpid())},
        SOON,
        "the child to be asleep",
    )
    return child


def test_closing_kills_unreleased_children() -> None:
    with ChildReaper() as reaper:
        kept, released = launch_sleep(reaper), launch_sleep(reaper)
        reaper.release(released.pid)
    assert kept.wait(SOON.total_seconds()) == -signal.SIGKILL
    assert released.poll() is None
    kill_group(released.pid)
    assert released.wait() == -signal.SIGKILL


def test_a_child_has_its_own_session_and_empty_input() -> None:
    source = "import os, sys; print(os.getsid(0), len(sys.stdin.read()))"
    with ChildReaper() as reaper:
        child = reaper.launch([sys.executable, "-c", source], output=subprocess.PIPE)
        output, _ = child.communicate()
        reaper.release(child.pid)
    assert output.split() == [str(child.pid).encode(), b"0"]


def test_no_child_is_started_once_the_reaper_is_gone() -> None:
    before = {process.pid for process in descendants(os.getpid())}
    with ChildReaper() as reaper:
        [process] = [one for one in descendants(os.getpid()) if one.pid not in before]
        os.kill(process.pid, signal.SIGKILL)
        wait_for(lambda: not is_running(process.pid), SOON, "the reaper to be gone")
        with pytest.raises(ReaperGone, match="start it again"):
            reaper.launch(SLEEP)
