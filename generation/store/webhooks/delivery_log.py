"""The log of deliveries, read by its owner, who may send deliveries again or cancel them."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import LargeBinary, Select, func, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from ulid import ULID

from generation.store.engine.database import Database
from generation.store.engine.unreadable_rows import first_readable, read, read_one
from generation.store.schema import deliveries, delivery_attempts
from generation.store.webhooks.delivery_rows import MUTABLE, attempt_of_row, read_deliveries
from generation.webhooks.delivery import (
    AttemptRecord,
    Delivery,
    DeliveryState,
    finished,
    requeued_delivery,
)

#: Deliveries that are changed in one transaction …
BATCH = 500
#: … and with one call.
MOST_AT_ONCE = 10_000
WITHDRAWN = "canceled: withdrawn by its owner"

#: Everything but the body, which may be kilobytes.
LEAN = (
    *(column for column in deliveries.c if column.name != "body"),
    literal(b"", LargeBinary).label("body"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFilters:
    """Which deliveries to list.

    None means any. `created_after` is inclusive, `created_before` exclusive.
    """

    state: DeliveryState | None = None
    endpoint_id: str | None = None
    job_id: str | None = None
    event_type: str | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None


class DeliveryLog:
    """Statements about deliveries except sending.

    Safe to share among coroutines of one event loop.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(
        self, tenant: str, filters: LogFilters, *, limit: int, before: str | None = None
    ) -> list[Delivery]:
        """Return a tenant's deliveries without bodies, newest first, after the one `before`."""
        states = [filters.state] if filters.state else list(DeliveryState)

        async def ask(limit: int) -> tuple[list[Delivery], int]:
            found: list[Delivery] = []
            left_out = 0
            async with self._database.reading() as connection:
                # State by state, because each is then read along an index.
                for state in states:
                    query = narrowed(select(*LEAN), tenant, filters)
                    query = query.where(deliveries.c.state == state)
                    if before is not None:
                        query = query.where(deliveries.c.id < before)
                    query = query.order_by(deliveries.c.id.desc()).limit(limit)
                    result = await read(connection, query, deliveries.c.id, read_deliveries)
                    found += result.found
                    left_out += len(result.unreadable)
            # Those of a job are found by it alone, so that no database scans the tenant's.
            own = [each for each in found if each.tenant == tenant]
            return sorted(own, key=lambda each: each.id, reverse=True), left_out

        return await first_readable(limit, ask)

    async def of_job(self, job_id: str) -> list[Delivery]:
        """Return a job's deliveries with bodies, oldest first."""
        query = select(deliveries).where(deliveries.c.job_id == job_id).order_by(deliveries.c.id)
        async with self._database.reading() as connection:
            return (await read(connection, query, deliveries.c.id, read_deliveries)).found

    async def get(
        self, delivery_id: str, tenant: str
    ) -> tuple[Delivery, list[AttemptRecord]] | None:
        """Return the delivery and its attempts, in order; None if the tenant has none."""
        attempts = (
            select(delivery_attempts)
            .where(delivery_attempts.c.delivery_id == delivery_id)
            .order_by(delivery_attempts.c.number)
        )
        async with self._database.reading() as connection:
            delivery = await read_delivery(connection, one(delivery_id, tenant))
            if delivery is None:
                return None
            return delivery, [attempt_of_row(r) for r in await connection.execute(attempts)]

    async def resend(self, delivery_id: str, tenant: str, now: datetime) -> Delivery | None:
        """Send it again at once, whatever its state. None if the tenant has no such delivery."""
        async with self._database.writing() as connection:
            query = one(delivery_id, tenant).with_for_update()
            delivery = await read_delivery(connection, query)
            return delivery and await written(connection, requeued_delivery(delivery, now))

    async def cancel(self, delivery_id: str, tenant: str, now: datetime) -> Delivery | None:
        """Cancel it if it is still to be sent; otherwise it is unchanged."""
        async with self._database.writing() as connection:
            query = one(delivery_id, tenant).with_for_update()
            delivery = await read_delivery(connection, query)
            if delivery is None or delivery.state is not DeliveryState.QUEUED:
                return delivery
            ended = finished(delivery, DeliveryState.CANCELED, now, WITHDRAWN)
            return await written(connection, ended)

    async def recover(
        self, endpoint_id: str, since: datetime, until: datetime, now: datetime
    ) -> int:
        """Send again what failed for this endpoint in that period.

        Returns how many; `MOST_AT_ONCE` means that there may be more.
        """
        query = (
            select(deliveries.c.id)
            .where(deliveries.c.endpoint_id == endpoint_id)
            .where(deliveries.c.state == DeliveryState.FAILED.value)
            .where(deliveries.c.id >= first_id(since), deliveries.c.id < first_id(until))
        )
        again = {"state": DeliveryState.QUEUED.value, "tries": 0, "wake_at": now}
        return await self._in_batches(query, again | {"finished_at": None})

    async def cancel_pending(self, endpoint_id: str, now: datetime) -> int:
        """Cancel what is still to be sent to this endpoint. Returns how many."""
        query = (
            select(deliveries.c.id)
            .where(deliveries.c.endpoint_id == endpoint_id)
            .where(deliveries.c.state == DeliveryState.QUEUED.value)
        )
        ended = {"state": DeliveryState.CANCELED.value, "wake_at": None, "finished_at": now}
        return await self._in_batches(query, ended | {"aside": False, "last_error": WITHDRAWN})

    async def counts(self, endpoint_id: str, since: datetime) -> dict[DeliveryState, int]:
        """Return how many of an endpoint's deliveries since then are in each state."""
        query = (
            select(deliveries.c.state, func.count())
            .where(deliveries.c.endpoint_id == endpoint_id, deliveries.c.id >= first_id(since))
            .where(deliveries.c.state.in_(list(DeliveryState)))
            .group_by(deliveries.c.state)
        )
        async with self._database.reading() as connection:
            found = {row[0]: row[1] for row in await connection.execute(query)}
        return {state: found.get(state.value, 0) for state in DeliveryState}

    async def oldest_pending(self, endpoint_id: str) -> datetime | None:
        """Return since when the oldest pending delivery of an endpoint waits."""
        query = (
            select(deliveries.c.created_at)
            .where(deliveries.c.endpoint_id == endpoint_id)
            .where(deliveries.c.state == DeliveryState.QUEUED.value)
            .order_by(deliveries.c.id)
            .limit(1)
        )
        async with self._database.reading() as connection:
            return (await connection.execute(query)).scalar()

    async def _in_batches(self, query: Select[Any], values: dict[str, Any]) -> int:
        """Change what `query` finds, in short transactions."""
        changed = 0
        while changed < MOST_AT_ONCE:
            batch = query.order_by(deliveries.c.id).limit(BATCH).with_for_update(skip_locked=True)
            async with self._database.writing() as connection:
                ids = (await connection.execute(batch)).scalars().all()
                if ids:
                    change = update(deliveries).where(deliveries.c.id.in_(ids))
                    change = change.values(version=deliveries.c.version + 1, **values)
                    await connection.execute(change)
            changed += len(ids)
            if len(ids) < BATCH:
                break
        return changed


def narrowed(query: Select[Any], tenant: str, filters: LogFilters) -> Select[Any]:
    if filters.job_id is None:
        query = query.where(deliveries.c.tenant == tenant)
    for column, value in (
        (deliveries.c.endpoint_id, filters.endpoint_id),
        (deliveries.c.job_id, filters.job_id),
        (deliveries.c.event_type, filters.event_type),
    ):
        if value is not None:
            query = query.where(column == value)
    if filters.created_after is not None:
        query = query.where(deliveries.c.id >= first_id(filters.created_after))
    if filters.created_before is not None:
        query = query.where(deliveries.c.id < first_id(filters.created_before))
    return query


def first_id(moment: datetime) -> str:
    """Return an id that sorts before all deliveries created at that time or later."""
    return f"dlv_{ULID.from_datetime(moment)}"[: len("dlv_") + 10]


def one(delivery_id: str, tenant: str) -> Select[Any]:
    return select(deliveries).where(deliveries.c.id == delivery_id, deliveries.c.tenant == tenant)


async def read_delivery(connection: AsyncConnection, query: Select[Any]) -> Delivery | None:
    return await read_one(connection, query, deliveries.c.id, read_deliveries)


async def written(connection: AsyncConnection, delivery: Delivery) -> Delivery:
    """Save a locked delivery; an attempt in progress finds it changed."""
    delivery = replace(delivery, version=delivery.version + 1)
    values = {name: getattr(delivery, name) for name in MUTABLE}
    values["state"] = delivery.state.value
    query = update(deliveries).where(deliveries.c.id == delivery.id)
    await connection.execute(query.values(values))
    return delivery
