"""Batches: ordered in one transaction, looked at and canceled as a whole."""

from typing import Any

import httpx
import pytest

from api.jobs.schemas import Batch, SubmittedBatch
from tests.api.serving import ORDER, Caller
from tests.api.test_jobs import finished
from tests.api.test_refused_orders import problem

WRONG: dict[str, Any] = ORDER | {"input": {}}


def batch(caller: Caller, *orders: Any, **more: Any) -> httpx.Response:
    headers = more.pop("headers", {})
    return caller.post("/v1/jobs/batch", {"jobs": list(orders), **more}, headers=headers)


def test_a_batch_is_ordered_looked_at_and_canceled(caller_on_both: Caller) -> None:
    caller = caller_on_both
    answer = batch(caller, *(ORDER | {"metadata": {"n": str(n)}} for n in range(10)))
    assert answer.status_code == 202
    placed = SubmittedBatch.model_validate_json(answer.content)
    assert [job.metadata["n"] for job in placed.jobs] == [str(n) for n in range(10)]
    assert {job.batch for job in placed.jobs} == {placed.id}
    assert (placed.total, placed.counts, placed.done) == (10, {"queued": 10}, False)
    caller.change(placed.jobs[0].id, finished)
    seen = Batch.model_validate_json(caller.get(answer.headers["location"]).content)
    assert seen.counts == {"queued": 9, "succeeded": 1}
    canceled = caller.post(placed.urls.cancel)
    assert canceled.status_code == 200
    assert Batch.model_validate_json(canceled.content).counts == {"canceled": 9, "succeeded": 1}
    assert caller.post(placed.urls.cancel).json() == canceled.json()
    assert len(caller.get(placed.urls.jobs).json()["data"]) == 10
    for path in (placed.urls.self, placed.urls.cancel):
        method = "POST" if path.endswith("cancel") else "GET"
        problem(caller.api.caller().request(method, path), 404, "not_found")


def test_one_wrong_order_stops_all_or_only_itself(caller_on_both: Caller) -> None:
    refused = batch(caller_on_both, ORDER, WRONG, ORDER, "no order")
    document = problem(refused, 422, "invalid_request")
    assert [e["pointer"] for e in document["errors"]] == ["#/jobs/1/input", "#/jobs/3"]
    assert caller_on_both.get("/v1/jobs").json()["data"] == []
    answer = batch(caller_on_both, ORDER, WRONG, ORDER, "no order", mode="each")
    placed = SubmittedBatch.model_validate_json(answer.content)
    assert (answer.status_code, len(placed.jobs)) == (202, 2)
    assert [(r.index, r.status) for r in placed.rejected] == [(1, 422), (3, 422)]
    problem(batch(caller_on_both, WRONG, mode="each"), 422, "invalid_request")


def test_a_batch_with_a_key_is_ordered_once(caller_on_both: Caller) -> None:
    headers = {"idempotency-key": "nightly"}
    first = batch(caller_on_both, ORDER, WRONG, ORDER, mode="each", headers=headers)
    again = batch(caller_on_both, ORDER, WRONG, ORDER, mode="each", headers=headers)
    assert again.headers["idempotent-replayed"] == "true"
    assert again.json() == first.json()
    other = batch(caller_on_both, ORDER, headers=headers)
    problem(other, 422, "idempotency_key_reused")
    alone = caller_on_both.post("/v1/jobs", ORDER, headers=headers)
    assert "idempotent-replayed" not in alone.headers, "the same key elsewhere is another"
    assert len(caller_on_both.get("/v1/jobs").json()["data"]) == 3


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "#/jobs"),
        ({"jobs": []}, "#/jobs"),
        ({"jobs": [ORDER] * 101}, "#/jobs"),
        ({"jobs": [ORDER], "mode": "some"}, "#/mode"),
        ({"jobs": [ORDER], "metadata": {}}, "#/metadata"),
    ],
)
def test_what_a_batch_cannot_be(caller: Caller, body: Any, pointer: str) -> None:
    document = problem(caller.post("/v1/jobs/batch", body), 422, "invalid_request")
    assert [error["pointer"] for error in document["errors"]] == [pointer]


@pytest.mark.parametrize("batch_id", ["batch_01KG9Q2Z6M8T4V7X1Y3A5C7E9G", "batch_1", "%00"])
def test_a_batch_that_is_not_there(caller: Caller, batch_id: str) -> None:
    problem(caller.get(f"/v1/batches/{batch_id}"), 404, "not_found")
    problem(caller.post(f"/v1/batches/{batch_id}/cancel"), 404, "not_found")
