"""
A short slice of `make faults`: the same run with everything quicker. docs/faults.md says what is
broken how.
"""

import os
import sys
from pathlib import Path

import pytest

from ops.faults import traps
from ops.stack.child_reaper import ChildReaper
from tests.services.postgres_installation import PostgresUnavailable, find_postgres

#: Any would do; one that is known to strike every point early leaves little to chance.
SEED = "7"


def store() -> str:
    """The store of production, where it is installed."""
    try:
        find_postgres(os.environ)
    except PostgresUnavailable:
        return "sqlite"
    return "postgresql"


@pytest.mark.timeout(360)
def test_no_promise_is_broken(reaper: ChildReaper, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "ops.faults", "--short", "--seed", SEED, "--store", store()]
    command += ["--jobs", "1000", "--violence", "15", "--peace", "30"]
    report = tmp_path / "report"
    with report.open("wb") as output:
        process = reaper.launch(command, output=output, env={**os.environ})
        code = process.wait()
        reaper.release(process.pid)
    assert code == 0, report.read_text(errors="replace")[-6000:]
    assert "| no job is paid twice |" in report.read_text()


def test_every_trap_is_where_genq_passes() -> None:
    for name, trap in traps.TRAPS.items():
        owner, function = traps.place(trap)
        assert callable(getattr(owner, function)), name
