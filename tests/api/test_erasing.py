"""Erasing a job over the API."""

from datetime import UTC, datetime

from api.events.schemas import EventPage
from api.jobs import schemas as documents
from generation.job import Job, JobState
from tests.api.serving import Caller
from tests.api.test_refused_orders import problem


def canceled(job: Job) -> Job:
    now = datetime.now(UTC)
    return job.move(JobState.CANCELED, now, finished_at=now, wake_at=None)


def test_a_job_that_has_ended_is_erased(caller_on_both: Caller) -> None:
    caller = caller_on_both
    job = caller.order(metadata={"who": "private"})
    path = job["urls"]["self"]
    assert "cancel it" in problem(caller.request("DELETE", path), 409, "still_needed")["detail"]
    caller.change(job["id"], canceled)
    answer = caller.request("DELETE", path)
    assert answer.status_code == 200
    documents.Job.model_validate_json(answer.content)
    kept = answer.json()
    assert (kept["state"], kept["input"], kept["metadata"]) == ("canceled", {}, {})
    assert kept["erased_at"] is not None
    assert caller.request("DELETE", path).json() == kept == caller.get(path).json()
    events = caller.get(job["urls"]["events"])
    EventPage.model_validate_json(events.content)
    assert [event["type"] for event in events.json()["data"]] == ["job.queued", "job.canceled"]
    assert "private" not in events.text
    assert "boat" not in events.text


def test_another_tenants_job_is_not_there_to_erase(caller: Caller) -> None:
    path = caller.order()["urls"]["self"]
    problem(caller.api.caller().request("DELETE", path), 404, "not_found")
