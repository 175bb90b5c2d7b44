"""`python -m ops.faults`: break a whole genq at every point, and count what it has promised."""

import argparse
import logging
import os
import random
import signal
import sys
import time
from pathlib import Path
from types import FrameType
from typing import NoReturn

import structlog

from ops.faults.run import coverage, run
from ops.faults.stage import Options
from ops.faults.verdict import table

#: Set in a process whose mounts nobody else sees, and which end with it.
PRIVATE = "FAULTS_PRIVATE_MOUNTS"


def main() -> None:
    signal.signal(signal.SIGTERM, leave)
    # What the harness itself meets of the trouble it makes is for a debugger, not for the table.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.INFO))
    given = parsed(sys.argv[1:])
    if given.store == "sqlite" and os.geteuid() == 0 and PRIVATE not in os.environ:
        hide_mounts()
    seed = given.seed if given.seed is not None else random.SystemRandom().randrange(10**6)
    print(f"seed {seed}: make faults SEED={seed} JOBS={given.jobs} STORE={given.store} repeats it")
    options = Options(
        seed=seed,
        jobs=given.jobs,
        store=given.store,
        is_short=given.short,
        only=frozenset(given.points),
        logs=given.logs,
        rate=given.rate,
        violence_seconds=given.violence,
        peace_seconds=given.peace,
    )
    began = time.monotonic()
    outcome = run(options)
    print(f"\n{coverage(outcome, given.store)}\n\n{table(outcome.invariants)}")
    violent, quiet = outcome.seconds
    print(
        f"\n{violent:.0f} s of violence, {quiet:.0f} s until all was done, "
        f"{outcome.refused} orders not accepted, {time.monotonic() - began:.0f} s in all"
    )
    if not outcome.holds:
        print(outcome.last_words)
        sys.exit(f"a promise was broken; make faults SEED={seed} JOBS={given.jobs} again")


def leave(signum: int, frame: FrameType | None) -> NoReturn:
    """On SIGTERM: end everything that was started, in order."""
    del frame
    sys.exit(128 + signum)


def parsed(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m ops.faults", description=__doc__)
    parser.add_argument("--seed", type=int, help="which orders and strikes; without it, any")
    parser.add_argument("--jobs", type=int, default=2000, help="orders to be accepted")
    parser.add_argument("--store", choices=("postgresql", "sqlite"), default="postgresql")
    parser.add_argument("--rate", type=float, default=4, help="orders a second")
    parser.add_argument("--short", action="store_true", help="everything ten times as quick")
    parser.add_argument("--points", type=int, nargs="+", default=(), help="only these points")
    parser.add_argument("--logs", type=Path, help="a folder to leave all logs in")
    parser.add_argument("--violence", type=float, default=1500, help="seconds, at most")
    parser.add_argument("--peace", type=float, default=400, help="seconds after that, at most")
    return parser.parse_args(arguments)


def hide_mounts() -> None:
    """Go on in a mount namespace of our own, so that a small disk is gone however we end."""
    os.environ[PRIVATE] = "1"
    command = ["unshare", "--mount", "--propagation", "private", sys.executable]
    os.execvp(command[0], [*command, "-m", "ops.faults", *sys.argv[1:]])


if __name__ == "__main__":
    main()
