"""Counters that change with moves of jobs: states, and submits that cost money.

`SUBMITS` divided by `SUBMITTED` is paid submits per job. It is 1, unless a station is configured to
submit again on a doubt (`on_doubt = "resubmit"`).
"""

from collections import Counter
from collections.abc import Iterable

from generation.job import TERMINAL, Job, JobState

#: Submits that were accepted, or may have been.
SUBMITS = "submits"
#: Jobs with at least one such submit.
SUBMITTED = "jobs_submitted"

#: Look requests, look requests that failed, and unknown status words.
LOOKS = "looks"
LOOK_FAULTS = "look_faults"
STRANGE_WORDS = "unknown_status_words"


_STATE_COUNTERS = {state: f"state.{state}" for state in JobState}


def state_counter(state: JobState) -> str:
    """Return the counter of this state: jobs now; for a terminal state, all jobs so far."""
    return _STATE_COUNTERS[state]


def counted(moves: Iterable[tuple[Job | None, Job]]) -> Counter[str]:
    """Return what these moves add to the counters.

    Each is a pair of before (None for a new job) and after.
    """
    counts: Counter[str] = Counter()
    for before, after in moves:
        if before is None or before.state is not after.state:
            counts[state_counter(after.state)] += 1
            if before is not None and before.state not in TERMINAL:
                counts[state_counter(before.state)] -= 1
        paid_before = before.purchases if before else 0
        if after.purchases != paid_before:
            counts[SUBMITS] += after.purchases - paid_before
            counts[SUBMITTED] += paid_before == 0
    return counts
