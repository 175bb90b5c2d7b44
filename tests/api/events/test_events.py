"""The event log: pages, cursors, long polls and unusable queries."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any

import pytest

from api.events import schemas as documents
from api.events.query import cursor_of
from generation.job import Job, JobState
from tests.api.serving import Caller, Served


def canceled(job: Job) -> Job:
    now = datetime.now(UTC)
    return job.move(JobState.CANCELED, now, finished_at=now, wake_at=None)


def feed(caller: Caller, **parameters: Any) -> Iterator[dict[str, Any]]:
    """Yield the pages from here on."""
    while True:
        answer = caller.get("/v1/events", params=parameters)
        documents.EventPage.model_validate_json(answer.content)
        page = answer.json()
        yield page
        if not page["has_more"]:
            return
        parameters = parameters | {"after": page["next_cursor"]}
        parameters.pop("since", None)


def test_paging_returns_each_event_once_in_order(caller_on_both: Caller) -> None:
    caller = caller_on_both
    ids = [caller.order()["id"] for _ in range(5)]
    for job_id in ids:
        caller.change(job_id, canceled)
    pages = list(feed(caller, limit=3))
    events = [event for page in pages for event in page["data"]]
    assert [len(page["data"]) for page in pages] == [3, 3, 3, 1]
    assert [(e["type"], e["data"]["id"]) for e in events] == [
        *(("job.queued", job_id) for job_id in ids),
        *(("job.canceled", job_id) for job_id in ids),
    ]
    assert len({event["id"] for event in events}) == 10
    nothing = caller.get("/v1/events", params={"after": pages[-1]["next_cursor"]}).json()
    assert (nothing["data"], nothing["has_more"]) == ([], False)
    assert caller.api.caller().get("/v1/events").json()["data"] == [], "somebody else's feed"


def test_type_since_and_after_limit_the_feed(caller: Caller) -> None:
    began = datetime.now(UTC)
    job_id = caller.order()["id"]
    caller.change(job_id, canceled)
    only = caller.get("/v1/events", params={"type": "job.failed, job.canceled"}).json()["data"]
    assert [event["type"] for event in only] == ["job.canceled"]
    early = (began - timedelta(minutes=1)).isoformat()
    late = (began + timedelta(minutes=1)).isoformat()
    assert len(caller.get("/v1/events", params={"since": early}).json()["data"]) == 2
    assert caller.get("/v1/events", params={"since": late}).json()["data"] == []
    latest = caller.get("/v1/events", params={"after": "latest"}).json()
    assert latest["data"] == []
    caller.order()
    (new,) = caller.get("/v1/events", params={"after": latest["next_cursor"]}).json()["data"]
    assert new["type"] == "job.queued"


def test_the_cursor_of_a_quiet_tenant_advances(caller: Caller) -> None:
    """Otherwise it would point at events that were pruned long ago."""
    mine = caller.get("/v1/events").json()["next_cursor"]
    caller.api.caller().order()
    assert caller.get("/v1/events", params={"after": mine}).json()["next_cursor"] != mine


def test_a_long_poll_returns_at_the_next_event(caller_on_both: Caller) -> None:
    caller = caller_on_both
    job_id = caller.order()["id"]
    cursor = caller.get("/v1/events").json()["next_cursor"]
    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(
            caller.get, "/v1/events", params={"after": cursor, "wait": 20, "type": "job.canceled"}
        )
        caller.order()  # of a type that nobody waits for
        began = monotonic()
        caller.change(job_id, canceled)
        (event,) = waiting.result().json()["data"]
    assert event["data"]["id"] == job_id
    assert monotonic() - began < 10


def test_a_long_poll_returns_existing_events_at_once(caller: Caller) -> None:
    caller.order()
    began = monotonic()
    assert len(caller.get("/v1/events", params={"wait": 20}).json()["data"]) == 1
    assert monotonic() - began < 10


def test_a_long_poll_times_out_with_an_empty_page(caller: Caller) -> None:
    page = caller.get("/v1/events", params={"wait": 1}).json()
    assert page["data"] == []
    assert caller.get("/v1/events", params={"after": page["next_cursor"]}).status_code == 200


def test_a_job_has_its_own_log(caller_on_both: Caller) -> None:
    caller = caller_on_both
    job = caller.order()
    caller.change(job["id"], canceled)
    path = job["urls"]["events"]
    first = caller.get(path, params={"limit": 1}).json()
    assert [event["type"] for event in first["data"]] == ["job.queued"]
    assert first["has_more"]
    rest = caller.get(path, params={"after": first["next_cursor"]}).json()
    assert [event["type"] for event in rest["data"]] == ["job.canceled"]
    assert rest["data"] == caller.get("/v1/events").json()["data"][1:]
    assert not rest["has_more"]
    assert caller.api.caller().get(path).status_code == 404


def test_a_cursor_of_another_deployment_is_refused(caller: Caller) -> None:
    for path in ("/v1/events", "/v1/events/stream"):
        answer = caller.get(path, params={"after": cursor_of(10**12)})
        assert answer.status_code == 400
        assert "beyond the end of the feed" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/v1/events?after=x", "after must be the next_cursor"),
        ("/v1/events?since=yesterday", "since must be a time"),
        ("/v1/events?since=2026-01-31T12:00:00Z&after=latest", "give after, or since, not both"),
        ("/v1/events?type=job.eaten", "there is no type 'job.eaten'"),
        ("/v1/events?wait=61", "wait must be a whole number of seconds from 0 to 60"),
        ("/v1/events?limit=0", "limit must be a whole number"),
        ("/v1/events?limit=1&limit=2", "limit is given twice"),
        ("/v1/events?state=failed", "there is no parameter 'state'"),
        ("/v1/events/stream?wait=1", "there is no parameter 'wait'"),
        ("/v1/jobs/job_01KG9Q2Z6M8T4V7X1Y3A5C7E9G/events?after=-1", "after must be the sequence"),
        ("/v1/jobs/job_01KG9Q2Z6M8T4V7X1Y3A5C7E9G/stream?after=1", "there is no parameter"),
    ],
)
def test_unusable_queries_are_explained(caller: Caller, path: str, text: str) -> None:
    answer = caller.get(path)
    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid_query"
    assert text in answer.json()["detail"]


@pytest.mark.parametrize("path", ["/v1/events", "/v1/events/stream"])
def test_events_need_a_key(over_sqlite: Served, path: str) -> None:
    assert over_sqlite.http.get(path).status_code == 401
