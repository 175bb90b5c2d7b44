"""Waiting with the order itself, deadlines by header, and when to ask again."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from generation.job import Job, JobState
from generation.lifecycle import expired
from generation.polling.duration_histogram import ObservedDuration
from generation.store import Kind
from tests.api.serving import ORDER, Caller, Served
from tests.api.test_jobs import finished
from tests.api.test_refused_orders import problem
from tests.services.waiting import wait_for
from tests.unit.jobs import NOON, at

SOON = timedelta(seconds=20)


def order(caller: Caller, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return caller.post("/v1/jobs", ORDER, headers=named)


def queued(caller: Caller) -> list[str]:
    return [job["id"] for job in caller.get("/v1/jobs?state=queued").json()["data"]]


def accepted(job: Job) -> Job:
    """By an upstream, just now."""
    now = datetime.now(UTC)
    bound = {"station": "relay", "key": "main", "dialect": "kling.relay"}
    sent = job.move(JobState.SUBMITTING, now, **bound, submitted_at=now)
    return sent.move(JobState.RUNNING, now, upstream_id="up_1", started_at=now)


def finish_all(caller: Caller, count: int) -> None:
    """What workers do, once so many jobs are there."""
    wait_for(lambda: len(queued(caller)) == count, SOON, "all the orders")
    for job_id in queued(caller):
        caller.change(job_id, finished)


def test_who_waits_is_answered_with_the_end(caller_on_both: Caller) -> None:
    worker = threading.Thread(target=finish_all, args=(caller_on_both, 12))
    worker.start()
    with ThreadPoolExecutor(12) as pool:
        sent = [
            pool.submit(order, caller_on_both, prefer="respond-async;x, wait=30") for _ in range(12)
        ]
        answers = [each.result() for each in sent]
    worker.join()
    for answer in answers:
        assert (answer.status_code, answer.json()["state"]) == (200, "succeeded")
        assert answer.headers["preference-applied"] == "wait"
        assert "retry-after" not in answer.headers


def test_who_has_waited_long_enough_is_told_where_it_stands(caller: Caller) -> None:
    began = time.monotonic()
    answer = order(caller, prefer="wait=1")
    assert time.monotonic() - began >= 1
    assert (answer.status_code, answer.json()["state"]) == (202, "queued")
    assert answer.headers["preference-applied"] == "wait"
    assert int(answer.headers["retry-after"]) >= 1
    assert answer.headers["openai-poll-after-ms"] == answer.headers["retry-after"] + "000"


def test_who_waited_in_vain_sees_the_job_as_it_is_by_then(caller: Caller) -> None:
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(order, caller, prefer="wait=4")
        wait_for(lambda: queued(caller), SOON, "the order")
        caller.change(queued(caller)[0], accepted)
        answer = waiting.result()
    assert (answer.status_code, answer.json()["state"]) == (202, "running")


def test_the_next_question_comes_when_such_jobs_end_here(served: Served) -> None:
    caller = served.caller()
    kinds = {model: Kind("relay", "kling", "text2video", model) for model in ("slow", "quick")}
    seen = {
        kinds["slow"]: [ObservedDuration(900, 960)] * 100,
        kinds["quick"]: [ObservedDuration(4, 6)] * 100,
    }
    served.in_store(lambda store: store.durations.add(seen, NOON))

    def hints() -> dict[str, int]:
        found: dict[str, int] = {}
        for model in ("", "slow", "quick"):
            job = caller.order(
                input={"prompt": "a boat"} | ({"model_name": model} if model else {})
            )
            told = [caller.get(f"/v1/jobs/{job['id']}").headers["retry-after"]]
            caller.change(job["id"], accepted)
            told.append(caller.get(f"/v1/jobs/{job['id']}").headers["retry-after"])
            found[model] = int(told[1])
            assert 0 <= int(told[0]) - int(told[1]) <= 2
        return found

    def are_learned() -> bool:
        found = hints()
        return found["quick"] < found[""] < found["slow"]

    wait_for(are_learned, SOON, "what was learned to be told")


def test_a_repetition_may_wait_too(caller: Caller) -> None:
    job_id = order(caller, idempotency_key="k").json()["id"]
    caller.change(job_id, finished)
    answer = order(caller, idempotency_key="k", prefer="wait=30")
    assert (answer.status_code, answer.json()["id"]) == (200, job_id)
    assert answer.headers["idempotent-replayed"] == "true"


@pytest.mark.parametrize("prefer", ["respond-async", "return=minimal", "waiting=3", ""])
def test_what_nobody_prefers_here_is_ignored(caller: Caller, prefer: str) -> None:
    answer = order(caller, prefer=prefer)
    assert answer.status_code == 202
    assert "preference-applied" not in answer.headers


@pytest.mark.parametrize(
    "headers",
    [
        {"prefer": "wait"},
        {"prefer": "wait=soon"},
        {"prefer": "return=minimal, wait=-1"},
        {"cancel_after": "5"},
        {"cancel_after": "0s"},
        {"cancel_after": "25h"},
        {"cancel_after": "2d"},
        {"cancel_after": "1 d"},
    ],
)
def test_headers_that_cannot_be_used(caller: Caller, headers: dict[str, str]) -> None:
    problem(order(caller, **headers), 400, "invalid_header")


def test_a_deadline_may_come_by_header(caller: Caller) -> None:
    for given, expected in (("5s", 5), ("10m", 600), ("24h", 86400), ("1d", 86400)):
        job: dict[str, Any] = order(caller, cancel_after=given).json()
        life = datetime.fromisoformat(job["deadline"]) - datetime.fromisoformat(job["created_at"])
        assert life == timedelta(seconds=expected)
    twice = caller.post("/v1/jobs", ORDER | {"deadline": "5m"}, headers={"cancel-after": "5m"})
    assert problem(twice, 422, "invalid_request")["errors"][0]["pointer"] == "#/deadline"


@pytest.mark.parametrize("attempts", [0, 1])
def test_what_expired_before_anything_was_sent_says_so(caller: Caller, attempts: int) -> None:
    def too_late(job: Job) -> Job:
        moment = at((job.deadline - NOON).total_seconds() + 1)
        return expired(replace(job, attempts=attempts), moment)

    job_id = order(caller).json()["id"]
    caller.change(job_id, too_late)
    job = caller.get(f"/v1/jobs/{job_id}").json()
    assert (job["state"], job["expired_before_start"]) == ("expired", attempts == 0)
