"""Starts the real program with crash points and a clock that can be set.

Usage: `python -m ops.faults.launcher FOLDER api|worker`.
"""

import sys
from datetime import datetime, timedelta
from pathlib import Path

from ops.faults import traps


def set_clock(file: Path) -> None:
    """Let the worker's clock be off by what the file says, from the next question on."""
    from worker.runtime import clock  # noqa: PLC0415  (the API runs without the worker)

    right = clock.wall

    def wall() -> datetime:
        try:
            off = float(file.read_text())
        except FileNotFoundError:
            off = 0
        return right() + timedelta(seconds=off)

    clock.wall = wall


def main() -> None:
    folder, program = Path(sys.argv[1]), sys.argv[2]
    laid = {
        name: trap
        for name, trap in traps.TRAPS.items()
        if program == "worker" or not trap.module.startswith("worker")
    }
    traps.lay(folder, laid)
    if program == "worker":
        set_clock(folder / "clock")
    from ops.cli import main as genq  # noqa: PLC0415  (the traps are laid before it is loaded)

    sys.argv = ["genq", program]
    genq()


if __name__ == "__main__":
    main()
