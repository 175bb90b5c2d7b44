"""Keys with limits: what their callers are told, and that two API processes keep one count."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from generation.access.permissions import Access, Limits, Rate
from generation.job import JobState
from tests.api.serving import ORDER, Caller, Served, serving, settings_of
from tests.api.test_refused_orders import problem
from tests.unit.jobs import NOON

HOUR = timedelta(hours=1)


def limited(served: Served, **limits: Any) -> Caller:
    return served.caller(access=Access(limits=Limits(**limits)))


def parameters(field: str) -> dict[str, dict[str, str]]:
    """A list of structured fields: each name with its parameters."""
    found: dict[str, dict[str, str]] = {}
    for item in field.split(", "):
        matched = re.fullmatch(r'"(\w+)"((?:;[a-z]+=(?:\d+|"[a-z-]+"))+)', item)
        assert matched, item
        pairs = (part.split("=") for part in matched[2][1:].split(";"))
        found[matched[1]] = {name: value.strip('"') for name, value in pairs}
    return found


def refused(answer: httpx.Response, policy: str, left: int = 0) -> dict[str, Any]:
    document = problem(answer, 429, "quota_exceeded")
    assert document["type"] == "https://iana.org/assignments/http-problem-types#quota-exceeded"
    assert document["violated-policies"] == [policy]
    state = parameters(answer.headers["ratelimit"])[policy]
    assert int(state["r"]) <= left
    assert int(answer.headers["retry-after"]) >= int(state.get("t", 1)) > 0
    return document


def test_a_key_without_limits_is_told_of_none(caller: Caller) -> None:
    answer = caller.post("/v1/jobs", ORDER)
    assert not {"ratelimit", "ratelimit-policy"} & set(answer.headers)


def test_every_answer_to_an_order_says_what_is_left(caller_on_both: Caller) -> None:
    key = limited(caller_on_both.api, rate=Rate(3, HOUR), max_in_flight=5, daily_jobs=100)
    for left in (2, 1, 0):
        answer = key.post("/v1/jobs", ORDER)
        assert answer.status_code == 202
        assert answer.headers["ratelimit-policy"] == (
            '"submit";q=3;w=3600, "concurrent";q=5;qu="concurrent-requests", "daily";q=100;w=86400'
        )
        told = parameters(answer.headers["ratelimit"])
        assert told["submit"]["r"] == str(left)
        assert 1190 <= int(told["submit"]["t"]) <= 1200
        assert told["concurrent"] == {"r": str(2 + left)}
        assert told["daily"]["r"] == str(97 + left)
    document = refused(key.post("/v1/jobs", ORDER), "submit")
    assert "a rate of 3/h" in document["detail"]
    # The second refusal is this process's own.
    refused(key.post("/v1/jobs", ORDER), "submit")
    assert len(key.get("/v1/jobs").json()["data"]) == 3
    assert key.get("/v1/jobs").status_code == 200


def test_an_order_that_is_refused_uses_up_nothing(caller: Caller) -> None:
    key = limited(caller.api, daily_jobs=1)
    assert key.post("/v1/jobs", ORDER | {"input": None}).status_code == 422
    key.order()
    refused(key.post("/v1/jobs", ORDER), "daily")


def test_a_job_that_ends_makes_room(caller_on_both: Caller) -> None:
    key = limited(caller_on_both.api, max_in_flight=1)
    job = key.order()
    refused(key.post("/v1/jobs", ORDER), "concurrent")
    key.change(
        job["id"], lambda job: job.move(JobState.FAILED, NOON, wake_at=None, finished_at=NOON)
    )
    second = key.order()
    assert key.post(f"/v1/jobs/{second['id']}/cancel").status_code == 200
    key.order()


def test_a_repetition_is_answered_whatever_the_limits(caller_on_both: Caller) -> None:
    key = limited(caller_on_both.api, daily_jobs=1)
    headers = {"idempotency-key": "order-1"}
    first = key.post("/v1/jobs", ORDER, headers=headers)
    assert first.status_code == 202
    refused(key.post("/v1/jobs", ORDER), "daily")
    again = key.post("/v1/jobs", ORDER, headers=headers)
    assert (again.status_code, again.json()["id"]) == (202, first.json()["id"])
    refused(key.post("/v1/jobs", ORDER, headers={"idempotency-key": "order-2"}), "daily")
    refused(key.request("PUT", "/v1/jobs/mine", json=ORDER), "daily")


def test_a_batch_is_taken_whole_or_not_at_all(caller_on_both: Caller) -> None:
    key = limited(caller_on_both.api, rate=Rate(3, HOUR))
    batch = {"jobs": [ORDER, ORDER]}
    placed = key.post("/v1/jobs/batch", batch)
    assert placed.status_code == 202
    assert parameters(placed.headers["ratelimit"])["submit"]["r"] == "1"
    over = key.post("/v1/jobs/batch", batch)
    refused(over, "submit")
    # The first would fit, and the second not before 20 minutes have passed.
    assert 1190 <= int(over.headers["retry-after"]) <= 1200
    key.order()
    assert len(key.get("/v1/jobs").json()["data"]) == 3


def test_a_batch_that_never_fits_is_not_asked_to_come_again(caller: Caller) -> None:
    key = limited(caller.api, rate=Rate(3, HOUR))
    answer = key.post("/v1/jobs/batch", {"jobs": [ORDER] * 4})
    document = problem(answer, 422, "invalid_request")
    assert "retry-after" not in answer.headers
    assert document["errors"] == [
        {
            "pointer": "#/jobs",
            "detail": "has 4 jobs, and this key may never order more than 3 together",
            "code": "length",
        }
    ]
    assert key.post("/v1/jobs/batch", {"jobs": [ORDER] * 3}).status_code == 202


def test_other_limits_hold_at_once(caller: Caller) -> None:
    key = limited(caller.api, daily_jobs=1)
    key.order()
    refused(key.post("/v1/jobs", ORDER), "daily")
    admin = caller.api.admin()
    (made,) = admin.get(f"/v1/keys?tenant={key.tenant}").json()["data"]
    assert admin.request("PATCH", f"/v1/keys/{made['id']}", json={"daily_jobs": 2}).is_success
    key.order()
    refused(key.post("/v1/jobs", ORDER), "daily")
    assert admin.request("PATCH", f"/v1/keys/{made['id']}", json={"daily_jobs": None}).is_success
    answer = key.post("/v1/jobs", ORDER)
    assert answer.status_code == 202
    assert "ratelimit" not in answer.headers


class TestTwoProcesses:
    @pytest.fixture
    def two(self, tmp_path: Path, store_url: str, redis_url: str) -> Iterator[list[Served]]:
        settings = settings_of(tmp_path, store_url, redis_url)
        with serving(settings) as one, serving(settings) as other:
            yield [one, other]

    @pytest.mark.parametrize(
        ("limits", "policy"),
        [
            ({"rate": Rate(9, HOUR)}, "submit"),
            ({"max_in_flight": 9}, "concurrent"),
            ({"daily_jobs": 9}, "daily"),
        ],
    )
    def test_forty_orders_at_once(
        self, two: list[Served], limits: dict[str, Any], policy: str
    ) -> None:
        key = limited(two[0], **limits)
        callers = [Caller(served, key.tenant, key.key) for served in two]

        def order(n: int) -> httpx.Response:
            return callers[n % 2].post("/v1/jobs", ORDER)

        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(order, range(40)))
        assert [answer.status_code for answer in answers].count(202) == 9
        for answer in answers:
            if answer.status_code != 202:
                # What came a moment before the first that was taken is a moment too early; when
                # it is told so, there may be a place.
                refused(answer, policy, left=1)
        assert len(key.get("/v1/jobs").json()["data"]) == 9


def test_other_requests_with_the_submit_scope_are_within_the_limits(served: Served) -> None:
    key = limited(served, rate=Rate(1, HOUR))
    body = {"url": "https://hooks.example.com/genq"}
    answer = key.post("/v1/webhook-endpoints", body)
    assert answer.status_code == 201
    assert parameters(answer.headers["ratelimit"])["submit"]["r"] == "1"
    assert key.post("/v1/jobs", ORDER).status_code == 202
    refused(key.post("/v1/jobs", ORDER), "submit")
    refused(key.post("/v1/webhook-endpoints", body), "submit")
    assert key.get("/v1/webhook-endpoints").status_code == 200
