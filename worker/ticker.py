"""The ticker of a worker: claims what is due and starts it.

Looks have a loop of their own, so that nothing else delays them. Two tickers at once are harmless,
because a claim is exclusive; a ticker that dies is replaced by the others, which find the same
rows.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from datetime import datetime, timedelta
from math import inf
from time import monotonic
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError

from generation.job import Job, JobState
from generation.lifecycle import claimed_until
from generation.queue import submit_message
from generation.stations.binding import BindingLost, bind
from generation.store import StationKey, UnreadableRow
from generation.store.maintenance.clock_repair import repair_wake_times
from worker.context import WorkerContext
from worker.maintenance import Maintenance
from worker.polling.expiry import expire, is_late
from worker.polling.poller import Poller
from worker.runtime.clock import is_recent
from worker.runtime.heartbeat import beat
from worker.stations.balances import ask, to_ask
from worker.submitting.dispatcher import WaitQueueDispatcher
from worker.submitting.input import send_input
from worker.submitting.reconcile import cancel, find, mark_stale

log = structlog.get_logger(__name__)

ERRANDS_LIMIT = 500
OVERDUE_LIMIT = 100
#: The pause between two rounds when the first found more than it could start.
BREATH = timedelta(seconds=0.02)
#: How often keys that are not looked at are searched for jobs past their deadline.
DEADLINES_EVERY = timedelta(seconds=30)
#: While more submits than this wait in the queue, queued jobs are not nudged again.
LONG_LINE = 1000
#: The pause after the database could not be reached.
PAUSE = timedelta(seconds=2)
#: How many times a lease is renewed before it could run out.
RENEWALS = 4
AFTER_STEP_SECONDS = 10


class Ticker:
    """The one ticker of a worker process."""

    def __init__(self, context: WorkerContext) -> None:
        self._context = context
        self._looks = Poller(context)
        self._lines = WaitQueueDispatcher(context)
        self._house = Maintenance(context)
        self._errands: set[asyncio.Task[None]] = set()
        #: When `wake_at` values are to be repaired, by the monotonic clock. Once at the beginning:
        #: the process that could have noticed a clock step may have ended.
        self._rouse_at = [monotonic()]
        self._stepped = False
        #: By the monotonic clock.
        self._renewed_at = -inf
        self._kept_at: datetime | None = None

    async def run(self) -> None:
        """Tick until the process is to end, then only renew leases of open submits."""
        await asyncio.gather(
            self._rounds(self._tick), self._rounds(self._look), self._rounds(self._house.round)
        )
        await self._hold()

    async def _rounds(self, once: Callable[[], Awaitable[bool]]) -> None:
        """Run rounds at the pace of the settings; sooner while there is more to do."""
        while not self._context.is_stopping:
            try:
                busy = await once()
                beat(self._context.settings)
            except (SQLAlchemyError, OSError) as error:
                log.warning("tick_failed", error=f"{type(error).__name__}: {error}")
                await asyncio.sleep(PAUSE.total_seconds())
                continue
            except Exception:  # a defect, in one job perhaps; a worker that never ticks is worse
                log.exception("tick_failed")
                await asyncio.sleep(PAUSE.total_seconds())
                continue
            await asyncio.sleep((BREATH if busy else self._context.settings.tick).total_seconds())

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
            await asyncio.sleep(self._context.settings.tick.total_seconds())

    async def _tick(self) -> bool:
        """Claim errands. Returns True if there are more than one round could start."""
        await self._renew_leases()
        await self._mind_the_clock()
        line = await self._context.nudger.depth()
        jobs = await self._context.store.claims.due_steps(
            self._context.now(),
            ERRANDS_LIMIT,
            self._next_wake,
            skip_queued=line is None or line > LONG_LINE,
        )
        self._begin([job for job in jobs if self._dispatch(job)])
        # After the errands: a failure from here on holds up no job that waits for one.
        await self._lines.serve()
        self._looks.join_pauses()
        for name in to_ask(self._context):
            self._start(ask(self._context, name))
        await self._keep_deadlines()
        await self._context.learned.exchange(self._context.now())
        await self._context.counts.write_down(self._context.now())
        return len(jobs) == ERRANDS_LIMIT

    async def _look(self) -> bool:
        """Look with all keys, and until the next tick again with those for which more was due.

        Returns True if more is due for some.
        """
        until = monotonic() + self._context.settings.tick.total_seconds()
        await self._claim_looks(self._looks.rooms())
        while self._looks.have_more and monotonic() < until and not self._context.is_stopping:
            if rooms := self._looks.more_rooms():
                await self._claim_looks(rooms)
            else:
                await asyncio.sleep(BREATH.total_seconds())
        return self._looks.have_more

    async def _claim_looks(self, rooms: Mapping[StationKey, int]) -> None:
        if rooms:
            jobs = await self._context.store.claims.looks(
                self._context.now(), rooms, self._next_wake
            )
            self._looks.claimed(rooms, jobs)
            self._begin(jobs)

    async def _mind_the_clock(self) -> None:
        """Repair `wake_at` values after the machine's clock was set back."""
        now, context = self._context.now(), self._context
        if context.clock.went_back:
            context.clock.went_back = False
            # And once more, for what was being written at that moment.
            self._stepped, self._rouse_at = True, [monotonic(), monotonic() + AFTER_STEP_SECONDS]
            log.warning("clock_went_back")
        if not self._rouse_at or monotonic() < self._rouse_at[0]:
            return
        lease = context.settings.submit_lease
        woken = await repair_wake_times(context.store.database, now, lease, stepped=self._stepped)
        self._rouse_at = self._rouse_at[1:]
        if woken:
            log.warning("wake_at_repaired", count=woken)

    def _begin(self, looks: Sequence[Job]) -> None:
        for job in self._looks.start(looks):
            if is_late(job, self._context):
                self._start(expire(self._context, job))

    async def _keep_deadlines(self) -> None:
        """Expire jobs of keys that are not looked at."""
        now = self._context.now()
        if is_recent(self._kept_at, now, DEADLINES_EVERY):
            return
        self._kept_at = now
        closed = self._looks.closed(await self._context.store.claims.station_keys())
        late = await self._context.store.claims.overdue(now, closed, OVERDUE_LIMIT, self._next_wake)
        for job in late:
            self._start(expire(self._context, job))

    def _next_wake(self, job: Job) -> datetime | None:
        """Return the `wake_at` of a claim."""
        if job.state is JobState.QUEUED:
            at = self._context.moment()
            return at.until(job.deadline, at.now + self._context.settings.nudge_again)
        try:
            binding = bind(self._context.stations, job)
        except BindingLost:
            binding = None
        return claimed_until(job, self._context.moment(binding, job.model))

    def _dispatch(self, job: Job) -> bool:
        """Start what a claimed job needs. Returns True if that is a look."""
        match job.state:
            case _ if is_late(job, self._context) and not self._can_ask(job):
                self._start(expire(self._context, job))
            case JobState.QUEUED:
                self._start(self._nudge(job))
            case JobState.SUBMITTING:
                self._start(mark_stale(self._context, job))
            case JobState.IN_DOUBT:
                self._start(find(self._context, job))
            case JobState.RUNNING | JobState.AWAITING_INPUT if job.cancel_requested_at:
                self._start(cancel(self._context, job))
            case JobState.AWAITING_INPUT if job.answer and not job.answered_at:
                self._start(send_input(self._context, job))
            case _:
                return job.upstream_id is not None
        return False

    def _can_ask(self, job: Job) -> bool:
        """Return whether there is an upstream to ask last."""
        if job.state is JobState.QUEUED:
            return False
        try:
            bind(self._context.stations, job)
        except BindingLost:
            return False
        return True

    def _start(self, errand: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(errand)
        self._errands.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._errands.discard(task)
        error = None if task.cancelled() else task.exception()
        # An unreadable row was reported where it was met.
        if error is not None and not isinstance(error, UnreadableRow):
            log.error("errand_failed", exc_info=error)

    async def _nudge(self, job: Job) -> None:
        """Nudge a queued job whose message was lost, or whose wait is over."""
        whole = await self._context.store.jobs.get(job.id)
        if whole is not None:
            self._context.nudger.nudge(submit_message(whole))

    async def _renew_leases(self) -> None:
        """Renew the leases of open submits."""
        lease = self._context.settings.submit_lease
        fresh = monotonic() - self._renewed_at < lease.total_seconds() / RENEWALS
        if self._context.submitting and not fresh:
            until = self._context.now() + lease
            await self._context.store.claims.keep(sorted(self._context.submitting), until)
            self._renewed_at = monotonic()
