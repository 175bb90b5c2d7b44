"""`/v1/webhook-deliveries`: the log of deliveries, and sending them again."""

from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Depends, Path, Request
from starlette.responses import Response

from api.auth.dependencies import Reader, Submitter
from api.dependencies import InContainer, InSettings, InStore, query_of
from api.http.cursors import encode_cursor
from api.http.openapi import problems, response
from api.http.problem_types import ENDPOINT_DISABLED, NOT_FOUND
from api.http.problems import Problem
from api.http.responses import json_answer
from api.lookup import own_job
from api.routing import new_router
from api.webhooks.requests import DELIVERY_ID, DeliveryQuery, JobDeliveryQuery
from api.webhooks.schemas import (
    WebhookDelivery,
    WebhookDeliveryLog,
    WebhookDeliveryPage,
    WebhookKeys,
)
from generation.store import ApiKey, Store
from generation.webhooks.delivery import Delivery
from generation.webhooks.documents import delivery_document

router = new_router("Webhook deliveries")

PATH = "/v1/webhook-deliveries"
LINK = response(200, headers={"Link": 'The next page, as `rel="next"`.'})


def no_such_delivery() -> Problem:
    return Problem(NOT_FOUND, "there is no such delivery, or it is not yours")


async def id_in_path(
    delivery_id: Annotated[str, Path(description="The delivery's `id`.")],
) -> str:
    if not DELIVERY_ID.fullmatch(delivery_id):
        raise no_such_delivery()
    return delivery_id


DeliveryId = Annotated[str, Depends(id_in_path)]


@router.get(PATH, response_model=WebhookDeliveryPage, responses=LINK)
async def list_webhook_deliveries(
    request: Request,
    caller: Reader,
    query: Annotated[DeliveryQuery, query_of(DeliveryQuery)],
    container: InContainer,
) -> Response:
    """List deliveries.

    To your tenant's endpoints and to its jobs' own webhooks, newest first.
    """
    return await page_of(request, caller, query, query.job, container)


@router.get("/v1/jobs/{job_id}/deliveries", response_model=WebhookDeliveryPage, responses=LINK)
async def list_job_deliveries(
    request: Request,
    caller: Reader,
    job_id: Annotated[str, Path(description="The job's `id`.")],
    query: Annotated[JobDeliveryQuery, query_of(JobDeliveryQuery)],
    container: InContainer,
) -> Response:
    """List a job's deliveries.

    Newest first.
    """
    del job_id
    job = await own_job(container.store.jobs, request, caller)
    return await page_of(request, caller, query, job.id, container)


@router.get(f"{PATH}/{{delivery_id}}", response_model=WebhookDeliveryLog)
async def get_webhook_delivery(caller: Reader, delivery_id: DeliveryId, store: InStore) -> Response:
    """Get a delivery.

    With its payload and all attempts: time, duration, the first 16 KiB of the response, and the
    time of the next attempt.
    """
    found = await store.delivery_log.get(delivery_id, caller.tenant)
    if found is None:
        raise no_such_delivery()
    return json_answer(delivery_document(*found))


@router.post(
    f"{PATH}/{{delivery_id}}/resend",
    response_model=WebhookDelivery,
    status_code=202,
    responses=problems(Problem(ENDPOINT_DISABLED, "its endpoint was deleted")),
)
async def resend_webhook_delivery(
    caller: Submitter, delivery_id: DeliveryId, store: InStore
) -> Response:
    """Send a delivery again.

    In whatever state it is. It keeps its `webhook-id`, so that a receiver can recognise an event it
    already has.
    """
    found = await store.delivery_log.get(delivery_id, caller.tenant)
    if found is None:
        raise no_such_delivery()
    await check_endpoint(store, found[0])
    again = await store.delivery_log.resend(delivery_id, caller.tenant, datetime.now(UTC))
    if again is None:
        raise no_such_delivery()
    return json_answer(delivery_document(again), 202)


@router.post(f"{PATH}/{{delivery_id}}/cancel", response_model=WebhookDelivery)
async def cancel_webhook_delivery(
    caller: Submitter, delivery_id: DeliveryId, store: InStore
) -> Response:
    """Cancel a delivery.

    If it is pending; otherwise it does not change.
    """
    delivery = await store.delivery_log.cancel(delivery_id, caller.tenant, datetime.now(UTC))
    if delivery is None:
        raise no_such_delivery()
    return json_answer(delivery_document(delivery))


@router.get("/.well-known/webhooks-keys.json", response_model=WebhookKeys)
async def get_webhook_keys(settings: InSettings) -> Response:
    """Get the public keys that sign webhooks.

    Ed25519 keys of the `v1a` signatures. Empty if this deployment has none.
    """
    keys = [key.document() for key in settings.signing_keys]
    return json_answer({"keys": keys}, 200, {"Cache-Control": "public, max-age=300"})


async def page_of(
    request: Request,
    caller: ApiKey,
    query: JobDeliveryQuery,
    job_id: str | None,
    container: InContainer,
) -> Response:
    found = await container.store.delivery_log.page(
        caller.tenant, query.filters(job_id), limit=query.limit + 1, before=query.cursor
    )
    page, has_more = found[: query.limit], len(found) > query.limit
    next_cursor = encode_cursor(page[-1].id) if has_more else None
    headers: dict[str, str] = {}
    if next_cursor:
        kept = [each for each in request.query_params.multi_items() if each[0] != "cursor"]
        url = f"{container.base_url}{request.scope['path']}"
        parameters = urlencode([*kept, ("cursor", next_cursor)])
        headers["Link"] = f'<{url}?{parameters}>; rel="next"'
    data = [delivery_document(each) for each in page]
    document = {"data": data, "next_cursor": next_cursor, "has_more": has_more}
    return json_answer(document, 200, headers)


async def check_endpoint(store: Store, delivery: Delivery) -> None:
    """Raise `Problem` (409) if the delivery's endpoint was deleted or is disabled."""
    if delivery.endpoint_id is None:
        return
    endpoint = await store.endpoints.get(delivery.endpoint_id, delivery.tenant)
    if endpoint is None:
        raise Problem(ENDPOINT_DISABLED, "its endpoint was deleted")
    if not endpoint.enabled:
        raise Problem(ENDPOINT_DISABLED, f"its endpoint is disabled: {endpoint.disabled_reason}")
