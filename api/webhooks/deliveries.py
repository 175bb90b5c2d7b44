"""
`/v1/webhook-deliveries`: what was told to whom, how that went, and what shall be sent again.
"""

from dataclasses import replace
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response

from api.http.problem_types import ENDPOINT_DISABLED, NOT_FOUND
from api.http.problems import Problem
from api.http.responses import json_answer
from api.lookup import own_job
from api.webhooks.delivery_query import DELIVERY_ID, DeliveryQuery, cursor_of, read_delivery_query
from generation.settings import Settings
from generation.store import ApiKey, Store
from generation.webhooks.delivery import Delivery
from generation.webhooks.documents import delivery_document


class WebhookDeliveries:
    """The deliveries of a caller's tenant, and of no other."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._base_url = settings.public_url or ""
        self._store = store
        self._signing_keys = [key.document() for key in settings.signing_keys]

    async def page(self, request: Request, caller: ApiKey) -> Response:
        """A page, newest first, and the way to the next one."""
        query = read_delivery_query(request)
        return await self._page(caller, query, "/v1/webhook-deliveries")

    async def of_job(self, request: Request, caller: ApiKey) -> Response:
        """Those of one job."""
        job_id = (await own_job(self._store.jobs, request, caller)).id
        query = read_delivery_query(request)
        query = replace(query, filters=replace(query.filters, job_id=job_id))
        return await self._page(caller, query, f"/v1/jobs/{job_id}/deliveries")

    async def get(self, request: Request, caller: ApiKey) -> Response:
        """One, with its payload and each of its attempts."""
        found = await self._store.delivery_log.get(delivery_id_of(request), caller.tenant)
        if found is None:
            raise no_such_delivery()
        return json_answer(delivery_document(*found))

    async def resend(self, request: Request, caller: ApiKey) -> Response:
        """202: it is sent at once, under its old event id, and then as often as a new one."""
        delivery_id = delivery_id_of(request)
        found = await self._store.delivery_log.get(delivery_id, caller.tenant)
        if found is None:
            raise no_such_delivery()
        await self._check_endpoint(found[0])
        again = await self._store.delivery_log.resend(delivery_id, caller.tenant, datetime.now(UTC))
        if again is None:
            raise no_such_delivery()
        return json_answer(delivery_document(again), 202)

    async def cancel(self, request: Request, caller: ApiKey) -> Response:
        """Withdraw it, if it is still to be sent; as it is otherwise."""
        delivery = await self._store.delivery_log.cancel(
            delivery_id_of(request), caller.tenant, datetime.now(UTC)
        )
        if delivery is None:
            raise no_such_delivery()
        return json_answer(delivery_document(delivery))

    async def signing_keys(self, request: Request) -> Response:
        """The public keys that sign webhooks beside the secrets. They are for everybody."""
        del request
        headers = {"Cache-Control": "public, max-age=300"}
        return json_answer({"keys": self._signing_keys}, 200, headers)

    async def _page(self, caller: ApiKey, query: DeliveryQuery, path: str) -> Response:
        found = await self._store.delivery_log.page(
            caller.tenant, query.filters, limit=query.limit + 1, before=query.before
        )
        page, has_more = found[: query.limit], len(found) > query.limit
        headers: dict[str, str] = {}
        if has_more:
            url = query.next_url(self._base_url + path, page[-1].id)
            headers["Link"] = f'<{url}>; rel="next"'
        document = {
            "data": [delivery_document(each) for each in page],
            "next_cursor": cursor_of(page[-1].id) if has_more else None,
            "has_more": has_more,
        }
        return json_answer(document, 200, headers)

    async def _check_endpoint(self, delivery: Delivery) -> None:
        if delivery.endpoint_id is None:
            return
        endpoint = await self._store.endpoints.get(delivery.endpoint_id, delivery.tenant)
        if endpoint is None:
            raise Problem(ENDPOINT_DISABLED, "its endpoint was deleted")
        if not endpoint.enabled:
            raise Problem(
                ENDPOINT_DISABLED, f"its endpoint is disabled: {endpoint.disabled_reason}"
            )


def delivery_id_of(request: Request) -> str:
    """The id in the path. Raises `Problem` (404) for what cannot be one."""
    delivery_id = request.path_params["delivery_id"]
    if not DELIVERY_ID.fullmatch(delivery_id):
        raise no_such_delivery()
    return delivery_id


def no_such_delivery() -> Problem:
    return Problem(NOT_FOUND, "there is no such delivery, or it is not yours")
