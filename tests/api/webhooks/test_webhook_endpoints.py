"""`/v1/webhook-endpoints` and `/v1/webhook-deliveries`."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.webhooks import schemas as documents
from generation.contract.errors import ErrorCode
from generation.job import Job, JobError, JobState
from generation.store import Store
from generation.webhooks.delivery import after_attempt, attempt_record
from generation.webhooks.outcome import DeliveryOutcome
from generation.webhooks.signature import check_secret
from tests.api.serving import Caller, pages
from tests.api.test_refused_orders import problem

URL = "https://hooks.example.com/genq"
ENDPOINTS = "/v1/webhook-endpoints"
DELIVERIES = "/v1/webhook-deliveries"
EVERYTHING: dict[str, Any] = {
    "url": URL,
    "description": "one customer's",
    "events": ["job.succeeded", "endpoint.disabled"],
    "metadata": {"customer": "42"},
    "headers": {"X-Tenant": "acme", "X-Api-Key": "hunter2"},
    "concurrency": 3,
    "rate": 2.5,
    "ordered": True,
    "enabled": False,
}


def registered(caller: Caller, **changes: Any) -> dict[str, Any]:
    answer = caller.post(ENDPOINTS, {"url": URL} | changes)
    assert answer.status_code == 201, answer.text
    assert answer.headers["cache-control"] == "no-store"
    documents.NewWebhookEndpoint.model_validate_json(answer.content)
    return answer.json()


def failing(job: Job) -> Job:
    error = JobError(code=ErrorCode.INTERNAL, message="no")
    now = datetime.now(UTC)
    return job.move(JobState.FAILED, now, error=error, finished_at=now, wake_at=None)


def ended(caller: Caller, **changes: Any) -> str:
    """Return a failed job of this caller."""
    job_id = caller.order(**changes)["id"]
    caller.change(job_id, failing)
    return job_id


def answered(caller: Caller, status: int) -> None:
    """Send what is due, with this response."""

    async def send(store: Store) -> None:
        now = datetime.now(UTC)
        for claimed in await store.deliveries.claim(now, 100, now + timedelta(minutes=1)):
            outcome = DeliveryOutcome(status=status, excerpt="a text")
            after = after_attempt(claimed.delivery, outcome, now, 0.5)
            await store.deliveries.save(
                after, attempt_record(claimed.delivery, after, outcome, now)
            )

    caller.api.in_store(send)


def test_an_endpoint_is_created_changed_and_deleted(caller_on_both: Caller) -> None:
    caller = caller_on_both
    made = registered(caller, **EVERYTHING)
    check_secret(made.pop("secret"))
    shown = EVERYTHING | {"headers": {"X-Tenant": "acme", "X-Api-Key": "********"}}
    assert shown.items() <= made.items()
    assert made["disabled_reason"] == "disabled by its owner"
    path = f"{ENDPOINTS}/{made['id']}"
    assert caller.get(path).json() == made
    assert caller.get(ENDPOINTS).json() == {"data": [made]}

    changed = caller.request("PATCH", path, json={"enabled": True, "rate": None, "events": []})
    document = documents.WebhookEndpoint.model_validate_json(changed.content)
    assert (document.enabled, document.disabled_reason, document.rate) == (True, None, None)
    assert "job.succeeded" in document.events
    assert "endpoint.disabled" in document.events
    assert document.metadata == {"customer": "42"}
    assert document.headers["X-Api-Key"] == "********", "still there"

    stranger = caller.api.caller()
    for method, where in (("GET", path), ("DELETE", path), ("POST", f"{path}/test")):
        problem(stranger.request(method, where), 404, "not_found")
    assert stranger.get(ENDPOINTS).json() == {"data": []}
    assert caller.request("DELETE", path).status_code == 204
    problem(caller.get(path), 404, "not_found")
    problem(caller.request("DELETE", path), 404, "not_found")


@pytest.mark.parametrize(
    ("change", "place", "text"),
    [
        ({"url": "http://hooks.example.com/"}, "#/url", "use https://"),
        ({"url": "https://10.0.0.1/"}, "#/url", "private network"),
        ({"url": "https://hooks.internal/"}, "#/url", "internal"),
        ({"url": 7}, "#/url", "must be a string"),
        ({"events": ["job.done"]}, "#/events/0", "must be one of job.queued"),
        ({"events": ["endpoint.test"]}, "#/events/0", "must be one of job.queued"),
        ({"metadata": {"a": 1}}, "#/metadata/a", "must be a string"),
        ({"headers": {"Host": "x"}}, "#/headers", "Host is set by genq"),
        ({"headers": {"Connection": "x"}}, "#/headers", "Connection is set by genq"),
        ({"headers": {"webhook-id": "x"}}, "#/headers", "webhook-id is set by genq"),
        ({"headers": {"X-A": "a\r\nX-B: b"}}, "#/headers", "visible ASCII"),
        ({"headers": {"X Y": "a"}}, "#/headers", "letters, digits and hyphens"),
        ({"headers": {"X-Key": "********"}}, "#/headers", "give the value"),
        ({"headers": {"X-A": "a", "x-a": "b"}}, "#/headers", "twice"),
        ({"concurrency": 11}, "#/concurrency", "at most 10"),
        ({"rate": 0}, "#/rate", "at least 0.01"),
        ({"ordered": "yes"}, "#/ordered", "true or false"),
        ({"secret": "whsec_x"}, "#/secret", "is not a known field"),
    ],
)
def test_validation_errors_name_the_field(
    caller: Caller, change: dict[str, Any], place: str, text: str
) -> None:
    found = problem(caller.post(ENDPOINTS, {"url": URL} | change), 422, "invalid_request")
    (error,) = found["errors"]
    assert error["pointer"] == place
    assert text in error["detail"]
    assert "hunter2" not in str(found)


def test_a_secret_is_rotated_with_an_overlap(caller: Caller) -> None:
    made = registered(caller)
    path = f"{ENDPOINTS}/{made['id']}/rotate-secret"
    problem(caller.post(f"{path}?overlap=8d"), 400, "invalid_query")
    problem(caller.post(f"{path}?overlap=soon"), 400, "invalid_query")
    secrets = [made["secret"]]
    for overlap in ("", "?overlap=7d", "?overlap=0"):
        answer = caller.post(path + overlap)
        assert answer.status_code == 200, answer.text
        secrets.insert(0, answer.json()["secret"])
        now = datetime.now(UTC)
        stored = caller.api.in_store(lambda store: store.endpoints.of_tenant(caller.tenant))
        if overlap != "?overlap=0":
            assert list(stored[0].signing_secrets(now)) == secrets
            assert stored[0].old_secrets[0].until > now + timedelta(hours=23)
    assert list(stored[0].signing_secrets(now)) == secrets[:1]
    assert len(set(secrets)) == 4


def test_a_delivery_is_read_and_sent_again(caller_on_both: Caller) -> None:
    caller = caller_on_both
    made = registered(caller, metadata={"customer": "42"})
    ended(caller)
    job_id = ended(caller, metadata={"customer": "42"})
    (listed,) = caller.get(f"/v1/jobs/{job_id}/deliveries").json()["data"]
    assert (listed["type"], listed["endpoint"], listed["state"]) == (
        "job.failed",
        made["id"],
        "queued",
    )
    answered(caller, 410)
    path = f"{DELIVERIES}/{listed['id']}"
    log = documents.WebhookDeliveryLog.model_validate_json(caller.get(path).content)
    assert (log.state, log.attempts, log.last_status) == ("failed", 1, 410)
    assert f'"id":"{log.event_id}"' in log.payload
    (attempt,) = log.log
    assert (attempt.number, attempt.error, attempt.response) == (1, "gone", "a text")

    again = caller.post(f"{path}/resend")
    assert (again.status_code, again.json()["state"]) == (202, "queued")
    assert again.json()["event_id"] == log.event_id
    assert caller.post(f"{path}/cancel").json()["state"] == "canceled"
    assert caller.post(f"{path}/cancel").json()["state"] == "canceled"
    problem(caller.api.caller().get(path), 404, "not_found")
    problem(caller.api.caller().post(f"{path}/resend"), 404, "not_found")
    problem(caller.get(f"{DELIVERIES}/dlv_x"), 404, "not_found")

    caller.request("PATCH", f"{ENDPOINTS}/{made['id']}", json={"enabled": False})
    problem(caller.post(f"{path}/resend"), 409, "endpoint_disabled")
    problem(caller.post(f"{ENDPOINTS}/{made['id']}/test"), 409, "endpoint_disabled")


def test_failed_and_missed_deliveries_are_sent_again_and_counted(caller_on_both: Caller) -> None:
    caller = caller_on_both
    missed = ended(caller)
    made = registered(caller)
    path = f"{ENDPOINTS}/{made['id']}"
    lost = ended(caller)
    answered(caller, 410)
    day = {"since": (datetime.now(UTC) - timedelta(days=1)).isoformat()}
    stats = documents.WebhookEndpointStats.model_validate_json(caller.get(f"{path}/stats").content)
    assert (stats.failed, stats.delivered, stats.success_rate) == (1, 0, 0.0)

    recovered = caller.post(f"{path}/recover", day)
    assert (recovered.status_code, recovered.json()) == (202, {"queued": 1, "more": False})
    assert caller.post(f"{path}/replay", day).json() == {"queued": 1, "more": False}
    assert caller.post(f"{path}/replay", day).json() == {"queued": 0, "more": False}
    answered(caller, 204)
    test = caller.post(f"{path}/test").json()
    assert (test["type"], test["job"]) == ("endpoint.test", None)
    assert caller.post(f"{path}/cancel-pending").json() == {"canceled": 1, "more": False}
    stats = documents.WebhookEndpointStats.model_validate_json(caller.get(f"{path}/stats").content)
    assert (stats.delivered, stats.canceled, stats.queued) == (2, 1, 0)

    of_it = f"{DELIVERIES}?endpoint={made['id']}&limit=2"
    walked = [each for page in pages(caller, of_it) for each in page["data"]]
    assert [each["job"] for each in walked] == [None, missed, lost]
    assert [each["id"] for each in walked] == sorted((e["id"] for e in walked), reverse=True)
    only = caller.get(f"{of_it}&state=canceled").json()["data"]
    assert [each["id"] for each in only] == [test["id"]]
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert caller.get(f"{of_it}&created_after={tomorrow}").json()["data"] == []
    for wrong in ("state=lost", "job=x", "type=y", "created_after=soon", "cursor=z", "colour=red"):
        problem(caller.get(f"{DELIVERIES}?{wrong}"), 400, "invalid_query")
    backwards = {"since": tomorrow, "until": tomorrow}
    problem(caller.post(f"{path}/recover", backwards), 422, "invalid_request")


def test_the_number_of_endpoints_is_limited(caller: Caller) -> None:
    for _ in range(50):
        registered(caller)
    problem(caller.post(ENDPOINTS, {"url": URL}), 409, "too_many_endpoints")


def test_without_signing_keys_none_are_published(caller: Caller) -> None:
    answer = caller.api.http.get("/.well-known/webhooks-keys.json")
    assert (answer.status_code, answer.json()) == (200, {"keys": []})
