"""
What is counted as jobs move: where they stand, and how many submits they cost.

The ratio of `SUBMITS` to `SUBMITTED` is paid submits per job. It stays 1 unless a station is told
to send again on a doubt; that it does is the promise this service is about.
"""

from collections import Counter
from collections.abc import Iterable

from generation.job import TERMINAL, Job, JobState

#: Submits that were accepted, or may have been.
SUBMITS = "submits"
#: Jobs that have had such a submit.
SUBMITTED = "jobs_submitted"

#: Requests that looked at tasks, those that brought no answer, and status words nobody knows.
LOOKS = "looks"
LOOK_FAULTS = "look_faults"
STRANGE_WORDS = "unknown_status_words"


_STANDING = {state: f"state.{state}" for state in JobState}


def standing(state: JobState) -> str:
    """The tally of jobs in this state now; of a terminal one, of all that ever reached it."""
    return _STANDING[state]


def counted(moves: Iterable[tuple[Job | None, Job]]) -> Counter[str]:
    """What these moves, each from before (None: born) to after, add to the tallies."""
    counts: Counter[str] = Counter()
    for before, after in moves:
        if before is None or before.state is not after.state:
            counts[standing(after.state)] += 1
            if before is not None and before.state not in TERMINAL:
                counts[standing(before.state)] -= 1
        paid_before = before.purchases if before else 0
        if after.purchases != paid_before:
            counts[SUBMITS] += after.purchases - paid_before
            counts[SUBMITTED] += paid_before == 0
    return counts
