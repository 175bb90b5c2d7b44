"""
Telling callers: one attempt of one delivery.
"""

import random
from datetime import timedelta

import structlog

from generation.webhooks.delivery import after_attempt
from generation.webhooks.guard import receiver
from worker.room import Room

log = structlog.get_logger(__name__)

#: Beyond the sender's own time limit, for saving the outcome.
MARGIN = timedelta(seconds=10)


async def deliver(room: Room, delivery_id: str, version: int) -> None:
    """
    Claim the attempt, make it, save how it went. Does nothing where another message for the same
    attempt was quicker, or the delivery has ended. A crash in the middle sends it again later,
    under the same event id.
    """
    until = room.now() + room.settings.webhook_timeout + MARGIN
    signed = await room.store.deliveries.claim(delivery_id, version, until)
    if signed is None:
        return
    delivery = signed.delivery
    outcome = await room.sender.send(delivery, [signed.secret], room.now())
    saved = after_attempt(
        delivery, outcome, room.now(), random.random(), room.settings.webhook_schedule
    )
    await room.store.deliveries.save(saved)
    log.info(
        "delivery",
        delivery_id=delivery.id,
        type=delivery.event_type,
        event_id=delivery.event_id,
        job_id=delivery.job_id,
        receiver=receiver(delivery.url),
        attempt=saved.attempts,
        status=outcome.status,
        error=outcome.complaint or None,
        seconds=round(outcome.duration.total_seconds(), 3),
        state=saved.state.value,
    )
