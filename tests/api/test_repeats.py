"""Orders that are sent twice: by key, by a name of the caller's, and by clients that repeat."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.jobs.idempotency import fingerprint, idempotency_key
from api.jobs.request_headers import SubmitHeaders
from generation.job import JobState
from generation.store import KeyScope
from ops.stack.child_reaper import ChildReaper
from tests.api.serving import ORDER, Caller, in_store, serving, settings_of
from tests.api.test_jobs import finished
from tests.api.test_process import running
from tests.api.test_refused_orders import problem
from tests.unit.jobs import a_job

FAL = {"user-agent": "fal-client/0.5.6 (python)"}


def order(caller: Caller, key: str | None = None, **changes: Any) -> httpx.Response:
    headers = {"idempotency-key": key} if key is not None else {}
    return caller.post("/v1/jobs", ORDER | changes, headers=headers)


def jobs_of(caller: Caller) -> list[str]:
    return [job["id"] for job in caller.get("/v1/jobs").json()["data"]]


def test_the_same_order_with_the_same_key_is_one_job(caller_on_both: Caller) -> None:
    caller = caller_on_both
    first, again = order(caller, "order-1"), order(caller, '"order-1"')
    assert (first.status_code, again.status_code) == (202, 202)
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert again.json() == first.json()
    caller.change(first.json()["id"], finished)
    ended = order(caller, "order-1")
    assert (ended.status_code, ended.json()["state"]) == (202, "succeeded")
    assert "retry-after" not in ended.headers
    assert len(jobs_of(caller)) == 1
    assert order(caller, "order-2").json()["id"] != first.json()["id"]
    assert order(caller.api.caller(), "order-1").json()["id"] != first.json()["id"]


def test_what_counts_is_the_meaning_of_the_body(caller: Caller) -> None:
    first = order(caller, "k", input={"prompt": "é", "duration": 5}).json()["id"]
    body = '{"input": {"duration": 5.0, "prompt": "\\u00e9"},\n'
    body += '"operation": "text2video", "provider": "kling"}'
    again = caller.request("POST", "/v1/jobs", content=body, headers={"idempotency-key": "k"})
    assert (again.json()["id"], again.headers["idempotent-replayed"]) == (first, "true")
    other = order(caller, "k", input={"prompt": "é", "duration": 10})
    assert "another body" in problem(other, 422, "idempotency_key_reused")["detail"]


def test_fingerprints_tell_what_differs() -> None:
    values: list[Any] = [{}, [], None, 1, "1", True, 1.5, {"a": 1}, {"a": [1]}, {"a": 2**70}, [[]]]
    assert len({fingerprint(value) for value in values}) == len(values)
    assert fingerprint({"a": 1, "b": [1e2]}) == fingerprint({"b": [100], "a": 1.0})


def test_a_refused_order_leaves_its_key_free(caller: Caller) -> None:
    problem(order(caller, "k", input={}), 422, "invalid_request")
    accepted = order(caller, "k")
    assert accepted.status_code == 202
    problem(order(caller, "k", input={}), 422, "idempotency_key_reused")


def test_a_repetition_is_answered_though_it_could_not_be_ordered_now(caller: Caller) -> None:
    """What was good when it was sent may be refused now: its deadline has passed, for one."""
    body = ORDER | {"deadline": "2026-01-31T12:00:00Z"}
    problem(order(caller, "late", **body), 422, "invalid_request")
    now = datetime.now(UTC)
    headers = SubmitHeaders(key="late")
    key = idempotency_key(headers, caller.tenant, KeyScope.JOB, body, now, guess=True)
    stored = replace(a_job(), tenant=caller.tenant)
    caller.api.in_store(lambda store: store.jobs.place([stored], key))
    answer = order(caller, "late", **body)
    assert (answer.status_code, answer.headers["idempotent-replayed"]) == (202, "true")
    assert answer.json()["id"] == stored.id


@pytest.mark.parametrize("key", ["", '""', "a b", "k" * 256])
def test_a_key_that_cannot_be_one(caller: Caller, key: str) -> None:
    problem(order(caller, key), 400, "invalid_header")


def test_two_keys_are_one_too_many(caller: Caller) -> None:
    headers = [("authorization", f"Bearer {caller.key}"), *[("idempotency-key", "k")] * 2]
    answer = caller.api.http.post("/v1/jobs", json=ORDER, headers=headers)
    assert "twice" in problem(answer, 400, "invalid_header")["detail"]


class TestClientIds:
    def test_a_job_is_put_once_and_found_by_its_name(self, caller_on_both: Caller) -> None:
        caller = caller_on_both
        first = caller.request("PUT", "/v1/jobs/order:42~a", json=ORDER)
        again = caller.request("PUT", "/v1/jobs/order:42~a", json=ORDER)
        assert (first.status_code, again.status_code) == (202, 202)
        assert again.headers["idempotent-replayed"] == "true"
        job = first.json()
        assert (job["client_id"], again.json()) == ("order:42~a", job)
        assert caller.get("/v1/jobs/order:42~a").json() == job
        assert caller.get("/v1/jobs/order:42~a/reply").json()["job"] == job["id"]
        other = caller.request("PUT", "/v1/jobs/order:42~a", json=ORDER | {"metadata": {"a": "b"}})
        assert "client id" in problem(other, 422, "idempotency_key_reused")["detail"]
        canceled = caller.post("/v1/jobs/order:42~a/cancel")
        assert (canceled.status_code, canceled.json()["id"]) == (200, job["id"])
        problem(caller.api.caller().get("/v1/jobs/order:42~a"), 404, "not_found")
        assert jobs_of(caller) == [job["id"]]

    @pytest.mark.parametrize("name", ["batch", "job_1", "-a", "a%20b", "a" * 101, "%C3%A9"])
    def test_a_name_that_cannot_be_one(self, caller: Caller, name: str) -> None:
        answer = caller.request("PUT", f"/v1/jobs/{name}", json=ORDER)
        assert "client id" in problem(answer, 422, "invalid_request")["detail"]


class TestClientsThatRepeat:
    def test_a_repetition_without_a_key_is_the_earlier_job(self, caller_on_both: Caller) -> None:
        def try_number(n: int, **changes: Any) -> httpx.Response:
            headers = {"x-stainless-retry-count": str(n)}
            return caller_on_both.post("/v1/jobs", ORDER | changes, headers=headers)

        first, repeated = try_number(0), try_number(1)
        assert repeated.json()["id"] == first.json()["id"]
        assert repeated.headers["idempotent-replayed"] == "true"
        second = try_number(0)
        assert second.json()["id"] != first.json()["id"], "the same order again is a new one"
        assert try_number(2).json()["id"] == second.json()["id"]
        assert try_number(1, metadata={"a": "b"}).json()["id"] not in {
            first.json()["id"],
            second.json()["id"],
        }

    def test_a_client_that_never_says_so_is_guarded_too(self, caller: Caller) -> None:
        ids = {caller.post("/v1/jobs", ORDER, headers=FAL).json()["id"] for _ in range(3)}
        assert len(ids) == 1
        assert caller.order()["id"] not in ids

    def test_the_guard_can_be_switched_off(
        self, tmp_path: Path, sqlite_url: str, redis_url: str
    ) -> None:
        settings = settings_of(tmp_path, sqlite_url, redis_url, retry_guard=False)
        with serving(settings) as served:
            caller = served.caller()
            ids = {caller.post("/v1/jobs", ORDER, headers=FAL).json()["id"] for _ in range(2)}
            assert len(ids) == 2


def test_fifty_equal_orders_to_two_processes_are_one_job(
    tmp_path: Path, store_url: str, redis_url: str, reaper: ChildReaper
) -> None:
    together = threading.Barrier(25)

    def send(client: httpx.Client) -> httpx.Response:
        together.wait()
        return client.post("/v1/jobs", json=ORDER, headers={"idempotency-key": "once"})

    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    with (
        running(tmp_path / "a", store_url, redis_url, reaper) as one,
        running(tmp_path / "b", store_url, redis_url, reaper) as other,
        ThreadPoolExecutor(25) as pool,
    ):
        answers = list(pool.map(send, [one.http, other.http] * 25))
        counts = in_store(one.settings, lambda store: store.jobs.counts())
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert ["idempotent-replayed" in answer.headers for answer in answers].count(False) == 1
    assert counts == {JobState.QUEUED: 1}
