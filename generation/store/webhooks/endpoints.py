"""Registered webhook endpoints."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from generation.events import Event
from generation.store.engine.database import Database
from generation.store.engine.unreadable_rows import read, read_one
from generation.store.events import event_row
from generation.store.schema import job_events, webhook_endpoints
from generation.store.webhooks.endpoint_rows import endpoint_row, read_endpoints
from generation.store.webhooks.outbox import enabled_endpoints, write_notice_deliveries
from generation.webhooks.delivery import Delivery
from generation.webhooks.endpoint import ENDPOINT_DISABLED, RegisteredEndpoint
from generation.webhooks.health import HEALTHY, after_failure, has_failed_too_long
from generation.webhooks.notices import endpoint_disabled_event

#: Endpoints that a tenant may have: each costs every event of the tenant a comparison.
MOST_ENDPOINTS = 50

#: Returns the endpoint as it shall be, given the current one; the same object for "no change".
Choose = Callable[[RegisteredEndpoint], RegisteredEndpoint]


class TooManyEndpoints(ValueError):
    """The tenant has as many endpoints as it may have."""


class EndpointStore:
    """Statements about endpoints. Safe to share among the coroutines of one event loop."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, endpoint: RegisteredEndpoint) -> None:
        """Store an endpoint; the next event is sent to it. Raises `TooManyEndpoints`."""
        count = select(func.count()).where(webhook_endpoints.c.tenant == endpoint.tenant)
        async with self._database.writing() as connection:
            if ((await connection.execute(count)).scalar() or 0) >= MOST_ENDPOINTS:
                raise TooManyEndpoints(f"a tenant may have {MOST_ENDPOINTS} endpoints; delete one")
            await connection.execute(insert(webhook_endpoints).values(endpoint_row(endpoint)))

    async def of_tenant(self, tenant: str) -> list[RegisteredEndpoint]:
        """Return the tenant's endpoints that can be read, oldest first."""
        query = (
            select(webhook_endpoints)
            .where(webhook_endpoints.c.tenant == tenant)
            .order_by(webhook_endpoints.c.id)
        )
        async with self._database.reading() as connection:
            result = await read(connection, query, webhook_endpoints.c.id, read_endpoints)
        return result.found

    async def get(self, endpoint_id: str, tenant: str) -> RegisteredEndpoint | None:
        """Return the endpoint; None if the tenant has none."""
        query = select(webhook_endpoints).where(
            webhook_endpoints.c.id == endpoint_id, webhook_endpoints.c.tenant == tenant
        )
        async with self._database.reading() as connection:
            return await read_one(connection, query, webhook_endpoints.c.id, read_endpoints)

    async def change(
        self, endpoint_id: str, tenant: str, choose: Choose
    ) -> RegisteredEndpoint | None:
        """Change the current endpoint. None if there is none."""
        async with self._database.writing() as connection:
            endpoint = await _locked(connection, endpoint_id, tenant)
            if endpoint is None:
                return None
            return await _changed(connection, endpoint, choose(endpoint))

    async def delete(self, endpoint_id: str, tenant: str) -> bool:
        """Delete an endpoint and its secrets.

        Its pending deliveries are canceled when they are due; the log stays. Returns False if there
        is none.
        """
        query = delete(webhook_endpoints).where(
            webhook_endpoints.c.id == endpoint_id, webhook_endpoints.c.tenant == tenant
        )
        async with self._database.writing() as connection:
            return (await connection.execute(query)).rowcount == 1

    async def test(self, endpoint: RegisteredEndpoint, event: Event) -> Delivery:
        """Send a test event to this endpoint alone, whatever events it asked for."""
        async with self._database.writing() as connection:
            (delivery,) = await write_notice_deliveries(connection, event, [endpoint])
        return delivery

    async def disable(self, endpoint: RegisteredEndpoint, now: datetime, why: str) -> bool:
        """Disable an endpoint, with an event for the feed and the tenant's other endpoints.

        Both happen in one transaction. Returns False if it is disabled, or gone, already.
        """
        async with self._database.writing() as connection:
            fresh = await _locked(connection, endpoint.id, endpoint.tenant)
            if fresh is None or not fresh.enabled:
                return False
            await _disable(connection, fresh, now, why)
        return True

    async def failed(
        self, endpoint: RegisteredEndpoint, now: datetime
    ) -> tuple[RegisteredEndpoint, RegisteredEndpoint] | None:
        """Record a failed attempt.

        Returns the endpoint before and after it.

        After five days with only failures it is disabled, with an event. Returns None if it is
        gone, or disabled already.
        """
        async with self._database.writing() as connection:
            fresh = await _locked(connection, endpoint.id, endpoint.tenant)
            if fresh is None or not fresh.enabled:
                return None
            after = replace(fresh, health=after_failure(fresh.health, now))
            if has_failed_too_long(after.health, now):
                why = "every attempt has failed for five days"
                return fresh, await _disable(connection, after, now, why)
            return fresh, await _changed(connection, fresh, after)

    async def succeeded(self, endpoint: RegisteredEndpoint) -> None:
        """Record a successful attempt after failures, which are then forgotten."""

        def choose(fresh: RegisteredEndpoint) -> RegisteredEndpoint:
            return replace(fresh, health=HEALTHY)

        await self.change(endpoint.id, endpoint.tenant, choose)


async def _locked(
    connection: AsyncConnection, endpoint_id: str, tenant: str
) -> RegisteredEndpoint | None:
    query = (
        select(webhook_endpoints)
        .where(webhook_endpoints.c.id == endpoint_id, webhook_endpoints.c.tenant == tenant)
        .with_for_update()
    )
    return await read_one(connection, query, webhook_endpoints.c.id, read_endpoints)


async def _changed(
    connection: AsyncConnection, before: RegisteredEndpoint, after: RegisteredEndpoint
) -> RegisteredEndpoint:
    if after != before:
        query = update(webhook_endpoints).where(webhook_endpoints.c.id == after.id)
        await connection.execute(query.values(endpoint_row(after)))
    return after


async def _disable(
    connection: AsyncConnection, endpoint: RegisteredEndpoint, now: datetime, why: str
) -> RegisteredEndpoint:
    disabled = replace(
        endpoint, enabled=False, disabled_reason=why, disabled_at=now, updated_at=now
    )
    await _changed(connection, endpoint, disabled)
    event = endpoint_disabled_event(disabled, now)
    await connection.execute(insert(job_events).values(event_row(event)))
    others = (await enabled_endpoints(connection, [endpoint.tenant]))[endpoint.tenant]
    await write_notice_deliveries(
        connection, event, [each for each in others if each.wants(ENDPOINT_DISABLED, {})]
    )
    return disabled
