"""Delivers webhooks: a pipeline without a barrier.

Each attempt is a coroutine of its own. Due deliveries are claimed in batches for any receiver; each
receiver has a limit, and deliveries beyond it are set aside in the database and pulled from there
later. So a receiver that hangs, or has ten thousand deliveries due, delays no others. After a crash
open attempts are made again, under the same event id.
"""

import asyncio
import random
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError

from generation.store import Claimed
from generation.webhooks.delivery import (
    Delivery,
    DeliveryState,
    after_attempt,
    attempt_of,
    finished,
)
from generation.webhooks.guard import receiver
from generation.webhooks.outcome import Outcome
from generation.webhooks.schedule import spread
from worker.context import Room
from worker.webhooks.endpoint_health import note
from worker.webhooks.receiver_limits import PATIENCE, DeliveryLane

log = structlog.get_logger(__name__)

CLAIM_LIMIT = 500
#: Beyond the sender's own time limit and the wait for a free request, for saving the outcome. In
#: all, deliveries of a killed worker are repeated by another within 30 s.
MARGIN = timedelta(seconds=5)
#: Deliveries set aside are pulled when their receiver has a free request; after this time they are
#: due again.
ASIDE = timedelta(seconds=60)
ASIDE_IN_TROUBLE = timedelta(minutes=5)
#: The shortest time between two claims: bursts are claimed together, which spares the database.
BREATH = timedelta(seconds=0.1)
#: The number of receivers beyond which idle ones are forgotten.
MOST_LANES = 10_000
#: The pause after the database could not be reached.
PAUSE = timedelta(seconds=2)


class Deliveries:
    """The deliveries that this process has claimed."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._lanes: dict[str, DeliveryLane] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._held = 0
        #: The next delivery of an ordered endpoint may be sent now.
        self._next_in_order = asyncio.Event()
        #: More may be due than could be claimed.
        self._starved = False

    async def run(self) -> None:
        """Claim and send until the process is to end."""
        while not self._room.leaving:
            try:
                busy = await self._round()
            except (SQLAlchemyError, OSError) as error:
                log.warning("deliveries_not_claimed", error=f"{type(error).__name__}: {error}")
                await asyncio.sleep(PAUSE.total_seconds())
                continue
            except Exception:  # a defect; a worker that never tells is worse
                log.exception("deliveries_not_claimed")
                await asyncio.sleep(PAUSE.total_seconds())
                continue
            if not busy:
                await within(BREATH, self._next_in_order.wait())
                await within(self._room.settings.tick, self._room.told.wait())

    async def drain(self) -> None:
        """Wait until every open attempt is saved. Waiting deliveries are left to other workers."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    @property
    def _free(self) -> int:
        return max(0, self._room.settings.webhooks_in_flight - self._held)

    async def _round(self) -> bool:
        """Claim once.

        Returns True if there was so much that the next claim should follow at once.
        """
        self._room.told.clear()
        self._next_in_order.clear()
        now = self._room.now()
        until = now + self._room.settings.webhook_timeout + PATIENCE + MARGIN
        limit = min(CLAIM_LIMIT, self._free)
        self._starved = limit < CLAIM_LIMIT
        claimed = await self._room.store.deliveries.claim(now, limit, until) if limit else []
        excess = self._accept(claimed)
        for lane in [*self._lanes.values()]:
            late = lane.overdue()
            self._held -= len(late)
            lane.behind = lane.behind or bool(late)
            excess += [each.delivery for each in late]
        await self._put_aside(excess)
        await self._pull()
        self._forget()
        return bool(limit) and len(claimed) == limit

    async def _pull(self) -> None:
        """Pull deliveries that were set aside for receivers with free requests."""
        room = {
            lane.key: room
            for lane in self._lanes.values()
            if lane.behind and (room := min(lane.room(self._free), self._free)) > 0
        }
        if not room:
            return
        now = self._room.now()
        until = now + self._room.settings.webhook_timeout + PATIENCE + MARGIN
        pulled = await self._room.store.deliveries.pull(room, now, until)
        found: dict[str, int] = {}
        for each in pulled:
            found[each.delivery.lane] = found.get(each.delivery.lane, 0) + 1
        for key, wanted in room.items():
            self._lanes[key].behind = found.get(key, 0) == wanted
        await self._put_aside(self._accept(pulled))
        for key in room:
            if lane := self._lanes.get(key):
                self._start(lane)

    def _forget(self) -> None:
        """Forget idle receivers beyond the limit."""
        if len(self._lanes) > MOST_LANES:
            for lane in [*self._lanes.values()]:
                lane.troubled = False
                if lane.is_idle:
                    del self._lanes[lane.key]

    def _accept(self, claimed: Sequence[Claimed]) -> list[Delivery]:
        """Start what can be started; set aside or return the rest."""
        excess: list[Delivery] = []
        for each in claimed:
            if ended := self._ending(each):
                self._spawn(self._save_ended(ended))
                continue
            lane = self._lanes.setdefault(each.delivery.lane, DeliveryLane(each.delivery.lane))
            lane.heed(each.endpoint)
            if each.blocked:
                excess.append(each.delivery)
            elif lane.room(self._free) > 0:
                lane.take(each)
                self._held += 1
                self._start(lane)
            else:
                lane.behind = True
                excess.append(each.delivery)
        return excess

    def _ending(self, claimed: Claimed) -> Delivery | None:
        """Return how a delivery ends that cannot be sent."""
        delivery, endpoint = claimed.delivery, claimed.endpoint
        now = self._room.now()
        if delivery.endpoint_id and endpoint is None:
            why = "canceled: its endpoint was deleted"
            return finished(delivery, DeliveryState.CANCELED, now, why)
        if endpoint is not None and not endpoint.enabled:
            why = "disabled: its endpoint is disabled; enable it and recover what has failed"
            return finished(delivery, DeliveryState.FAILED, now, why)
        if not claimed.secrets:
            why = "unsigned: the API key that signs it is gone"
            return finished(delivery, DeliveryState.FAILED, now, why)
        return None

    async def _save_ended(self, delivery: Delivery) -> None:
        await self._room.store.deliveries.save(delivery, None)

    async def _put_aside(self, excess: Sequence[Delivery]) -> None:
        if not excess:
            return
        troubled = [each for each in excess if self._is_troubled(each)]
        calm = [each for each in excess if not self._is_troubled(each)]
        for group, wait in ((calm, ASIDE), (troubled, ASIDE_IN_TROUBLE)):
            if group:
                until = self._room.now() + spread(wait, random.random())
                await self._room.store.deliveries.put_aside(group, until)

    def _is_troubled(self, delivery: Delivery) -> bool:
        lane = self._lanes.get(delivery.lane)
        return lane is not None and lane.troubled

    def _start(self, lane: DeliveryLane) -> None:
        """Send what the receiver's limit permits now."""
        while claimed := lane.next(self._free):
            self._spawn(self._attempt(lane, claimed))
        pause = lane.pause()
        if lane.waiting and pause > 0 and not lane.timed:
            lane.timed = True
            asyncio.get_running_loop().call_later(pause, self._start_timed, lane)

    def _start_timed(self, lane: DeliveryLane) -> None:
        lane.timed = False
        if not self._room.leaving:
            self._start(lane)

    def _spawn(self, errand: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(errand)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("delivery_broke", exc_info=error)

    async def _attempt(self, lane: DeliveryLane, claimed: Claimed) -> None:
        """Make one attempt.

        The request is free once the receiver has answered; saving delays nobody.
        """
        started = self._room.now()
        headers = claimed.endpoint.headers if claimed.endpoint else None
        try:
            try:
                outcome = await self._room.sender.send(
                    claimed.delivery, claimed.secrets, started, headers
                )
                lane.troubled = outcome.is_trouble
            finally:
                lane.running -= 1
                if not self._room.leaving:
                    self._start(lane)
            after = await self._save(claimed, outcome, started)
            if lane.ordered and after.state is not DeliveryState.QUEUED:
                lane.behind = True  # what this one was the head of
                self._next_in_order.set()
        finally:
            self._held -= 1
            pullable = lane.behind and lane.room(self._free) >= lane.width(self._free)
            if pullable or (self._starved and self._free >= CLAIM_LIMIT):
                self._room.told.set()
            if lane.is_idle:
                self._lanes.pop(lane.key, None)

    async def _save(self, claimed: Claimed, outcome: Outcome, started: datetime) -> Delivery:
        """Save the outcome of an attempt, for the delivery and for its endpoint."""
        room, delivery, endpoint = self._room, claimed.delivery, claimed.endpoint
        now = room.now()
        after = after_attempt(
            delivery, outcome, now, random.random(), room.settings.webhook_schedule
        )
        await room.store.deliveries.save(after, attempt_of(delivery, after, outcome, started))
        if endpoint is not None:
            await note(room.store.endpoints, endpoint, outcome, room.clock.surely())
        elif outcome.wants_no_more and delivery.job_id:
            why = f"canceled: the receiver {outcome.wish}"
            await room.store.deliveries.stop(delivery.job_id, now, why)
        log.info(
            "delivery",
            delivery_id=delivery.id,
            type=delivery.event_type,
            event_id=delivery.event_id,
            job_id=delivery.job_id,
            endpoint_id=delivery.endpoint_id,
            receiver=receiver(delivery.url),
            attempt=after.attempts,
            status=outcome.status,
            error=outcome.complaint or None,
            seconds=round(outcome.duration.total_seconds(), 3),
            state=after.state.value,
        )
        return after


async def within(limit: timedelta, event: Coroutine[Any, Any, object]) -> None:
    """Wait for something, but no longer than this."""
    with suppress(TimeoutError):
        async with asyncio.timeout(limit.total_seconds()):
            await event
