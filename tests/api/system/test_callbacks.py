"""Callbacks of upstreams: access and effect."""

from datetime import UTC, datetime, timedelta

import pytest

from generation.access.callback_tokens import APART, SECRET_NAME, token
from generation.job import Billed, Job, JobState
from tests.api.serving import Caller
from tests.api.test_refused_orders import problem

NOTED = (200, {"ok": True})


def running(job: Job) -> Job:
    """Return the running job, polled a moment ago and due in an hour."""
    now = datetime.now(UTC)
    sent = job.move(JobState.SUBMITTING, now, station="relay", key="main", dialect="kling.relay")
    return sent.move(
        JobState.RUNNING,
        now,
        upstream_id="up_1",
        billed=Billed.YES,
        looked_at=now,
        wake_at=now + timedelta(hours=1),
    )


def token_of(caller: Caller, job_id: str) -> str:
    secret = caller.api.in_store(lambda store: store.secrets.get(SECRET_NAME))
    return token(job_id, secret)


def test_many_callbacks_wake_a_job_once(caller_on_both: Caller) -> None:
    caller = caller_on_both
    job_id = caller.order()["id"]
    caller.change(job_id, running)
    before = caller.stored(job_id)
    assert before.looked_at is not None
    path = f"/v1/callbacks/{token_of(caller, job_id)}"
    for number in range(20):
        answer = caller.api.http.post(path, json={"status": "SUCCESS", "n": number})
        assert (answer.status_code, answer.json()) == NOTED
        assert caller.stored(job_id).wake_at == before.looked_at + APART
    assert caller.stored(job_id).state is JobState.RUNNING, "what it says is not believed"


@pytest.mark.parametrize("body", [b"", b"not JSON", b"\x00\xff" * 1000, b"x" * 1024 * 1024])
def test_any_body_is_accepted(caller: Caller, body: bytes) -> None:
    job_id = caller.order()["id"]
    caller.change(job_id, running)
    answer = caller.api.http.post(f"/v1/callbacks/{token_of(caller, job_id)}", content=body)
    assert (answer.status_code, answer.json()) == NOTED
    too_much = b"x" * (1024 * 1024 + 1)
    refused = caller.api.http.post(f"/v1/callbacks/{token_of(caller, job_id)}", content=too_much)
    problem(refused, 413, "body_too_large")


def test_a_task_id_is_kept_only_for_a_job_in_doubt(caller_on_both: Caller) -> None:
    caller = caller_on_both
    orders = [caller.order()["id"] for _ in range(2)]
    caller.change(orders[0], running)
    caller.change(orders[1], in_doubt)
    for job_id in orders:
        path = f"/v1/callbacks/{token_of(caller, job_id)}"
        answer = caller.api.http.post(path, json={"id": "mj-77", "status": "SUCCESS"})
        assert (answer.status_code, answer.json()) == NOTED
    known, doubtful = (caller.stored(job_id) for job_id in orders)
    assert (known.upstream_id, known.named_id) == ("up_1", None)
    assert (doubtful.state, doubtful.upstream_id) == (JobState.IN_DOUBT, None)
    assert doubtful.named_id == "mj-77"
    assert doubtful.wake_at is not None
    assert doubtful.wake_at <= datetime.now(UTC), "the upstream is asked about it now"


def in_doubt(job: Job) -> Job:
    """Return the job in doubt, due at its deadline."""
    now = datetime.now(UTC)
    sent = job.move(JobState.SUBMITTING, now, station="relay", key="main", dialect="kling.relay")
    return sent.move(JobState.IN_DOUBT, now, bound=True, wake_at=job.deadline)


def test_a_callback_does_not_change_a_finished_job(caller: Caller) -> None:
    """Late callbacks are no error of the upstream."""
    job_id = caller.order()["id"]
    waiting = caller.stored(job_id)
    answer = caller.api.http.post(f"/v1/callbacks/{token_of(caller, job_id)}")
    assert (answer.status_code, answer.json()) == NOTED
    assert caller.stored(job_id) == waiting
    assert caller.api.http.post(
        f"/v1/callbacks/{token_of(caller, 'job_01KG9Q2Z6M8T4V7X1Y3A5C7E9G')}"
    ).json() == {"ok": True}


def test_an_unknown_token_is_not_found(caller: Caller) -> None:
    job_id = caller.order()["id"]
    caller.change(job_id, running)
    right = token_of(caller, job_id)
    for forged in (job_id, right[:-1], f"{job_id}.{'A' * 32}", "x", "%00", "猫.猫"):
        problem(caller.api.http.post(f"/v1/callbacks/{forged}"), 404, "not_found")
    refused = caller.api.http.get(f"/v1/callbacks/{right}")
    problem(refused, 405, "method_not_allowed")
