"""
Deliveries on disk: what is owed to webhooks, claimed attempt by attempt.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from generation.store.database import Database
from generation.store.group_commit import GroupCommit
from generation.store.schema import api_keys, deliveries
from generation.webhooks.delivery import Delivery, DeliveryState

FIXED = frozenset(
    {"id", "event_id", "event_type", "job_id", "tenant", "api_key_id", "url", "body", "created_at"}
)
MUTABLE = tuple(field.name for field in fields(Delivery) if field.name not in FIXED)

SAVE = (
    update(deliveries)
    .where(
        deliveries.c.id == bindparam("_id"),
        deliveries.c.state == DeliveryState.QUEUED.value,
        deliveries.c.version <= bindparam("_version"),
    )
    .values({name: bindparam(name) for name in MUTABLE})
)
MOVE_WAKE = (
    update(deliveries)
    .where(deliveries.c.id == bindparam("_id"))
    .values(wake_at=bindparam("_wake_at"), version=deliveries.c.version + 1)
)


@dataclass(frozen=True, slots=True)
class Signed:
    """A claimed delivery and the secret it is signed with."""

    delivery: Delivery
    secret: str


class DeliveryStore:
    """All access to deliveries. Safe to share among the coroutines of one event loop."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._saving = GroupCommit(database, self._save_batch)
        self._claiming = GroupCommit(database, self._claim_batch)

    async def due(self, now: datetime, limit: int, nudge_again: datetime) -> list[tuple[str, int]]:
        """
        Id and version of deliveries whose time has come, the longest due first. Each is named again
        at `nudge_again`, in case the message about it is lost.
        """
        query = (
            select(deliveries.c.id, deliveries.c.version)
            .where(deliveries.c.wake_at <= now)
            .order_by(deliveries.c.wake_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        if self._database.is_sqlite and not await self._anything(query):
            return []
        async with self._database.writing() as connection:
            named = [(row.id, row.version) for row in await connection.execute(query)]
            if named:
                ids = [delivery_id for delivery_id, _ in named]
                moved = update(deliveries).where(deliveries.c.id.in_(ids))
                await connection.execute(moved.values(wake_at=nudge_again))
        return named

    async def claim(self, delivery_id: str, version: int, until: datetime) -> Signed | None:
        """
        Take one delivery for one attempt; None where it has ended, or where another message for the
        same attempt (the same `version`) was quicker.
        """
        return await self._claiming((delivery_id, version, until))

    async def save(self, delivery: Delivery) -> None:
        """Write down how an attempt went. A delivery that ended meanwhile stays as it ended."""
        await self._saving(delivery)

    async def of_job(self, job_id: str) -> list[Delivery]:
        """A job's deliveries, oldest first."""
        query = (
            select(deliveries).where(deliveries.c.job_id == job_id).order_by(deliveries.c.id.asc())
        )
        async with self._database.reading() as connection:
            return [delivery_of(row) for row in await connection.execute(query)]

    async def _anything(self, query: Select[Any, Any]) -> bool:
        async with self._database.reading() as connection:
            return (await connection.execute(query.limit(1))).first() is not None

    async def _claim_batch(
        self, connection: AsyncConnection, batch: Sequence[tuple[str, int, datetime]]
    ) -> list[Signed | None]:
        ids = sorted({delivery_id for delivery_id, _, _ in batch})
        query = (
            select(deliveries, api_keys.c.webhook_secret)
            .join(api_keys, api_keys.c.id == deliveries.c.api_key_id)
            .where(deliveries.c.id.in_(ids), deliveries.c.state == DeliveryState.QUEUED.value)
            .order_by(deliveries.c.id)
            .with_for_update(of=deliveries)
        )
        free = {row.id: row for row in await connection.execute(query)}
        answers: list[Signed | None] = []
        moved: list[dict[str, Any]] = []
        for delivery_id, version, until in batch:
            row = free.get(delivery_id)
            if row is None or row.version != version:
                answers.append(None)
                continue
            del free[delivery_id]
            moved.append({"_id": delivery_id, "_wake_at": until})
            claimed = replace(delivery_of(row), wake_at=until, version=version + 1)
            answers.append(Signed(claimed, row.webhook_secret))
        if moved:
            await connection.execute(MOVE_WAKE, moved)
        return answers

    async def _save_batch(
        self, connection: AsyncConnection, batch: Sequence[Delivery]
    ) -> list[None]:
        rows = [
            {"_id": delivery.id, "_version": delivery.version}
            | {name: getattr(delivery, name) for name in MUTABLE}
            | {"state": delivery.state.value}
            for delivery in batch
        ]
        await connection.execute(SAVE, rows)
        return [None] * len(batch)


def delivery_of(row: Row[Any]) -> Delivery:
    values: dict[str, Any] = {field.name: getattr(row, field.name) for field in fields(Delivery)}
    values["state"] = DeliveryState(values["state"])
    return Delivery(**values)
