"""
What the API's description says of webhook deliveries.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from api.docs.examples import ATTEMPT, DELIVERY, DELIVERY_ID, JOB_ID
from api.docs.openapi_parts import Spec, complains, describe, in_path, in_query, says
from api.http.problem_types import (
    ENDPOINT_DISABLED,
    INVALID_QUERY,
    NOT_FOUND,
    STORE_UNAVAILABLE,
    UNAUTHENTICATED,
)
from api.http.problems import Problem
from api.http.query_params import MOST, USUAL
from api.webhooks.delivery_query import cursor_of
from generation.events import FEED_EVENTS
from generation.webhooks.asymmetric import SigningKey
from generation.webhooks.delivery import DeliveryState
from generation.webhooks.documents import delivery_document

_CANCELED = replace(DELIVERY, state=DeliveryState.CANCELED, wake_at=None)
_NO_KEY = Problem(UNAUTHENTICATED, "this path needs an API key")
_NO_DELIVERY = Problem(NOT_FOUND, "there is no such delivery, or it is not yours")
_NO_STORE = Problem(STORE_UNAVAILABLE, "the database does not answer; try again later")
_DISABLED = Problem(ENDPOINT_DISABLED, "it is disabled: the receiver answered 410")
_DELIVERY_ID = in_path("delivery_id", "The delivery's `id`.")
_TIME = {"type": "string", "format": "date-time"}

TAG = "Webhook deliveries"


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
        TAG,
        "getWebhookDelivery",
        "Look at a delivery",
        "With its payload, and each attempt: when, how long, what was answered (the first 16 KiB),"
        " and when the next one is.",
        parameters=[_DELIVERY_ID],
        answers={
            200: says("The delivery.", "WebhookDeliveryLog", delivery_document(DELIVERY, [ATTEMPT]))
        }
        | complains(_NO_KEY, _NO_DELIVERY, _NO_STORE, instance=_delivery_at("")),
    )


def resend() -> Spec:
    return describe(
        TAG,
        "resendWebhookDelivery",
        "Send a delivery again",
        "Whatever became of it; under its old `webhook-id`, so a receiver that has it drops it.",
        parameters=[_DELIVERY_ID],
        answers={202: says("It will be sent.", "WebhookDelivery", delivery_document(DELIVERY))}
        | complains(_NO_KEY, _NO_DELIVERY, _DISABLED, _NO_STORE, instance=_delivery_at("/resend")),
    )


def cancel() -> Spec:
    return describe(
        TAG,
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
        TAG,
        "getWebhookKeys",
        "Read the public keys that sign webhooks",
        "Ed25519 keys of the `v1a` signatures, where this deployment has any.",
        keyed=False,
        answers={200: says("The keys.", "WebhookKeys", {"keys": [key.document()]})},
    )


def _delivery_at(what: str) -> str:
    return f"/v1/webhook-deliveries/{DELIVERY_ID}{what}"


def _page(
    operation_id: str,
    summary: str,
    words: str,
    parameters: list[Mapping[str, Any]],
    *problems: Problem,
    instance: str,
) -> Spec:
    example = {
        "data": [delivery_document(DELIVERY)],
        "next_cursor": cursor_of(DELIVERY_ID),
        "has_more": True,
    }
    jobs = [] if parameters else [in_query("job", "Only of this job.", {"type": "string"})]
    return describe(
        TAG,
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
