"""`/v1/webhook-endpoints`: receivers of the events of all jobs of a tenant."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import Depends, Path
from starlette.responses import Response
from ulid import ULID

from api.auth.dependencies import Caller, Reader, Submitter
from api.dependencies import InSettings, InStore, JsonBody, query_of
from api.http.openapi import problems, response
from api.http.problem_types import ENDPOINT_DISABLED, NOT_FOUND, TOO_MANY_ENDPOINTS
from api.http.problems import Complaint, Problem, invalid
from api.http.responses import NOT_KEPT, json_answer
from api.routing import new_router
from api.webhooks.requests import (
    ENDPOINT_ID,
    NoQuery,
    Period,
    RotateQuery,
    StatsQuery,
    WebhookEndpointCreate,
    WebhookEndpointUpdate,
)
from api.webhooks.schemas import (
    NewWebhookEndpoint,
    Queued,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookEndpointList,
    WebhookEndpointStats,
    Withdrawn,
)
from generation.settings import Settings
from generation.store import TooManyEndpoints
from generation.store.webhooks.delivery_log import MOST_AT_ONCE
from generation.webhooks.documents import delivery_document, endpoint_document, stats_document
from generation.webhooks.endpoint import RegisteredEndpoint
from generation.webhooks.guard import ForbiddenAddress, check_url
from generation.webhooks.notices import endpoint_test_event
from generation.webhooks.secrets import rotated_secrets
from generation.webhooks.signature import new_secret

#: The period of the statistics without `since`.
STATS_PERIOD = timedelta(hours=24)

router = new_router("Webhook endpoints", "/v1/webhook-endpoints")


def no_such_endpoint() -> Problem:
    return Problem(NOT_FOUND, "there is no such webhook endpoint, or it is not yours")


def endpoint_disabled(reason: str) -> Problem:
    return Problem(ENDPOINT_DISABLED, f"it is disabled: {reason}")


async def id_in_path(
    endpoint_id: Annotated[str, Path(description="The endpoint's `id`.")],
) -> str:
    if not ENDPOINT_ID.fullmatch(endpoint_id):
        raise no_such_endpoint()
    return endpoint_id


EndpointId = Annotated[str, Depends(id_in_path)]


async def own_endpoint(
    endpoint_id: EndpointId, caller: Caller, store: InStore
) -> RegisteredEndpoint:
    endpoint = await store.endpoints.get(endpoint_id, caller.tenant)
    if endpoint is None:
        raise no_such_endpoint()
    return endpoint


OwnEndpoint = Annotated[RegisteredEndpoint, Depends(own_endpoint)]


async def enabled_endpoint(endpoint: OwnEndpoint) -> RegisteredEndpoint:
    if not endpoint.enabled:
        raise endpoint_disabled(endpoint.disabled_reason)
    return endpoint


EnabledEndpoint = Annotated[RegisteredEndpoint, Depends(enabled_endpoint)]
PeriodBody = Annotated[Period, JsonBody.of(Period)]
DISABLED = problems(endpoint_disabled("the receiver answered 410"))


@router.post(
    "",
    response_model=NewWebhookEndpoint,
    status_code=201,
    responses=response(201, headers={"Location": "URL of the endpoint."})
    | problems(Problem(TOO_MANY_ENDPOINTS, "a tenant may have 50 endpoints; delete one")),
)
async def create_webhook_endpoint(
    caller: Submitter,
    body: Annotated[WebhookEndpointCreate, JsonBody.of(WebhookEndpointCreate)],
    store: InStore,
    settings: InSettings,
) -> Response:
    """Create an endpoint.

    It receives the events of all jobs of your tenant from now on, in addition to the jobs' own
    webhooks. Its secret is returned once, in this response.
    """
    check_receiver(body.url, settings)
    now = datetime.now(UTC)
    endpoint = RegisteredEndpoint(
        id=f"whe_{ULID()}",
        tenant=caller.tenant,
        url=body.url,
        secret=new_secret(),
        created_at=now,
        updated_at=now,
    )
    endpoint = body.changed(endpoint, now)
    try:
        await store.endpoints.add(endpoint)
    except TooManyEndpoints as error:
        raise Problem(TOO_MANY_ENDPOINTS, str(error)) from error
    document = endpoint_document(endpoint) | {"secret": endpoint.secret}
    location = {"Location": f"/v1/webhook-endpoints/{endpoint.id}"}
    return json_answer(document, 201, location | NOT_KEPT)


@router.get("", response_model=WebhookEndpointList)
async def list_webhook_endpoints(
    caller: Reader, _: Annotated[NoQuery, query_of(NoQuery)], store: InStore
) -> Response:
    """List endpoints.

    All of your tenant, oldest first.
    """
    endpoints = await store.endpoints.of_tenant(caller.tenant)
    return json_answer({"data": [endpoint_document(each) for each in endpoints]})


@router.get("/{endpoint_id}", response_model=WebhookEndpoint)
async def get_webhook_endpoint(_: Reader, endpoint: OwnEndpoint) -> Response:
    """Get an endpoint.

    Without its secret, and without header values that look like secrets.
    """
    return json_answer(endpoint_document(endpoint))


@router.patch("/{endpoint_id}", response_model=WebhookEndpoint)
async def update_webhook_endpoint(
    caller: Submitter,
    body: Annotated[WebhookEndpointUpdate, JsonBody.of(WebhookEndpointUpdate)],
    endpoint_id: EndpointId,
    store: InStore,
    settings: InSettings,
) -> Response:
    """Change, disable or enable an endpoint.

    Only the fields that are present change, from the next attempt on. `enabled: true` enables a
    disabled endpoint and resets its failures; `recover` and `replay` then send what it missed.
    """
    if "url" in body.model_fields_set:
        check_receiver(body.url, settings)
    now = datetime.now(UTC)
    changed = await store.endpoints.change(
        endpoint_id, caller.tenant, lambda before: body.changed(before, now)
    )
    if changed is None:
        raise no_such_endpoint()
    return json_answer(endpoint_document(changed))


@router.delete(
    "/{endpoint_id}", status_code=204, responses=response(204, "The endpoint is deleted.")
)
async def delete_webhook_endpoint(
    caller: Submitter, endpoint_id: EndpointId, store: InStore
) -> Response:
    """Delete an endpoint.

    Cancels its pending deliveries. The log of its deliveries stays.
    """
    if not await store.endpoints.delete(endpoint_id, caller.tenant):
        raise no_such_endpoint()
    return Response(status_code=204)


@router.post("/{endpoint_id}/rotate-secret", response_model=NewWebhookEndpoint)
async def rotate_webhook_secret(
    caller: Submitter,
    query: Annotated[RotateQuery, query_of(RotateQuery)],
    endpoint_id: EndpointId,
    store: InStore,
) -> Response:
    """Replace the secret of an endpoint.

    The new secret is returned once, in this response. During the overlap every request carries the
    signatures of both secrets, so that the receiver can change at any time.
    """
    now, secret = datetime.now(UTC), new_secret()

    def rotate(before: RegisteredEndpoint) -> RegisteredEndpoint:
        old = rotated_secrets(before.secret, before.old_secrets, now, query.overlap)
        return replace(before, secret=secret, old_secrets=old, updated_at=now)

    changed = await store.endpoints.change(endpoint_id, caller.tenant, rotate)
    if changed is None:
        raise no_such_endpoint()
    return json_answer(endpoint_document(changed) | {"secret": secret}, 200, NOT_KEPT)


@router.post(
    "/{endpoint_id}/test", response_model=WebhookDelivery, status_code=202, responses=DISABLED
)
async def test_webhook_endpoint(
    _: Submitter, endpoint: EnabledEndpoint, store: InStore
) -> Response:
    """Send a test event.

    An `endpoint.test` event to this endpoint only. Its delivery tells the receiver's response.
    """
    event = endpoint_test_event(endpoint, datetime.now(UTC))
    return json_answer(delivery_document(await store.endpoints.test(endpoint, event)), 202)


@router.get("/{endpoint_id}/stats", response_model=WebhookEndpointStats)
async def get_webhook_endpoint_stats(
    _: Reader,
    query: Annotated[StatsQuery, query_of(StatsQuery)],
    endpoint: OwnEndpoint,
    store: InStore,
) -> Response:
    """Get the statistics of an endpoint.

    Its deliveries since a time, and how close it is to being disabled: an endpoint is disabled
    after five days without a success.
    """
    now = datetime.now(UTC)
    since = query.since or now - STATS_PERIOD
    counts = await store.delivery_log.counts(endpoint.id, since)
    oldest = await store.delivery_log.oldest_pending(endpoint.id)
    return json_answer(stats_document(endpoint, counts, oldest, since, now))


@router.post("/{endpoint_id}/recover", response_model=Queued, status_code=202, responses=DISABLED)
async def recover_webhook_endpoint(
    _: Submitter, body: PeriodBody, endpoint: EnabledEndpoint, store: InStore
) -> Response:
    """Send failed deliveries again.

    All deliveries to this endpoint that were created in the period and have failed, at most 10,000
    per request.
    """
    now = datetime.now(UTC)
    until = body.until or now
    return queued(await store.delivery_log.recover(endpoint.id, body.since, until, now))


@router.post("/{endpoint_id}/replay", response_model=Queued, status_code=202, responses=DISABLED)
async def replay_webhook_endpoint(
    _: Submitter, body: PeriodBody, endpoint: EnabledEndpoint, store: InStore
) -> Response:
    """Send missed events.

    All events of the period that the endpoint subscribes to and was never sent, because it was
    disabled or did not exist yet; at most 10,000 per request.
    """
    now = datetime.now(UTC)
    return queued(await store.replay.missing(endpoint, body.since, body.until or now, now))


@router.post("/{endpoint_id}/cancel-pending", response_model=Withdrawn)
async def cancel_pending_webhooks(_: Submitter, endpoint: OwnEndpoint, store: InStore) -> Response:
    """Cancel pending deliveries of an endpoint."""
    count = await store.delivery_log.cancel_pending(endpoint.id, datetime.now(UTC))
    return json_answer({"canceled": count, "more": count >= MOST_AT_ONCE})


def queued(count: int) -> Response:
    return json_answer({"queued": count, "more": count >= MOST_AT_ONCE}, 202)


def check_receiver(url: str, settings: Settings) -> None:
    """Raise `Problem` (422) for a URL that webhooks may not be sent to."""
    try:
        check_url(url, settings.webhook_policy)
    except ForbiddenAddress as error:
        raise invalid([Complaint("#/url", str(error), "webhook_url")]) from error
