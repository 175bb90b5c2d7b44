"""Streams of events: order, resumption, progress, slow readers, revoked keys."""

from datetime import UTC, datetime, timedelta
from itertools import islice

import httpx_sse
import jsonschema_rs

from api.auth.api_keys import ApiKeyAuth
from api.auth.revalidation import KeyRevalidation
from api.events.broadcaster import MOST_WAITING, Subscription
from generation.contract.status import Accepted
from generation.events import PROGRESS_EVERY
from generation.job import Job, JobState
from generation.lifecycle import DecisionContext, begin_submit, started
from generation.store import Decide, ProgressPayload, Store, new_key
from tests.api.events.streaming import frames, head_of, streaming
from tests.api.serving import Caller
from tests.api.test_refused_orders import problem
from tests.unit.jobs import PACE, RULES


def now() -> DecisionContext:
    return DecisionContext(now=datetime.now(UTC), rules=RULES, pace=PACE)


def submitting(job: Job) -> Job:
    return begin_submit(job, now(), station="s", key="k", dialect="kling.relay")


def running(job: Job) -> Job:
    return started(job, Accepted("up_1"), now())


def failed(job: Job) -> Job:
    moment = datetime.now(UTC)
    return job.move(JobState.FAILED, moment, finished_at=moment, wake_at=None)


def at_percent(percent: int) -> Decide:
    return lambda job: job.keep(datetime.now(UTC), progress=percent)


def test_a_job_stream_ends_with_the_job(caller_on_both: Caller) -> None:
    caller = caller_on_both
    job = caller.order()
    with streaming(caller, job["urls"]["stream"]) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["x-accel-buffering"] == "no"
        received = frames(response.iter_lines())
        assert head_of(next(received)) == ("job.queued", "1")
        caller.change(job["id"], submitting)
        caller.change(job["id"], running)
        first = next(received)
        assert head_of(first) == ("job.started", "3")
        assert first.data["data"]["state"] == "running"
        for percent in (10, 40):
            caller.change(job["id"], at_percent(percent))
            progress = next(received)
            assert head_of(progress) == ("job.progress", None), "nothing to resume after"
            assert progress.data["data"]["progress"] == percent
        caller.change(job["id"], failed)
        assert [head_of(each) for each in received] == [("job.failed", "4")], "and it closes"


def test_frames_match_the_openapi_document(caller: Caller) -> None:
    """schemathesis cannot read streams, so this test compares them with their schema."""
    described = caller.api.http.get("/openapi.json").json()
    is_event = jsonschema_rs.validator_for(
        {"$ref": "#/components/schemas/Event", "components": described["components"]},
        validate_formats=True,
    )
    start = caller.get("/v1/events?after=latest").json()["next_cursor"]
    job = caller.order()
    for change in (submitting, running, at_percent(40), failed):
        caller.change(job["id"], change)
    for path, operation, most in (
        (job["urls"]["stream"], "/v1/jobs/{job_id}/stream", 4),
        (f"/v1/events/stream?after={start}", "/v1/events/stream", 3),
    ):
        answers = described["paths"][operation]["get"]["responses"]
        with streaming(caller, path) as response:
            assert response.headers["content-type"].partition(";")[0] in answers["200"]["content"]
            received = list(islice(frames(response.iter_lines()), most))
        assert {"job.started", "job.failed"} <= {frame.event for frame in received}
        for frame in received:
            assert frame.data["type"] == frame.event
            is_event.validate(frame.data)
    with streaming(caller, "/v1/jobs/job_1/stream") as response:
        response.read()
        problem(response, 404, "not_found")
        assert "404" in described["paths"]["/v1/jobs/{job_id}/stream"]["get"]["responses"]


def test_a_reader_starts_late_or_resumes(caller: Caller) -> None:
    job = caller.order()
    for move in (submitting, running, failed):
        caller.change(job["id"], move)
    path = job["urls"]["stream"]
    with streaming(caller, path) as response:
        everything = [head_of(each) for each in frames(response.iter_lines())]
    assert everything == [("job.queued", "1"), ("job.started", "3"), ("job.failed", "4")]
    with streaming(caller, path, last="3") as response:
        assert [head_of(each) for each in frames(response.iter_lines())] == everything[2:]
    with streaming(caller, path, last="4") as response:
        assert response.status_code == 204, "a browser comes no more"


def test_the_first_event_carries_the_retry_time(caller: Caller) -> None:
    """A block with `retry` only is an empty event to some readers."""
    job = caller.order()
    for move in (submitting, running, failed):
        caller.change(job["id"], move)
    with streaming(caller, job["urls"]["stream"]) as response:
        events = list(httpx_sse.EventSource(response).iter_sse())
    assert [(each.event, each.retry) for each in events] == [
        ("job.queued", 3000),
        ("job.started", None),
        ("job.failed", None),
    ]
    assert all(each.data for each in events)


def test_a_stream_opens_before_there_is_an_event(caller: Caller) -> None:
    with streaming(caller, "/v1/events/stream") as response:
        assert next(response.iter_lines()) == ": ping"


def test_a_progress_event_in_the_log_is_sent_once(caller: Caller) -> None:
    hook = {"url": "https://example.com/hook", "events": ["job.progress"]}
    job = caller.order(webhook=hook)
    caller.change(job["id"], submitting)
    caller.change(job["id"], running)
    with streaming(caller, job["urls"]["stream"], last="3") as response:
        received = frames(response.iter_lines())
        long_ago = caller.stored(job["id"]).updated_at
        caller.change(job["id"], lambda fresh: fresh.keep(long_ago + PROGRESS_EVERY, progress=10))
        caller.change(job["id"], failed)
        assert [head_of(each) for each in received if each.id] == [
            ("job.progress", "4"),
            ("job.failed", "5"),
        ]


def test_a_job_of_another_tenant_has_no_stream(caller: Caller) -> None:
    path = caller.order()["urls"]["stream"]
    assert caller.api.caller().get(path).status_code == 404


def test_a_tenant_stream_starts_now_or_at_a_given_place(caller_on_both: Caller) -> None:
    caller = caller_on_both
    old = caller.order()["id"]
    with streaming(caller, "/v1/events/stream") as response:
        received = frames(response.iter_lines())
        caller.api.caller().order()  # somebody else's
        new = caller.order()["id"]
        first = next(received)
        assert (first.event, first.data["data"]["id"]) == ("job.queued", new)
        caller.change(old, failed)
        second = next(received)
        assert (second.event, second.data["data"]["id"]) == ("job.failed", old)
    with streaming(caller, "/v1/events/stream", last=first.id) as response:
        assert next(frames(response.iter_lines())) == second
    with streaming(caller, f"/v1/events/stream?after={first.id}&type=job.failed") as response:
        assert next(frames(response.iter_lines())) == second
    page = caller.get("/v1/events", params={"after": first.id}).json()
    assert page["data"] == [second.data], "the feed takes the stream's ids"


def test_a_reader_far_behind_catches_up(caller: Caller) -> None:
    ids = [caller.order()["id"] for _ in range(230)]
    cursor = caller.get("/v1/events", params={"limit": 1}).json()["next_cursor"]
    with streaming(caller, "/v1/events/stream", last=cursor) as response:
        received = frames(response.iter_lines())
        seen = [next(received).data["data"]["id"] for _ in range(229)]
        assert seen == ids[1:]
        ids.append(caller.order()["id"])
        assert next(received).data["data"]["id"] == ids[-1]


async def test_a_subscription_that_is_too_slow_is_closed() -> None:
    listener = Subscription("acme", "job_1", ())
    pieces = [ProgressPayload(percent, b"{}") for percent in range(MOST_WAITING + 5)]
    for piece in pieces:
        listener.deliver(piece)
    received = [await listener.next() for _ in range(MOST_WAITING + 1)]
    assert received == [*pieces[:MOST_WAITING], None]


async def test_the_stream_of_a_revoked_key_ends(store_url: str) -> None:
    store = Store(store_url)
    try:
        key = await store.keys.add("acme", new_key(), "whsec_unused", datetime.now(UTC))
        welcome = KeyRevalidation(ApiKeyAuth(store.keys, timedelta(0)), key, timedelta(0))
        assert await welcome.holds()
        await store.keys.revoke(key.id, datetime.now(UTC))
        assert not await welcome.holds()
    finally:
        await store.close()
