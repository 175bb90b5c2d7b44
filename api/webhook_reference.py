"""
What the API's description says of webhook endpoints and deliveries.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from api.delivery_query import cursor_of
from api.examples import BORN, JOB_ID
from api.listing import MOST, USUAL
from api.problems import (
    ENDPOINT_DISABLED,
    INVALID_QUERY,
    MALFORMED_JSON,
    NOT_FOUND,
    STORE_UNAVAILABLE,
    TOO_MANY_ENDPOINTS,
    UNAUTHENTICATED,
    Complaint,
    Problem,
    invalid,
)
from api.spec import Spec, complains, describe, in_path, in_query, says, takes
from generation.events import FEED_EVENTS
from generation.webhooks.asymmetric import SigningKey
from generation.webhooks.delivery import Attempt, Delivery, DeliveryState
from generation.webhooks.documents import delivery_document, endpoint_document, stats_document
from generation.webhooks.endpoint import Endpoint
from generation.webhooks.outcome import ErrorClass

ENDPOINT_ID = "whe_01KG9Q2Z6M8T4V7X1Y3A5C7E9G"
DELIVERY_ID = "dlv_01KG9QCT8P2N6R0S4V7X9Z1B3D"
_ENDPOINT = Endpoint(
    id=ENDPOINT_ID,
    tenant="example",
    url="https://hooks.example.com/genq",
    description="production",
    metadata={"customer": "42"},
    headers={"X-Tenant": "acme", "Authorization": "Basic Zm9v"},
    rate=50,
    secret="whsec_",
    created_at=BORN,
    updated_at=BORN,
)
_DELIVERY = Delivery(
    id=DELIVERY_ID,
    event_id="evt_01KG9QCT8P2N6R0S4V7X9Z1B3D",
    event_type="job.succeeded",
    job_id=JOB_ID,
    tenant="example",
    endpoint_id=ENDPOINT_ID,
    url=_ENDPOINT.url,
    lane=ENDPOINT_ID,
    body=b'{"type":"job.succeeded","timestamp":"2026-01-31T12:05:21.000Z"}',
    attempts=1,
    wake_at=BORN + timedelta(seconds=327),
    last_status=503,
    last_error="status: answered 503",
    created_at=BORN + timedelta(seconds=321),
)
_ATTEMPT = Attempt(
    delivery_id=DELIVERY_ID,
    number=1,
    started_at=BORN + timedelta(seconds=321),
    duration=timedelta(milliseconds=120),
    status=503,
    error=ErrorClass.STATUS,
    detail="answered 503",
    response="try later",
    next_attempt_at=_DELIVERY.wake_at,
)
_SHOWN = endpoint_document(_ENDPOINT)
_CANCELED = replace(_DELIVERY, state=DeliveryState.CANCELED, wake_at=None)
_WITH_SECRET = _SHOWN | {"secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}
_ORDER = {"url": _ENDPOINT.url, "description": "production", "metadata": {"customer": "42"}}
_PERIOD = {"since": "2026-01-30T00:00:00Z", "until": "2026-01-31T00:00:00Z"}
_NO_KEY = Problem(UNAUTHENTICATED, "this path needs an API key")
_NONE = Problem(NOT_FOUND, "there is no such webhook endpoint, or it is not yours")
_NO_DELIVERY = Problem(NOT_FOUND, "there is no such delivery, or it is not yours")
_NO_STORE = Problem(STORE_UNAVAILABLE, "the database does not answer; try again later")
_MALFORMED = Problem(MALFORMED_JSON, "the body is empty; send a JSON object")
_DISABLED = Problem(ENDPOINT_DISABLED, "it is disabled: the receiver answered 410")
_BAD_URL = invalid(
    [Complaint("#/url", "http:// is not permitted here; use https://", "webhook_url")]
)
_ENDPOINT_ID = in_path("endpoint_id", "The endpoint's `id`.")
_DELIVERY_ID = in_path("delivery_id", "The delivery's `id`.")
_AT = f"/v1/webhook-endpoints/{ENDPOINT_ID}"
_TIME = {"type": "string", "format": "date-time"}

ENDPOINTS = "Webhook endpoints"
DELIVERIES = "Webhook deliveries"


def create() -> Spec:
    return describe(
        ENDPOINTS,
        "createWebhookEndpoint",
        "Register an endpoint",
        "It is told of every job of your tenant from now on, beside the jobs' own webhooks. Its"
        " secret is in the answer, and nowhere else ever again.",
        body=takes("EndpointOrder", {"an endpoint": ("One customer's jobs.", _ORDER)}),
        answers={
            201: says(
                "It is registered.",
                "NewWebhookEndpoint",
                _WITH_SECRET,
                {"Location": "Where to look at it."},
            )
        }
        | complains(
            _MALFORMED,
            _NO_KEY,
            _BAD_URL,
            Problem(TOO_MANY_ENDPOINTS, "a tenant may have 50 endpoints; delete one"),
            _NO_STORE,
            instance="/v1/webhook-endpoints",
        ),
    )


def all_of_them() -> Spec:
    return describe(
        ENDPOINTS,
        "listWebhookEndpoints",
        "List endpoints",
        "Your tenant's, oldest first.",
        answers={200: says("Every endpoint.", "WebhookEndpointList", {"data": [_SHOWN]})}
        | complains(
            Problem(INVALID_QUERY, "there is no parameter 'x'; there are none"),
            _NO_KEY,
            _NO_STORE,
            instance="/v1/webhook-endpoints",
        ),
    )


def get() -> Spec:
    return describe(
        ENDPOINTS,
        "getWebhookEndpoint",
        "Look at an endpoint",
        "Without its secret, and without the values of its headers that look like secrets.",
        parameters=[_ENDPOINT_ID],
        answers={200: says("The endpoint.", "WebhookEndpoint", _SHOWN)}
        | complains(_NO_KEY, _NONE, _NO_STORE, instance=_AT),
    )


def change() -> Spec:
    return describe(
        ENDPOINTS,
        "updateWebhookEndpoint",
        "Change, disable or enable an endpoint",
        "What is named is changed, from the next attempt on. `enabled: true` enables a disabled"
        " one and forgets its failures; `recover` and `replay` then send what it has missed.",
        parameters=[_ENDPOINT_ID],
        body=takes("EndpointChange", {"enable": ("It is back.", {"enabled": True})}),
        answers={200: says("The endpoint as it is now.", "WebhookEndpoint", _SHOWN)}
        | complains(_MALFORMED, _NO_KEY, _NONE, _BAD_URL, _NO_STORE, instance=_AT),
    )


def delete() -> Spec:
    return describe(
        ENDPOINTS,
        "deleteWebhookEndpoint",
        "Delete an endpoint",
        "What is still on its way to it is withdrawn. The log of its deliveries stays.",
        parameters=[_ENDPOINT_ID],
        answers={204: {"description": "It is gone."}}
        | complains(_NO_KEY, _NONE, _NO_STORE, instance=_AT),
    )


def rotate() -> Spec:
    overlap = in_query(
        "overlap",
        "For how long the secret before signs beside the new one, at most `7d`; `0` for a secret"
        " that has leaked.",
        {"type": "string", "default": "24h"},
    )
    return describe(
        ENDPOINTS,
        "rotateWebhookSecret",
        "Give an endpoint a new secret",
        "The new secret is in the answer, and nowhere else ever again. For the overlap every"
        " request carries the signatures of both, so a receiver may change at leisure.",
        parameters=[_ENDPOINT_ID, overlap],
        answers={200: says("The endpoint and its secret.", "NewWebhookEndpoint", _WITH_SECRET)}
        | complains(
            Problem(INVALID_QUERY, "overlap must be a time of at most 7d, such as 30m or 24h"),
            _NO_KEY,
            _NONE,
            _NO_STORE,
            instance=f"{_AT}/rotate-secret",
        ),
    )


def test() -> Spec:
    event = replace(_DELIVERY, event_type="endpoint.test", job_id=None, attempts=0)
    return describe(
        ENDPOINTS,
        "testWebhookEndpoint",
        "Send a test",
        "An `endpoint.test` event, to this endpoint alone. Look at the delivery for the answer.",
        parameters=[_ENDPOINT_ID],
        answers={202: says("It will be sent.", "WebhookDelivery", delivery_document(event))}
        | complains(_NO_KEY, _NONE, _DISABLED, _NO_STORE, instance=f"{_AT}/test"),
    )


def stats() -> Spec:
    counts = dict.fromkeys(DeliveryState, 0) | {DeliveryState.DELIVERED: 1200}
    example = stats_document(_ENDPOINT, counts, None, BORN, BORN + timedelta(days=1))
    return describe(
        ENDPOINTS,
        "getWebhookEndpointStats",
        "See how an endpoint fares",
        "Its deliveries since a moment, and how far its failures have got on the way to being"
        " disabled: after five days of nothing but failures it is.",
        parameters=[_ENDPOINT_ID, in_query("since", "Absent: 24 hours ago.", _TIME)],
        answers={200: says("The figures.", "WebhookEndpointStats", example)}
        | complains(
            Problem(INVALID_QUERY, "since must be a time as 2026-01-31T12:00:00Z"),
            _NO_KEY,
            _NONE,
            _NO_STORE,
            instance=f"{_AT}/stats",
        ),
    )


def recover() -> Spec:
    return _queueing(
        "recover",
        "recoverWebhookEndpoint",
        "Send again what failed",
        "Every delivery to this endpoint that was created in that time and has failed.",
    )


def replay() -> Spec:
    return _queueing(
        "replay",
        "replayWebhookEndpoint",
        "Send what was missed",
        "Every event of that time which the endpoint asks for and was never sent, because it was"
        " disabled, or not there yet.",
    )


def cancel_pending() -> Spec:
    return describe(
        ENDPOINTS,
        "cancelPendingWebhooks",
        "Withdraw what is pending",
        "All that is still to be sent to this endpoint. `more`: ask again for the rest.",
        parameters=[_ENDPOINT_ID],
        answers={200: says("So many.", "Withdrawn", {"canceled": 17, "more": False})}
        | complains(_NO_KEY, _NONE, _NO_STORE, instance=f"{_AT}/cancel-pending"),
    )


def page() -> Spec:
    return _page(
        "listWebhookDeliveries",
        "List deliveries",
        "What was told to whom, newest first, by your tenant's endpoints and its jobs' webhooks.",
        [],
        _NO_KEY,
        instance="/v1/webhook-deliveries",
    )


def of_job() -> Spec:
    return _page(
        "listJobDeliveries",
        "List a job's deliveries",
        "Whom the job was told to, newest first.",
        [in_path("job_id", "The job's `id`.")],
        _NO_KEY,
        Problem(NOT_FOUND, "there is no such job, or it is not yours"),
        instance=f"/v1/jobs/{JOB_ID}/deliveries",
    )


def delivery() -> Spec:
    return describe(
        DELIVERIES,
        "getWebhookDelivery",
        "Look at a delivery",
        "With its payload, and each attempt: when, how long, what was answered (the first 16 KiB),"
        " and when the next one is.",
        parameters=[_DELIVERY_ID],
        answers={
            200: says(
                "The delivery.", "WebhookDeliveryLog", delivery_document(_DELIVERY, [_ATTEMPT])
            )
        }
        | complains(_NO_KEY, _NO_DELIVERY, _NO_STORE, instance=_delivery_at("")),
    )


def resend() -> Spec:
    return describe(
        DELIVERIES,
        "resendWebhookDelivery",
        "Send a delivery again",
        "Whatever became of it; under its old `webhook-id`, so a receiver that has it drops it.",
        parameters=[_DELIVERY_ID],
        answers={202: says("It will be sent.", "WebhookDelivery", delivery_document(_DELIVERY))}
        | complains(_NO_KEY, _NO_DELIVERY, _DISABLED, _NO_STORE, instance=_delivery_at("/resend")),
    )


def cancel() -> Spec:
    return describe(
        DELIVERIES,
        "cancelWebhookDelivery",
        "Withdraw a delivery",
        "If it is still to be sent; it stays as it is otherwise.",
        parameters=[_DELIVERY_ID],
        answers={200: says("As it is now.", "WebhookDelivery", delivery_document(_CANCELED))}
        | complains(_NO_KEY, _NO_DELIVERY, _NO_STORE, instance=_delivery_at("/cancel")),
    )


def signing_keys() -> Spec:
    key = SigningKey("whsk_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
    return describe(
        DELIVERIES,
        "getWebhookKeys",
        "Read the public keys that sign webhooks",
        "Ed25519 keys of the `v1a` signatures, where this deployment has any.",
        keyed=False,
        answers={200: says("The keys.", "WebhookKeys", {"keys": [key.document()]})},
    )


def _delivery_at(what: str) -> str:
    return f"/v1/webhook-deliveries/{DELIVERY_ID}{what}"


def _queueing(action: str, operation_id: str, summary: str, words: str) -> Spec:
    return describe(
        ENDPOINTS,
        operation_id,
        summary,
        f"{words} At most 10,000 with one call; `more`: ask again for the rest.",
        parameters=[_ENDPOINT_ID],
        body=takes("Period", {"a day": ("What a bad day has cost.", _PERIOD)}),
        answers={202: says("So many will be sent.", "Queued", {"queued": 42, "more": False})}
        | complains(
            _MALFORMED,
            _NO_KEY,
            _NONE,
            _DISABLED,
            invalid([Complaint("#/since", "is required", "required")]),
            _NO_STORE,
            instance=f"{_AT}/{action}",
        ),
    )


def _page(
    operation_id: str,
    summary: str,
    words: str,
    parameters: list[Mapping[str, Any]],
    *problems: Problem,
    instance: str,
) -> Spec:
    example = {
        "data": [delivery_document(_DELIVERY)],
        "next_cursor": cursor_of(DELIVERY_ID),
        "has_more": True,
    }
    jobs = [] if parameters else [in_query("job", "Only of this job.", {"type": "string"})]
    return describe(
        DELIVERIES,
        operation_id,
        summary,
        words,
        parameters=[
            *(dict(each) for each in parameters),
            in_query("state", "Only in this state.", {"enum": list(DeliveryState)}),
            in_query("endpoint", "Only to this endpoint.", {"type": "string"}),
            *jobs,
            in_query("type", "Only of these events.", {"enum": list(FEED_EVENTS)}),
            in_query("created_after", "Only from then on.", _TIME),
            in_query("created_before", "Only before then.", _TIME),
            in_query(
                "limit",
                "How many at once.",
                {"type": "integer", "minimum": 1, "maximum": MOST, "default": USUAL},
            ),
            in_query("cursor", "The `next_cursor` of the page before.", {"type": "string"}),
        ],
        answers={
            200: says(
                "A page.", "WebhookDeliveryPage", example, {"Link": 'The next page, `rel="next"`.'}
            )
        }
        | complains(
            Problem(INVALID_QUERY, "state must be one of queued, delivered, failed, canceled"),
            *problems,
            _NO_STORE,
            instance=instance,
        ),
    )
