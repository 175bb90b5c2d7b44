"""A person settles what became of a job in doubt."""

from datetime import UTC, datetime
from typing import Any

import pytest

from generation.job import Billed, DoubtResolution, Job, JobState
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
    name = f"k-{caller_on_both.tenant}"
    answer = caller_on_both.post(f"/v1/jobs/{job_id}/resolve", {"upstream_id": name})
    assert answer.status_code == 200, answer.text
    job = answer.json()
    assert (job["state"], job["upstream"]["id"], job["billed"]) == ("running", name, "yes")
    stored = caller_on_both.stored(job_id)
    assert stored.wake_at is not None
    assert stored.wake_at <= datetime.now(UTC), "it is looked at at once"
    assert stored.purchases == 1


def test_there_is_no_task_and_it_is_sent_again(caller_on_both: Caller) -> None:
    job_id = in_doubt(caller_on_both)
    body = {"not_created": True, "then": "requeue"}
    answer = caller_on_both.post(f"/v1/jobs/{job_id}/resolve", body)
    job = answer.json()
    assert (answer.status_code, job["state"]) == (202, "in_doubt"), "a worker asks once more"
    assert "a person has found" in job["reason"]
    assert "the upstream is asked once more" in job["reason"]
    stored = caller_on_both.stored(job_id)
    assert (stored.resolved_as, stored.misses) == (DoubtResolution.REQUEUE, 0)
    assert stored.wake_at is not None
    assert stored.wake_at <= datetime.now(UTC)


def test_there_is_no_task_and_it_fails(caller_on_both: Caller) -> None:
    job_id = in_doubt(caller_on_both)
    body = {"not_created": True, "then": "fail"}
    answer = caller_on_both.post(f"/v1/jobs/{job_id}/resolve", body)
    assert (answer.status_code, answer.json()["state"]) == (202, "in_doubt")
    assert caller_on_both.stored(job_id).resolved_as is DoubtResolution.FAIL


def test_a_second_thought_replaces_the_first(caller: Caller) -> None:
    job_id = in_doubt(caller)
    body = {"not_created": True, "then": "requeue"}
    assert caller.post(f"/v1/jobs/{job_id}/resolve", body).status_code == 202
    answer = caller.post(f"/v1/jobs/{job_id}/resolve", {"upstream_id": "second-thought"})
    assert answer.json()["state"] == "running"


def test_another_tenants_task_is_refused(caller_on_both: Caller) -> None:
    theirs = caller_on_both.api.caller()
    stolen = {"upstream_id": f"of-{theirs.tenant}"}
    assert theirs.post(f"/v1/jobs/{in_doubt(theirs)}/resolve", stolen).status_code == 200
    job_id = in_doubt(caller_on_both)
    refused = problem(
        caller_on_both.post(f"/v1/jobs/{job_id}/resolve", stolen), 422, "invalid_request"
    )
    assert refused["errors"][0]["pointer"] == "#/upstream_id"
    assert "somebody else's" in refused["errors"][0]["detail"]
    assert caller_on_both.stored(job_id).state is JobState.IN_DOUBT
    again = theirs.post(f"/v1/jobs/{in_doubt(theirs)}/resolve", stolen)
    assert again.status_code == 200, "one's own may be named twice"


def test_an_order_that_names_another_tenants_task_is_refused(caller_on_both: Caller) -> None:
    theirs = caller_on_both.api.caller()
    task = f"task-of-{theirs.tenant}"
    given = {"upstream_id": task, "action": "UPSCALE", "index": 1}
    order: dict[str, Any] = {"provider": "midjourney", "operation": "change", "input": given}
    job_id = theirs.order(provider="midjourney", operation="imagine")["id"]
    theirs.change(job_id, lost)
    assert theirs.post(f"/v1/jobs/{job_id}/resolve", {"upstream_id": task}).status_code == 200
    refused = problem(caller_on_both.post("/v1/jobs", order), 422, "invalid_request")
    assert refused["errors"][0]["pointer"] == "#/input"
    assert task in refused["errors"][0]["detail"]
    assert theirs.post("/v1/jobs", order).status_code == 202, "it is theirs"
    given["upstream_id"] = "a-task-that-nobody-here-has"
    assert caller_on_both.post("/v1/jobs", order).status_code == 202


def test_a_doubt_is_settled_once(caller: Caller) -> None:
    job_id = in_doubt(caller)
    body = {"upstream_id": f"k-{caller.tenant}"}
    assert caller.post(f"/v1/jobs/{job_id}/resolve", body).status_code == 200
    again = problem(caller.post(f"/v1/jobs/{job_id}/resolve", body), 409, "not_in_doubt")
    assert "running" in again["detail"]


def test_somebody_elses_doubt_is_not_there(caller: Caller) -> None:
    job_id = in_doubt(caller)
    other = caller.api.caller()
    answer = other.post(f"/v1/jobs/{job_id}/resolve", {"upstream_id": f"k-{caller.tenant}"})
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
