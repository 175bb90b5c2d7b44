"""Events that an endpoint was never sent, because it did not exist or was disabled."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from ulid import ULID

from generation.store.engine.database import Database
from generation.store.engine.insert_once import insert_once
from generation.store.events import EventPayload, EventStore
from generation.store.schema import deliveries, jobs
from generation.store.webhooks.delivery_rows import delivery_row
from generation.store.webhooks.outbox import to_endpoint
from generation.webhooks.endpoint import DEFAULT_EVENTS, RegisteredEndpoint

#: Events read in one transaction, and with one call.
BATCH = 500
MOST_AT_ONCE = 10_000


class EventReplay:
    """Sends an endpoint what it has missed. Safe to repeat: an event goes there once."""

    def __init__(self, database: Database, events: EventStore) -> None:
        self._database = database
        self._events = events

    async def missing(
        self, endpoint: RegisteredEndpoint, since: datetime, until: datetime, now: datetime
    ) -> int:
        """Write deliveries of every event of that period that the endpoint asks for and never got.

        Returns how many; `MOST_AT_ONCE` means that there may be more.
        """
        place = await self._events.place_at(endpoint.tenant, since)
        end = f"evt_{ULID.from_datetime(until)}"[: len("evt_") + 10]
        types = endpoint.events or DEFAULT_EVENTS
        owed = 0
        while owed < MOST_AT_ONCE:
            batch = await self._events.after(endpoint.tenant, place, BATCH, types)
            owed += await self._owe(endpoint, [each for each in batch if each.head.id < end], now)
            if len(batch) < BATCH or batch[-1].head.id >= end:
                break
            place = batch[-1].head.position or place
        return owed

    async def _owe(
        self, endpoint: RegisteredEndpoint, events: Sequence[EventPayload], now: datetime
    ) -> int:
        if not events:
            return 0
        job_ids = sorted({each.head.job_id for each in events if each.head.job_id})
        known = select(deliveries.c.event_id).where(
            deliveries.c.endpoint_id == endpoint.id,
            deliveries.c.event_id.in_([each.head.id for each in events]),
        )
        of_jobs = select(jobs.c.id, jobs.c.metadata).where(jobs.c.id.in_(job_ids))
        async with self._database.writing() as connection:
            there = set((await connection.execute(known)).scalars())
            metadata = {row.id: row.metadata for row in await connection.execute(of_jobs)}
            rows = [
                delivery_row(to_endpoint(endpoint, each.head, each.body, now))
                for each in events
                if each.head.id not in there
                and endpoint.wants(each.head.type, metadata.get(each.head.job_id, {}))
            ]
            if rows:
                await connection.execute(insert_once(connection, deliveries), rows)
        return len(rows)
