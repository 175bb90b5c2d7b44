"""Webhook deliveries, claimed for each attempt.

Due deliveries are claimed oldest first, for any receiver. A worker that claimed more for one
receiver than its limit sets the rest aside, and pulls it from there when the receiver has free
requests. So a receiver that hangs is passed over once, and not with every claim.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import CursorResult, Select, Update, bindparam, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from generation.store.engine.any_of import among, values_for
from generation.store.engine.database import Database
from generation.store.engine.group_commit import GroupCommit
from generation.store.engine.insert_once import insert_once
from generation.store.engine.unreadable_rows import ReadResult, not_recorded, postpone, read
from generation.store.schema import (
    ASIDE,
    api_keys,
    deliveries,
    delivery_attempts,
    webhook_endpoints,
)
from generation.store.webhooks.delivery_rows import MUTABLE, attempt_row, read_deliveries
from generation.store.webhooks.endpoint_rows import old_secrets_of, read_endpoints
from generation.webhooks.delivery import AttemptRecord, Delivery, DeliveryState
from generation.webhooks.endpoint import RegisteredEndpoint
from generation.webhooks.secrets import signing_secrets

SAVE = (
    update(deliveries)
    .where(
        deliveries.c.id == bindparam("_id"),
        deliveries.c.state == DeliveryState.QUEUED.value,
        deliveries.c.version <= bindparam("_version"),
    )
    .values({name: bindparam(name) for name in MUTABLE})
)
PUT_ASIDE = (
    update(deliveries)
    .where(
        deliveries.c.id == bindparam("_id"),
        deliveries.c.state == DeliveryState.QUEUED.value,
        deliveries.c.version == bindparam("_version"),
    )
    .values(wake_at=bindparam("_wake_at"), aside=True)
)


@cache
def _taking(dialect: str) -> Update:
    return (
        update(deliveries)
        .where(among(dialect, deliveries.c.id, "_ids"))
        .values(wake_at=bindparam("_until"), aside=False, version=deliveries.c.version + 1)
    )


@dataclass(frozen=True, slots=True)
class ClaimedDelivery:
    """A delivery claimed for one attempt, and what is needed to send it."""

    delivery: Delivery
    #: Newest first. Empty if nobody can sign it any more: its key, or its endpoint, is gone.
    secrets: Sequence[str] = field(repr=False)
    endpoint: RegisteredEndpoint | None = None
    #: An earlier event must be delivered to this endpoint first.
    blocked: bool = False


class DeliveryStore:
    """Statements of senders. Safe to share among the coroutines of one event loop."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._saving = GroupCommit(database, self._save_batch, limit=200)

    async def claim(self, now: datetime, limit: int, until: datetime) -> list[ClaimedDelivery]:
        """Claim up to `limit` due deliveries, the longest due first.

        No other process gets them before `until`. Those that are not saved by then are due again.
        """
        query = (
            select(deliveries)
            .where(deliveries.c.wake_at <= now)
            .order_by(deliveries.c.wake_at)
            .limit(limit)
        )
        if self._database.is_sqlite and not await self._anything(query):
            return []
        async with self._database.writing() as connection:
            return await self._take(connection, [query], now, until)

    async def pull(
        self, room: Mapping[str, int], now: datetime, until: datetime
    ) -> list[ClaimedDelivery]:
        """Claim deliveries that were set aside, oldest first, up to this many per receiver."""
        queries = [
            select(deliveries)
            .where(deliveries.c.lane == lane, ASIDE)
            .where(deliveries.c.state == DeliveryState.QUEUED.value)
            .order_by(deliveries.c.id)
            .limit(limit)
            for lane, limit in room.items()
        ]
        async with self._database.writing() as connection:
            return await self._take(connection, queries, now, until)

    async def set_aside(self, claimed: Sequence[Delivery], until: datetime) -> None:
        """Return claimed deliveries. They are due again at `until`, or pulled before."""
        rows = [{"_id": each.id, "_version": each.version, "_wake_at": until} for each in claimed]
        async with self._database.writing() as connection:
            await connection.execute(PUT_ASIDE, rows)

    async def stop(self, job_id: str, now: datetime, why: str) -> int:
        """Cancel what is still to be sent to the webhook of a job. Returns how many."""
        query = (
            update(deliveries)
            .where(deliveries.c.job_id == job_id, deliveries.c.endpoint_id.is_(None))
            .where(deliveries.c.state == DeliveryState.QUEUED.value)
            .values(
                state=DeliveryState.CANCELED.value,
                wake_at=None,
                aside=False,
                finished_at=now,
                last_error=why,
                version=deliveries.c.version + 1,
            )
        )
        async with self._database.writing() as connection:
            return (await connection.execute(query)).rowcount

    async def save(self, delivery: Delivery, attempt: AttemptRecord | None) -> None:
        """Save the outcome of a claim. A delivery that ended meanwhile is unchanged."""
        await self._saving((delivery, attempt))

    async def _anything(self, query: Select[Any]) -> bool:
        async with self._database.reading() as connection:
            one = query.with_only_columns(deliveries.c.id).limit(1)
            return (await connection.execute(one)).first() is not None

    async def _take(
        self,
        connection: AsyncConnection,
        queries: Sequence[Select[Any]],
        now: datetime,
        until: datetime,
    ) -> list[ClaimedDelivery]:
        taken: list[Delivery] = []
        for query in queries:
            locked = query.with_for_update(skip_locked=True)
            result = await read(connection, locked, deliveries.c.id, read_deliveries)
            taken += [
                replace(each, wake_at=until, aside=False, version=each.version + 1)
                for each in result.found
            ]
            await postpone(connection, deliveries, result.unreadable, now)
        if not taken:
            return []
        dialect = connection.dialect.name
        ids = values_for(dialect, [each.id for each in taken])
        await connection.execute(_taking(dialect), {"_ids": ids, "_until": until})
        return await self._with_secrets(connection, taken, now)

    async def _with_secrets(
        self, connection: AsyncConnection, taken: Sequence[Delivery], now: datetime
    ) -> list[ClaimedDelivery]:
        to_endpoints = await self._endpoints(connection, taken)
        endpoints = {each.id: each for each in to_endpoints.found}
        of_keys = await self._keys(connection, taken, now)
        keys = dict(of_keys.found)
        unknown = {*to_endpoints.unreadable, *of_keys.unreadable}
        waiting = [d.id for d in taken if unknown & {d.endpoint_id, d.api_key_id}]
        await postpone(connection, deliveries, waiting, now)
        heads = await self._heads(connection, endpoints)
        claimed: list[ClaimedDelivery] = []
        for delivery in taken:
            if delivery.id in waiting:
                continue  # until it can be read whether and how it is to be sent
            endpoint = endpoints.get(delivery.endpoint_id or "")
            if endpoint is None:
                claimed.append(ClaimedDelivery(delivery, keys.get(delivery.api_key_id or "", ())))
                continue
            head = heads.get(endpoint.id, delivery.id)
            claimed.append(
                ClaimedDelivery(
                    replace(delivery, url=endpoint.url),
                    endpoint.signing_secrets(now),
                    endpoint,
                    blocked=head < delivery.id,
                )
            )
        return claimed

    async def _endpoints(
        self, connection: AsyncConnection, taken: Sequence[Delivery]
    ) -> ReadResult[RegisteredEndpoint]:
        ids = {each.endpoint_id for each in taken if each.endpoint_id}
        if not ids:
            return ReadResult([])
        query = select(webhook_endpoints).where(webhook_endpoints.c.id.in_(sorted(ids)))
        return await read(connection, query, webhook_endpoints.c.id, read_endpoints)

    async def _keys(
        self, connection: AsyncConnection, taken: Sequence[Delivery], now: datetime
    ) -> ReadResult[tuple[str, Sequence[str]]]:
        ids = {each.api_key_id for each in taken if each.api_key_id}
        if not ids:
            return ReadResult([])
        columns = (api_keys.c.id, api_keys.c.webhook_secret, api_keys.c.old_webhook_secrets)
        query = select(*columns).where(api_keys.c.id.in_(sorted(ids)))

        def secrets_of(found: CursorResult[Any]) -> list[tuple[str, Sequence[str]]]:
            return [
                (
                    row.id,
                    signing_secrets(
                        row.webhook_secret, old_secrets_of(row.old_webhook_secrets), now
                    ),
                )
                for row in found
            ]

        return await read(connection, query, api_keys.c.id, secrets_of)

    async def _heads(
        self, connection: AsyncConnection, endpoints: Mapping[str, RegisteredEndpoint]
    ) -> dict[str, str]:
        """Return the next delivery of each ordered endpoint."""
        heads: dict[str, str] = {}
        for endpoint in endpoints.values():
            if endpoint.ordered:
                query = select(func.min(deliveries.c.id)).where(
                    deliveries.c.endpoint_id == endpoint.id,
                    deliveries.c.state == DeliveryState.QUEUED.value,
                    not_recorded(deliveries),
                )
                if head := (await connection.execute(query)).scalar():
                    heads[endpoint.id] = head
        return heads

    async def _save_batch(
        self, connection: AsyncConnection, batch: Sequence[tuple[Delivery, AttemptRecord | None]]
    ) -> list[None]:
        rows = [
            {"_id": delivery.id, "_version": delivery.version}
            | {name: getattr(delivery, name) for name in MUTABLE}
            | {"state": delivery.state.value}
            for delivery, _ in batch
        ]
        await connection.execute(SAVE, rows)
        attempts = [attempt_row(attempt) for _, attempt in batch if attempt is not None]
        if attempts:
            # Two claims of one attempt, the older of which outlived its lease, have one number.
            await connection.execute(insert_once(connection, delivery_attempts), attempts)
        return [None] * len(batch)
