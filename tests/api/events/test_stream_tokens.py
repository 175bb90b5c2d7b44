"""Stream tokens for browsers, whose `EventSource` sends no headers."""

from datetime import UTC, datetime

from api.events import schemas as documents
from generation.job import Job, JobState
from tests.api.events.streaming import frames
from tests.api.serving import Caller
from tests.api.test_refused_orders import problem


def canceled(job: Job) -> Job:
    now = datetime.now(UTC)
    return job.move(JobState.CANCELED, now, finished_at=now, wake_at=None)


def test_a_token_opens_the_stream_of_its_job_only(caller: Caller) -> None:
    job, other = caller.order(), caller.order()
    caller.change(job["id"], canceled)
    answer = caller.post(f"/v1/jobs/{job['id']}/stream-token")
    assert answer.status_code == 201
    issued = documents.StreamToken.model_validate_json(answer.content)
    http = caller.api.http
    with http.stream("GET", issued.url, headers={"origin": "https://shop.example"}) as response:
        assert response.headers["access-control-allow-origin"] == "*"
        received = [each.event for each in frames(response.iter_lines())]
    assert received == ["job.queued", "job.canceled"]
    assert http.get(issued.url, headers={"last-event-id": "2"}).status_code == 204
    elsewhere = issued.url.replace(job["id"], other["id"])
    refused = problem(http.get(elsewhere), 401, "unauthenticated")
    assert "stream-token" in refused["detail"]
    problem(http.get(issued.url.replace("/stream?", "/events?")), 401, "unauthenticated")


def test_a_token_ends_with_its_key(caller: Caller) -> None:
    job = caller.order()
    url = caller.post(f"/v1/jobs/{job['id']}/stream-token").json()["url"]
    (key,) = [
        key
        for key in caller.api.in_store(lambda store: store.keys.all(caller.tenant))
        if key.tenant == caller.tenant
    ]
    caller.api.in_store(lambda store: store.keys.revoke(key.id, datetime.now(UTC)))
    problem(caller.api.http.get(url), 401, "unauthenticated")


def test_no_token_for_a_job_of_another_tenant(caller: Caller) -> None:
    path = f"/v1/jobs/{caller.order()['id']}/stream-token"
    problem(caller.api.caller().post(path), 404, "not_found")
