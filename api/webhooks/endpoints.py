"""
`/v1/webhook-endpoints`: whom to tell of all jobs of a tenant.
"""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import Response
from ulid import ULID

from api.events.query import given_once, read_moment
from api.http.problem_types import ENDPOINT_DISABLED, NOT_FOUND, TOO_MANY_ENDPOINTS
from api.http.problems import Complaint, Problem, invalid
from api.http.query_params import unusable
from api.http.request_body import read_body, read_json
from api.http.responses import json_answer
from api.http.validation_errors import complaints
from api.webhooks.requests import EndpointChange, EndpointOrder, Period
from generation.settings import Settings, duration
from generation.store import ApiKey, Store, TooManyEndpoints
from generation.store.webhooks.delivery_log import MOST_AT_ONCE
from generation.webhooks.documents import delivery_document, endpoint_document, stats_document
from generation.webhooks.endpoint import RegisteredEndpoint
from generation.webhooks.guard import ForbiddenAddress, check_url
from generation.webhooks.notices import endpoint_test_event
from generation.webhooks.secrets import MAX_SECRET_OVERLAP, SECRET_OVERLAP, rotated_secrets
from generation.webhooks.signature import new_secret

Model = TypeVar("Model", bound=BaseModel)

ENDPOINT_ID = re.compile(r"whe_[0-9A-HJKMNP-TV-Z]{26}")
#: An answer with a secret in it is for nobody's cache.
NOT_KEPT = {"Cache-Control": "no-store"}
STATS_OF = timedelta(hours=24)


class WebhookEndpoints:
    """The endpoints of a caller's tenant, and of no other."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._policy = settings.webhook_policy
        self._max_body_bytes = settings.max_body_bytes
        self._store = store

    async def create(self, request: Request, caller: ApiKey) -> Response:
        """201 with the secret, which is shown this once."""
        order = await self._read(request, EndpointOrder)
        self._check(order)
        now = datetime.now(UTC)
        blank = RegisteredEndpoint(
            id=f"whe_{ULID()}",
            tenant=caller.tenant,
            url=order.url,
            secret=new_secret(),
            created_at=now,
            updated_at=now,
        )
        endpoint = order.changed(blank, now)
        try:
            await self._store.endpoints.add(endpoint)
        except TooManyEndpoints as error:
            raise Problem(TOO_MANY_ENDPOINTS, str(error)) from error
        shown = endpoint_document(endpoint) | {"secret": endpoint.secret}
        return json_answer(
            shown, 201, {"Location": f"/v1/webhook-endpoints/{endpoint.id}"} | NOT_KEPT
        )

    async def all(self, request: Request, caller: ApiKey) -> Response:
        """Oldest first."""
        given_once(request, ())
        endpoints = await self._store.endpoints.of_tenant(caller.tenant)
        return json_answer({"data": [endpoint_document(each) for each in endpoints]})

    async def get(self, request: Request, caller: ApiKey) -> Response:
        return json_answer(endpoint_document(await self._own(request, caller)))

    async def change(self, request: Request, caller: ApiKey) -> Response:
        """What is named is changed; from the next attempt on."""
        order = await self._read(request, EndpointChange)
        self._check(order)
        now = datetime.now(UTC)
        changed = await self._store.endpoints.change(
            endpoint_id_of(request), caller.tenant, lambda before: order.changed(before, now)
        )
        if changed is None:
            raise no_such_endpoint()
        return json_answer(endpoint_document(changed))

    async def delete(self, request: Request, caller: ApiKey) -> Response:
        """204. What is still on its way to it is withdrawn; the log of deliveries stays."""
        if not await self._store.endpoints.delete(endpoint_id_of(request), caller.tenant):
            raise no_such_endpoint()
        return Response(status_code=204)

    async def rotate(self, request: Request, caller: ApiKey) -> Response:
        """A new secret, shown this once; the one before signs beside it for the overlap."""
        overlap = read_overlap(given_once(request, ("overlap",)).get("overlap"))
        now, secret = datetime.now(UTC), new_secret()

        def choose(before: RegisteredEndpoint) -> RegisteredEndpoint:
            old = rotated_secrets(before.secret, before.old_secrets, now, overlap)
            return replace(before, secret=secret, old_secrets=old, updated_at=now)

        changed = await self._store.endpoints.change(endpoint_id_of(request), caller.tenant, choose)
        if changed is None:
            raise no_such_endpoint()
        return json_answer(endpoint_document(changed) | {"secret": secret}, 200, NOT_KEPT)

    async def test(self, request: Request, caller: ApiKey) -> Response:
        """202 with the delivery of an `endpoint.test` event."""
        endpoint = await self._enabled(request, caller)
        event = endpoint_test_event(endpoint, datetime.now(UTC))
        return json_answer(
            delivery_document(await self._store.endpoints.test(endpoint, event)), 202
        )

    async def stats(self, request: Request, caller: ApiKey) -> Response:
        """How its deliveries of the last 24 hours, or since another moment, have fared."""
        now = datetime.now(UTC)
        given = given_once(request, ("since",))
        since = read_moment(given["since"]) if "since" in given else now - STATS_OF
        endpoint = await self._own(request, caller)
        counts = await self._store.delivery_log.counts(endpoint.id, since)
        oldest = await self._store.delivery_log.oldest_pending(endpoint.id)
        return json_answer(stats_document(endpoint, counts, oldest, since, now))

    async def recover(self, request: Request, caller: ApiKey) -> Response:
        """Send what has failed in a time again."""
        period, endpoint = await self._period(request, caller)
        now = datetime.now(UTC)
        queued = await self._store.delivery_log.recover(
            endpoint.id, period.since, period.until or now, now
        )
        return queued_answer(queued)

    async def replay(self, request: Request, caller: ApiKey) -> Response:
        """Send what it was never sent, of the events of a time."""
        period, endpoint = await self._period(request, caller)
        now = datetime.now(UTC)
        queued = await self._store.replay.missing(endpoint, period.since, period.until or now, now)
        return queued_answer(queued)

    async def cancel_pending(self, request: Request, caller: ApiKey) -> Response:
        """Withdraw all that is still to be sent to it."""
        endpoint = await self._own(request, caller)
        count = await self._store.delivery_log.cancel_pending(endpoint.id, datetime.now(UTC))
        return json_answer({"canceled": count, "more": count >= MOST_AT_ONCE})

    async def _period(self, request: Request, caller: ApiKey) -> tuple[Period, RegisteredEndpoint]:
        period = await self._read(request, Period)
        return period, await self._enabled(request, caller)

    async def _enabled(self, request: Request, caller: ApiKey) -> RegisteredEndpoint:
        endpoint = await self._own(request, caller)
        if not endpoint.enabled:
            raise Problem(ENDPOINT_DISABLED, f"it is disabled: {endpoint.disabled_reason}")
        return endpoint

    async def _own(self, request: Request, caller: ApiKey) -> RegisteredEndpoint:
        endpoint = await self._store.endpoints.get(endpoint_id_of(request), caller.tenant)
        if endpoint is None:
            raise no_such_endpoint()
        return endpoint

    async def _read(self, request: Request, model: type[Model]) -> Model:
        body = read_json(await read_body(request, self._max_body_bytes))
        try:
            return model.model_validate(body)
        except ValidationError as error:
            raise invalid(complaints(error, body, model)) from error

    def _check(self, order: EndpointChange) -> None:
        if "url" not in order.model_fields_set:
            return
        try:
            check_url(order.url, self._policy)
        except ForbiddenAddress as error:
            raise invalid([Complaint("#/url", str(error), "webhook_url")]) from error


def queued_answer(queued: int) -> Response:
    return json_answer({"queued": queued, "more": queued >= MOST_AT_ONCE}, 202)


def read_overlap(value: str | None) -> timedelta:
    if value is None:
        return SECRET_OVERLAP
    seconds = duration(value)
    if not isinstance(seconds, float) or seconds > MAX_SECRET_OVERLAP.total_seconds():
        raise unusable("overlap must be a time of at most 7d, such as 30m, 24h or 7d; 0 is none")
    return timedelta(seconds=seconds)


def endpoint_id_of(request: Request) -> str:
    """The id in the path. Raises `Problem` (404) for what cannot be one."""
    endpoint_id = request.path_params["endpoint_id"]
    if not ENDPOINT_ID.fullmatch(endpoint_id):
        raise no_such_endpoint()
    return endpoint_id


def no_such_endpoint() -> Problem:
    return Problem(NOT_FOUND, "there is no such webhook endpoint, or it is not yours")
