"""The outbox: deliveries of an event, written in the event's own transaction."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Select, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection
from ulid import ULIDGenerator

from generation.events import PUBLIC_EVENTS, Event, payload, wants
from generation.job import Job, Webhook
from generation.store.engine.any_of import among, values_for
from generation.store.engine.unreadable_rows import read
from generation.store.events import EventHead
from generation.store.schema import deliveries, webhook_endpoints
from generation.store.webhooks.delivery_rows import delivery_row
from generation.store.webhooks.endpoint_rows import read_endpoints
from generation.webhooks.delivery import Delivery
from generation.webhooks.endpoint import RegisteredEndpoint
from generation.webhooks.guard import receiver

Move = tuple[Job, Event]

#: Apart from that of other ids, whose times lie between.
_ids = ULIDGenerator()


async def write_deliveries(
    connection: AsyncConnection, moves: Sequence[Move], base_url: str
) -> None:
    """Write the deliveries of these events.

    They go to the webhooks of their jobs, and to the endpoints of their tenants. Endpoints are read
    once, and only if an event may be delivered at all.
    """
    public = [move for move in moves if move[1].type in PUBLIC_EVENTS]
    if not public:
        return
    owed = [
        to_webhook(job, job.webhook, event)
        for job, event in public
        if job.webhook is not None and wants(job, event.type)
    ]
    listening = await enabled_endpoints(connection, {job.tenant for job, _ in public})
    for job, event in public if listening else ():
        wanting = [e for e in listening[job.tenant] if e.wants(event.type, job.metadata)]
        if wanting:
            body = body_of(job, event, base_url)
            owed += [to_endpoint(endpoint, event, body, event.created_at) for endpoint in wanting]
    await write(connection, owed)


async def write_notice_deliveries(
    connection: AsyncConnection, event: Event, endpoints: Iterable[RegisteredEndpoint]
) -> list[Delivery]:
    """Write the deliveries of an endpoint's event to these endpoints."""
    owed = [
        to_endpoint(endpoint, event, event.body or b"", event.created_at) for endpoint in endpoints
    ]
    await write(connection, owed)
    return owed


async def enabled_endpoints(
    connection: AsyncConnection, tenants: Iterable[str]
) -> defaultdict[str, list[RegisteredEndpoint]]:
    """Return the enabled endpoints of these tenants, by tenant.

    An unreadable endpoint blocks no job; a replay sends what it missed.
    """
    dialect = connection.dialect.name
    given = {"tenants": values_for(dialect, set(tenants))}
    result = await read(
        connection, _enabled(dialect), webhook_endpoints.c.id, read_endpoints, given
    )
    found: defaultdict[str, list[RegisteredEndpoint]] = defaultdict(list)
    for each in result.found:
        found[each.tenant].append(each)
    return found


@cache
def _enabled(dialect: str) -> Select[Any]:
    """Cached: it is executed with every move that has an event."""
    of_these = among(dialect, webhook_endpoints.c.tenant, "tenants")
    query = select(webhook_endpoints).where(of_these, webhook_endpoints.c.enabled)
    return query.order_by(webhook_endpoints.c.id)


async def write(connection: AsyncConnection, owed: Sequence[Delivery]) -> None:
    if owed:
        await connection.execute(insert(deliveries), [delivery_row(each) for each in owed])


def body_of(job: Job, event: Event, base_url: str) -> bytes:
    """Return the event's payload.

    A `job.queued` event has none yet if the job's own webhook wants none.
    """
    if event.body is not None:
        return event.body
    return payload(event.id, event.type, job.evolve(sequence=event.sequence - 1), base_url)


def to_webhook(job: Job, webhook: Webhook, event: Event) -> Delivery:
    """Return the delivery to the job's own webhook, signed for the key that submitted it."""
    return Delivery(
        id=delivery_id(event.created_at),
        event_id=event.id,
        event_type=event.type,
        job_id=job.id,
        tenant=job.tenant,
        api_key_id=job.api_key_id,
        url=webhook.url,
        lane=receiver(webhook.url),
        body=event.body or b"",
        wake_at=event.created_at,
        created_at=event.created_at,
    )


def to_endpoint(
    endpoint: RegisteredEndpoint, event: Event | EventHead, body: bytes, at: datetime
) -> Delivery:
    """Return the delivery to a registered endpoint, due at `at`."""
    return Delivery(
        id=delivery_id(at),
        event_id=event.id,
        event_type=event.type,
        job_id=event.job_id,
        tenant=event.tenant,
        endpoint_id=endpoint.id,
        url=endpoint.url,
        lane=endpoint.id,
        body=body,
        wake_at=at,
        created_at=at,
    )


def delivery_id(at: datetime) -> str:
    """Return a new id.

    Ids of one process rise, even within a millisecond: events keep their order.
    """
    return f"dlv_{_ids.generate(at)}"
