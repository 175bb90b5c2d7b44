"""
What makes things happen: every worker ticks.

A tick claims what is due and starts it. Two tickers at once are harmless, because a claim is
exclusive; a ticker that dies is missed by nobody, because the others find the same rows.
"""

import asyncio
from collections.abc import Coroutine
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError

from generation.binding import Unbound, bind
from generation.job import Job, JobState
from generation.lifecycle import claimed_until, expired
from generation.queue import deliver_message, submit_message
from worker.alive import beat
from worker.doubts import call_stale, cancel, find
from worker.inputs import send_input
from worker.looks import Looks
from worker.room import Room

log = structlog.get_logger(__name__)

CLAIM_LIMIT = 500
DELIVERIES_LIMIT = 500
#: While more submits than this wait on the queue, no queued job is nudged again: it is in line
#: already.
LONG_LINE = 1000
#: A database that cannot be reached is left alone for this long.
PAUSE = timedelta(seconds=2)
#: A lease is renewed this many times before it could run out.
RENEWALS = 4


class Ticker:
    """The one ticker of a worker process."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._looks = Looks(room)
        self._errands: set[asyncio.Task[None]] = set()
        self._renewed_at: datetime | None = None

    async def run(self) -> None:
        """
        Tick until the process is to leave; from then on only renew the leases of what is still on
        the wire, until this is canceled.
        """
        while not self._room.leaving:
            try:
                busy = await self._tick()
                beat(self._room.settings)
            except (SQLAlchemyError, OSError) as error:
                log.warning("tick_failed", error=f"{type(error).__name__}: {error}")
                await asyncio.sleep(PAUSE.total_seconds())
                continue
            except Exception:  # a defect, in one job perhaps; a worker that never ticks is worse
                log.exception("tick_failed")
                await asyncio.sleep(PAUSE.total_seconds())
                continue
            if not busy:
                await asyncio.sleep(self._room.settings.tick.total_seconds())
        await self._hold()

    async def drain(self) -> None:
        """Wait for everything this ticker has started."""
        await self._looks.drain()
        while self._errands:
            await asyncio.wait(self._errands)

    async def _hold(self) -> None:
        while True:
            try:
                await self._renew_leases()
            except (SQLAlchemyError, OSError) as error:
                log.warning("leases_not_renewed", error=f"{type(error).__name__}: {error}")
            await asyncio.sleep(self._room.settings.tick.total_seconds())

    async def _tick(self) -> bool:
        """One round. True where there was so much to do that the next should follow at once."""
        await self._renew_leases()
        told = await self._nudge_deliveries()
        jobs = await self._claim()
        looks = [job for job in jobs if self._dispatch(job)]
        self._looks.start(looks)
        return len(jobs) == CLAIM_LIMIT or told == DELIVERIES_LIMIT

    async def _claim(self) -> list[Job]:
        limit = min(CLAIM_LIMIT, self._looks.free)
        if limit == 0:
            return []
        line = await self._room.nudger.depth()
        return await self._room.store.jobs.claim_due(
            self._room.now(),
            limit,
            self._next_wake,
            skip_stations=self._looks.full_stations(),
            skip_queued=line is None or line > LONG_LINE,
        )

    def _next_wake(self, job: Job) -> datetime | None:
        """Where the claim moves `wake_at`."""
        if job.state is JobState.QUEUED:
            return self._room.now() + self._room.settings.nudge_again
        try:
            binding = bind(self._room.stations, job)
        except Unbound:
            binding = None
        return claimed_until(job, self._room.moment(binding))

    def _dispatch(self, job: Job) -> bool:
        """Start what a claimed job needs. True where that is a look."""
        match job.state:
            case JobState.QUEUED if self._room.now() >= job.deadline:
                self._start(self._expire(job))
            case JobState.QUEUED:
                self._start(self._nudge(job))
            case JobState.SUBMITTING:
                self._start(call_stale(self._room, job))
            case JobState.IN_DOUBT:
                self._start(find(self._room, job))
            case JobState.RUNNING | JobState.AWAITING_INPUT if job.cancel_requested_at:
                self._start(cancel(self._room, job))
            case JobState.AWAITING_INPUT if job.answer and not job.answered_at:
                self._start(send_input(self._room, job))
            case _:
                return job.upstream_id is not None
        return False

    def _start(self, errand: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(errand)
        self._errands.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._errands.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("errand_failed", exc_info=error)

    async def _nudge(self, job: Job) -> None:
        """A queued job whose message was lost, or whose wait is over."""
        whole = await self._room.store.jobs.get(job.id)
        if whole is not None:
            self._room.nudger.nudge(submit_message(whole))

    async def _expire(self, job: Job) -> None:
        at = self._room.moment()

        def decide(fresh: Job) -> Job:
            due = fresh.state is JobState.QUEUED and at.now >= fresh.deadline
            return expired(fresh, at) if due else fresh

        self._room.show(await self._room.store.jobs.change(job.id, decide))

    async def _nudge_deliveries(self) -> int:
        now = self._room.now()
        again = now + self._room.settings.nudge_again
        due = await self._room.store.deliveries.due(now, DELIVERIES_LIMIT, again)
        for delivery_id, version in due:
            self._room.nudger.nudge(deliver_message(delivery_id, version))
        return len(due)

    async def _renew_leases(self) -> None:
        """Submits on the wire stay ours for as long as this process lives."""
        now = self._room.now()
        lease = self._room.settings.submit_lease
        fresh = self._renewed_at is not None and now - self._renewed_at < lease / RENEWALS
        if self._room.submitting and not fresh:
            await self._room.store.jobs.keep_claimed(sorted(self._room.submitting), now + lease)
            self._renewed_at = now
