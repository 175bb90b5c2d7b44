"""
What the API's description says of webhook endpoints.
"""

from dataclasses import replace
from datetime import timedelta

from api.docs.examples import BORN, DELIVERY, ENDPOINT, ENDPOINT_ID
from api.docs.openapi_parts import Spec, complains, describe, in_path, in_query, says, takes
from api.http.problem_types import (
    ENDPOINT_DISABLED,
    INVALID_QUERY,
    MALFORMED_JSON,
    NOT_FOUND,
    STORE_UNAVAILABLE,
    TOO_MANY_ENDPOINTS,
    UNAUTHENTICATED,
)
from api.http.problems import Complaint, Problem, invalid
from generation.webhooks.delivery import DeliveryState
from generation.webhooks.documents import delivery_document, endpoint_document, stats_document

_SHOWN = endpoint_document(ENDPOINT)
_WITH_SECRET = _SHOWN | {"secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}
_ORDER = {"url": ENDPOINT.url, "description": "production", "metadata": {"customer": "42"}}
_PERIOD = {"since": "2026-01-30T00:00:00Z", "until": "2026-01-31T00:00:00Z"}
_NO_KEY = Problem(UNAUTHENTICATED, "this path needs an API key")
_NONE = Problem(NOT_FOUND, "there is no such webhook endpoint, or it is not yours")
_NO_STORE = Problem(STORE_UNAVAILABLE, "the database does not answer; try again later")
_MALFORMED = Problem(MALFORMED_JSON, "the body is empty; send a JSON object")
_DISABLED = Problem(ENDPOINT_DISABLED, "it is disabled: the receiver answered 410")
_BAD_URL = invalid(
    [Complaint("#/url", "http:// is not permitted here; use https://", "webhook_url")]
)
_ENDPOINT_ID = in_path("endpoint_id", "The endpoint's `id`.")
_AT = f"/v1/webhook-endpoints/{ENDPOINT_ID}"
_TIME = {"type": "string", "format": "date-time"}

TAG = "Webhook endpoints"


def create() -> Spec:
    return describe(
        TAG,
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
        TAG,
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
        TAG,
        "getWebhookEndpoint",
        "Look at an endpoint",
        "Without its secret, and without the values of its headers that look like secrets.",
        parameters=[_ENDPOINT_ID],
        answers={200: says("The endpoint.", "WebhookEndpoint", _SHOWN)}
        | complains(_NO_KEY, _NONE, _NO_STORE, instance=_AT),
    )


def change() -> Spec:
    return describe(
        TAG,
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
        TAG,
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
        TAG,
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
    event = replace(DELIVERY, event_type="endpoint.test", job_id=None, attempts=0)
    return describe(
        TAG,
        "testWebhookEndpoint",
        "Send a test",
        "An `endpoint.test` event, to this endpoint alone. Look at the delivery for the answer.",
        parameters=[_ENDPOINT_ID],
        answers={202: says("It will be sent.", "WebhookDelivery", delivery_document(event))}
        | complains(_NO_KEY, _NONE, _DISABLED, _NO_STORE, instance=f"{_AT}/test"),
    )


def stats() -> Spec:
    counts = dict.fromkeys(DeliveryState, 0) | {DeliveryState.DELIVERED: 1200}
    example = stats_document(ENDPOINT, counts, None, BORN, BORN + timedelta(days=1))
    return describe(
        TAG,
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
        TAG,
        "cancelPendingWebhooks",
        "Withdraw what is pending",
        "All that is still to be sent to this endpoint. `more`: ask again for the rest.",
        parameters=[_ENDPOINT_ID],
        answers={200: says("So many.", "Withdrawn", {"canceled": 17, "more": False})}
        | complains(_NO_KEY, _NONE, _NO_STORE, instance=f"{_AT}/cancel-pending"),
    )


def _queueing(action: str, operation_id: str, summary: str, words: str) -> Spec:
    return describe(
        TAG,
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
