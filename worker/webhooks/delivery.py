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

from generation.store import ClaimedDelivery
from generation.webhooks.delivery import (
    Delivery,
    DeliveryState,
    after_attempt,
    attempt_record,
    finished,
)
from generation.webhooks.guard import receiver
from generation.webhooks.outcome import DeliveryOutcome
from generation.webhooks.schedule import jittered
from worker.context import WorkerContext
from worker.webhooks.endpoint_health import note
from worker.webhooks.receiver_limits import PATIENCE, ReceiverLimit

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
MAX_RECEIVERS = 10_000
#: The pause after the database could not be reached.
PAUSE = timedelta(seconds=2)


class DeliveryPipeline:
    """The deliveries that this process has claimed."""

    def __init__(self, room: WorkerContext) -> None:
        self._context = room
        self._limits: dict[str, ReceiverLimit] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._held = 0
        #: The next delivery of an ordered endpoint may be sent now.
        self._next_in_order = asyncio.Event()
        #: More may be due than could be claimed.
        self._starved = False

    async def run(self) -> None:
        """Claim and send until the process is to end."""
        while not self._context.is_stopping:
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
                await within(self._context.settings.tick, self._context.delivery_due.wait())

    async def drain(self) -> None:
        """Wait until every open attempt is saved. Waiting deliveries are left to other workers."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    @property
    def _free(self) -> int:
        return max(0, self._context.settings.webhooks_in_flight - self._held)

    async def _round(self) -> bool:
        """Claim once.

        Returns True if there was so much that the next claim should follow at once.
        """
        self._context.delivery_due.clear()
        self._next_in_order.clear()
        now = self._context.now()
        until = now + self._context.settings.webhook_timeout + PATIENCE + MARGIN
        limit = min(CLAIM_LIMIT, self._free)
        self._starved = limit < CLAIM_LIMIT
        claimed = await self._context.store.deliveries.claim(now, limit, until) if limit else []
        excess = self._accept(claimed)
        for lane in [*self._limits.values()]:
            late = lane.overdue()
            self._held -= len(late)
            lane.has_set_aside = lane.has_set_aside or bool(late)
            excess += [each.delivery for each in late]
        await self._set_aside(excess)
        await self._pull()
        self._forget()
        return bool(limit) and len(claimed) == limit

    async def _pull(self) -> None:
        """Pull deliveries that were set aside for receivers with free requests."""
        room = {
            lane.key: room
            for lane in self._limits.values()
            if lane.has_set_aside and (room := min(lane.free_slots(self._free), self._free)) > 0
        }
        if not room:
            return
        now = self._context.now()
        until = now + self._context.settings.webhook_timeout + PATIENCE + MARGIN
        pulled = await self._context.store.deliveries.pull(room, now, until)
        found: dict[str, int] = {}
        for each in pulled:
            found[each.delivery.lane] = found.get(each.delivery.lane, 0) + 1
        for key, wanted in room.items():
            self._limits[key].has_set_aside = found.get(key, 0) == wanted
        await self._set_aside(self._accept(pulled))
        for key in room:
            if lane := self._limits.get(key):
                self._start(lane)

    def _forget(self) -> None:
        """Forget idle receivers beyond the limit."""
        if len(self._limits) > MAX_RECEIVERS:
            for lane in [*self._limits.values()]:
                lane.is_failing = False
                if lane.is_idle:
                    del self._limits[lane.key]

    def _accept(self, claimed: Sequence[ClaimedDelivery]) -> list[Delivery]:
        """Start what can be started; set aside or return the rest."""
        excess: list[Delivery] = []
        for each in claimed:
            if ended := self._ending(each):
                self._spawn(self._save_ended(ended))
                continue
            lane = self._limits.setdefault(each.delivery.lane, ReceiverLimit(each.delivery.lane))
            lane.apply_endpoint(each.endpoint)
            if each.blocked:
                excess.append(each.delivery)
            elif lane.free_slots(self._free) > 0:
                lane.take(each)
                self._held += 1
                self._start(lane)
            else:
                lane.has_set_aside = True
                excess.append(each.delivery)
        return excess

    def _ending(self, claimed: ClaimedDelivery) -> Delivery | None:
        """Return how a delivery ends that cannot be sent."""
        delivery, endpoint = claimed.delivery, claimed.endpoint
        now = self._context.now()
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
        await self._context.store.deliveries.save(delivery, None)

    async def _set_aside(self, excess: Sequence[Delivery]) -> None:
        if not excess:
            return
        is_failing = [each for each in excess if self._is_troubled(each)]
        calm = [each for each in excess if not self._is_troubled(each)]
        for group, wait in ((calm, ASIDE), (is_failing, ASIDE_IN_TROUBLE)):
            if group:
                until = self._context.now() + jittered(wait, random.random())
                await self._context.store.deliveries.set_aside(group, until)

    def _is_troubled(self, delivery: Delivery) -> bool:
        lane = self._limits.get(delivery.lane)
        return lane is not None and lane.is_failing

    def _start(self, lane: ReceiverLimit) -> None:
        """Send what the receiver's limit permits now."""
        while claimed := lane.next(self._free):
            self._spawn(self._attempt(lane, claimed))
        pause = lane.pause()
        if lane.waiting and pause > 0 and not lane.timed:
            lane.timed = True
            asyncio.get_running_loop().call_later(pause, self._start_timed, lane)

    def _start_timed(self, lane: ReceiverLimit) -> None:
        lane.timed = False
        if not self._context.is_stopping:
            self._start(lane)

    def _spawn(self, errand: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(errand)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("delivery_crashed", exc_info=error)

    async def _attempt(self, lane: ReceiverLimit, claimed: ClaimedDelivery) -> None:
        """Make one attempt.

        The request is free once the receiver has answered; saving delays nobody.
        """
        started = self._context.now()
        headers = claimed.endpoint.headers if claimed.endpoint else None
        try:
            try:
                outcome = await self._context.sender.send(
                    claimed.delivery, claimed.secrets, started, headers
                )
                lane.is_failing = outcome.is_receiver_slow_or_down
            finally:
                lane.running -= 1
                if not self._context.is_stopping:
                    self._start(lane)
            after = await self._save(claimed, outcome, started)
            if lane.ordered and after.state is not DeliveryState.QUEUED:
                lane.has_set_aside = True  # what this one was the head of
                self._next_in_order.set()
        finally:
            self._held -= 1
            pullable = lane.has_set_aside and lane.free_slots(self._free) >= lane.width(self._free)
            if pullable or (self._starved and self._free >= CLAIM_LIMIT):
                self._context.delivery_due.set()
            if lane.is_idle:
                self._limits.pop(lane.key, None)

    async def _save(
        self, claimed: ClaimedDelivery, outcome: DeliveryOutcome, started: datetime
    ) -> Delivery:
        """Save the outcome of an attempt, for the delivery and for its endpoint."""
        room, delivery, endpoint = self._context, claimed.delivery, claimed.endpoint
        now = room.now()
        after = after_attempt(
            delivery, outcome, now, random.random(), room.settings.webhook_schedule
        )
        await room.store.deliveries.save(after, attempt_record(delivery, after, outcome, started))
        if endpoint is not None:
            await note(room.store.endpoints, endpoint, outcome, room.clock.certain_now())
        elif outcome.is_opt_out and delivery.job_id:
            why = f"canceled: the receiver {outcome.opt_out_reason}"
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
            error=outcome.error_line or None,
            seconds=round(outcome.duration.total_seconds(), 3),
            state=after.state.value,
        )
        return after


async def within(limit: timedelta, event: Coroutine[Any, Any, object]) -> None:
    """Wait for something, but no longer than this."""
    with suppress(TimeoutError):
        async with asyncio.timeout(limit.total_seconds()):
            await event
