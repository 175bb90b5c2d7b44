"""The state machine: every pair of states is walked."""

from dataclasses import replace
from itertools import product

import pytest

from generation.job import MOVES, TERMINAL, IllegalMove, JobState
from tests.unit.jobs import NOON, a_job

#: Written out again on purpose: a change of the table must be a change in two places.
ALLOWED = """
queued -> submitting failed canceled expired
submitting -> queued running awaiting_input in_doubt succeeded failed canceled
running -> awaiting_input succeeded failed canceled expired
awaiting_input -> running succeeded failed canceled expired
in_doubt -> queued running awaiting_input succeeded failed canceled expired
failed -> succeeded
expired -> succeeded
"""


def allowed() -> set[tuple[JobState, JobState]]:
    pairs: set[tuple[JobState, JobState]] = set()
    for line in ALLOWED.strip().splitlines():
        before, after = line.split(" -> ")
        pairs |= {(JobState(before), JobState(word)) for word in after.split()}
    return pairs


@pytest.mark.parametrize(("before", "after"), list(product(JobState, JobState)))
def test_every_pair_of_states(before: JobState, after: JobState) -> None:
    job = a_job(before)
    if (before, after) in allowed():
        moved = job.move(after, NOON)
        assert moved.state is after
        assert job.state is before, "a job is never changed in place"
    else:
        with pytest.raises(IllegalMove, match=f"a {before} job cannot become {after}"):
            job.move(after, NOON)


def test_every_state_has_its_moves() -> None:
    assert set(MOVES) == set(JobState)


def test_no_way_leads_out_of_an_ending_but_a_late_success() -> None:
    ways_out = {(before, after) for before in TERMINAL for after in MOVES[before]}
    assert {after for _, after in ways_out} == {JobState.SUCCEEDED}
    assert {before for before, _ in ways_out} == {JobState.EXPIRED, JobState.FAILED}


def test_every_state_can_reach_an_ending() -> None:
    reached = set(TERMINAL)
    while grown := {s for s in JobState if MOVES[s] & reached} - reached:
        reached |= grown
    assert reached == set(JobState)


def test_a_copy_differs_in_what_was_named_and_in_nothing_else() -> None:
    job = a_job(JobState.RUNNING)
    assert job.evolve(version=7, reason="slow") == replace(job, version=7, reason="slow")
    assert job.version == 0, "a job is never changed in place"
    with pytest.raises(TypeError, match="a job has no colour"):
        job.evolve(colour="red")
