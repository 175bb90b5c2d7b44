"""Which event of Celery's shows a job in Flower, state by state."""

import pytest

from generation.flower_events import row_event
from generation.job import JobState
from tests.unit.jobs import NOON, a_job

SHOWN = {
    JobState.QUEUED: "task-sent",
    JobState.SUBMITTING: "task-received",
    JobState.RUNNING: "task-started",
    JobState.AWAITING_INPUT: None,
    JobState.IN_DOUBT: "task-retried",
    JobState.SUCCEEDED: "task-succeeded",
    JobState.FAILED: "task-failed",
    JobState.CANCELED: "task-revoked",
    JobState.EXPIRED: "task-failed",
}


@pytest.mark.parametrize("state", JobState)
def test_every_state_a_job_moves_to_is_told_under_its_id_and_name(state: JobState) -> None:
    job = a_job(state)
    event = row_event(job, NOON)
    if event is None:
        assert SHOWN[state] is None
        return
    kind, fields = event
    assert kind == SHOWN[state]
    assert (fields["uuid"], fields["name"]) == (job.id, "kling.text2video")


def test_a_row_shows_what_was_ordered_whichever_event_of_it_is_the_first() -> None:
    for state in (JobState.QUEUED, JobState.SUBMITTING):
        _, fields = row_event(a_job(state), NOON) or ("", {})
        assert fields["args"] == "(prompt='a cat')"
