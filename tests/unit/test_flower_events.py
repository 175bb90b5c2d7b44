"""The Celery event that shows a job in Flower, for each state."""

import pytest

from generation.flower_events import job_event
from generation.job import JobState
from tests.unit.jobs import NOON, a_job

EVENTS = {
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
def test_every_state_has_its_event_with_the_jobs_id_and_name(state: JobState) -> None:
    job = a_job(state)
    event = job_event(job, NOON)
    if event is None:
        assert EVENTS[state] is None
        return
    kind, fields = event
    assert kind == EVENTS[state]
    assert (fields["uuid"], fields["name"]) == (job.id, "kling.text2video")


def test_the_input_is_in_the_first_event_whichever_that_is() -> None:
    for state in (JobState.QUEUED, JobState.SUBMITTING):
        _, fields = job_event(a_job(state), NOON) or ("", {})
        assert fields["args"] == "(prompt='a cat')"
