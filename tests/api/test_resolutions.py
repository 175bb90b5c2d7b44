"""A person settles what became of a job in doubt."""

from datetime import UTC, datetime
from typing import Any

import pytest

from generation.job import Billed, Job, JobState
from generation.lifecycle import doubt
from tests.api.serving import Caller
from tests.api.test_refused_orders import problem
from tests.unit.jobs import at


def lost(job: Job) -> Job:
    """Its submit went out, and no answer came."""
    sent = job.move(
        JobState.SUBMITTING,
        at().now,
        station="relay",
        key="main",
        dialect="kling.relay",
        attempts=1,
        billed=Billed.UNKNOWN,
    )
    return doubt(sent, "no answer", at())


def in_doubt(caller: Caller) -> str:
    job_id = caller.order()["id"]
    caller.change(job_id, lost)
    return job_id


def test_the_task_is_there(caller_on_both: Caller) -> None:
    job_id = in_doubt(caller_on_both)
    answer = caller_on_both.post(f"/v1/jobs/{job_id}/resolve", {"upstream_id": "k-77"})
    assert answer.status_code == 200, answer.text
    job = answer.json()
    assert (job["state"], job["upstream"]["id"], job["billed"]) == ("running", "k-77", "yes")
    stored = caller_on_both.stored(job_id)
    assert stored.wake_at is not None
    assert stored.wake_at <= datetime.now(UTC), "it is looked at at once"
    assert stored.purchases == 1


def test_there_is_no_task_and_it_is_sent_again(caller_on_both: Caller) -> None:
    job_id = in_doubt(caller_on_both)
    body = {"not_created": True, "then": "requeue"}
    job = caller_on_both.post(f"/v1/jobs/{job_id}/resolve", body).json()
    assert (job["state"], job["billed"], job["upstream"]["key"]) == ("queued", "no", "main")
    assert "a person has found" in job["reason"]
    assert caller_on_both.stored(job_id).is_bound


def test_there_is_no_task_and_it_fails(caller_on_both: Caller) -> None:
    job_id = in_doubt(caller_on_both)
    body = {"not_created": True, "then": "fail"}
    job = caller_on_both.post(f"/v1/jobs/{job_id}/resolve", body).json()
    assert (job["state"], job["billed"], job["error"]["code"]) == ("failed", "no", "in_doubt")
    assert job["error"]["retryable"] is True
    assert caller_on_both.stored(job_id).purchases == 0


def test_a_doubt_is_settled_once(caller: Caller) -> None:
    job_id = in_doubt(caller)
    body = {"upstream_id": "k-77"}
    assert caller.post(f"/v1/jobs/{job_id}/resolve", body).status_code == 200
    again = problem(caller.post(f"/v1/jobs/{job_id}/resolve", body), 409, "not_in_doubt")
    assert "running" in again["detail"]


def test_somebody_elses_doubt_is_not_there(caller: Caller) -> None:
    job_id = in_doubt(caller)
    other = caller.api.caller()
    answer = other.post(f"/v1/jobs/{job_id}/resolve", {"upstream_id": "k-77"})
    assert problem(answer, 404, "not_found")
    assert caller.stored(job_id).state is JobState.IN_DOUBT


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "#"),
        ({"upstream_id": "k-1", "not_created": True, "then": "fail"}, "#"),
        ({"not_created": True}, "#/then"),
        ({"upstream_id": "k-1", "then": "fail"}, "#/then"),
        ({"not_created": False, "then": "fail"}, "#/not_created"),
        ({"not_created": True, "then": "forget"}, "#/then"),
        ({"upstream_id": ""}, "#/upstream_id"),
        ({"upstream_id": "two words"}, "#/upstream_id"),
        ({"upstream_id": "k-1", "why": "I looked"}, "#/why"),
    ],
)
def test_half_a_resolution_is_refused(caller: Caller, body: dict[str, Any], pointer: str) -> None:
    job_id = in_doubt(caller)
    answer = caller.post(f"/v1/jobs/{job_id}/resolve", body)
    found = problem(answer, 422, "invalid_request")
    assert found["errors"][0]["pointer"] == pointer
    assert caller.stored(job_id).state is JobState.IN_DOUBT
