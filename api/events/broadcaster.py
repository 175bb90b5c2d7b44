"""
What is happening, for everybody in this process who wants to hear of it.

One poller asks the store for all of them, whether one listens or a thousand, and nobody asks while
nobody listens. Workers and other processes need not tell us anything: what they have committed is
found within `POLL`, and a database that is away for a while costs nobody an event.
"""

import asyncio
import contextlib
from collections import Counter, defaultdict
from collections.abc import Collection, Generator, Iterator, Sequence
from datetime import timedelta
from time import monotonic

import structlog

from generation.events import PROGRESS_EVERY
from generation.store import EventHead, EventPayload, EventStore, ProgressPayload

#: A listener with more than this before it is too slow, and is let go of: it comes again and
#: resumes from the store.
MOST_WAITING = 256

News = EventPayload | ProgressPayload


class Subscription:
    """What one listener is to hear. It comes in order, and each piece once."""

    def __init__(self, tenant: str, job_id: str | None, types: Collection[str]) -> None:
        self.tenant = tenant
        self.job_id = job_id
        self._types = types
        self._joined: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()
        self._waiting: asyncio.Queue[News | None] = asyncio.Queue()
        self._over = False

    async def joined(self) -> int | None:
        """
        The place beyond which everything comes by itself; what is before it is read from the store.
        None where nothing will come, and the listener is to go.
        """
        return await self._joined

    async def next(self) -> News | None:
        """The next piece; None when there will be none, and the listener is to go."""
        return await self._waiting.get()

    def join(self, place: int) -> None:
        if not self._joined.done():
            self._joined.set_result(place)

    def give(self, news: News) -> None:
        """Hand it on; a listener that has let too much lie is let go of."""
        if self._over or (
            isinstance(news, EventPayload) and self._types and news.head.type not in self._types
        ):
            return
        if self._waiting.qsize() >= MOST_WAITING:
            log.info("listener_too_slow", tenant=self.tenant, job_id=self.job_id)
            self.end()
            return
        self._waiting.put_nowait(news)

    def end(self) -> None:
        """Nothing comes after what waits already."""
        if not self._over:
            self._over = True
            self._waiting.put_nowait(None)
            if not self._joined.done():
                self._joined.set_result(None)

    def _wants(self, news: News) -> bool:
        return isinstance(news, ProgressPayload) or not self._types or news.head.type in self._types


log = structlog.get_logger(__name__)

#: The store is asked this often while anybody listens.
POLL = timedelta(milliseconds=250)
#: A database that cannot be reached is left alone for this long.
PAUSE = timedelta(seconds=1)
#: Events read at once, and jobs asked about at once.
BATCH = 500
#: Jobs read whole at once: each may be large.
FEW = 20


class Hub:
    """The one poller of a process, and its listeners. Lives on one event loop."""

    def __init__(self, events: EventStore) -> None:
        self._events = events
        self._new: list[Subscription] = []
        self._of_tenants: dict[str, set[Subscription]] = defaultdict(set)
        self._of_jobs: dict[str, set[Subscription]] = defaultdict(set)
        #: Listeners of each tenant, of either kind.
        self._tenants: Counter[str] = Counter()
        self._percent: dict[str, int] = {}
        self._asked_at = 0.0
        self._seen = 0
        self._somebody_came = asyncio.Event()
        self._polling: asyncio.Task[None] | None = None
        self._leaving = False

    def start(self) -> None:
        """Begin to ask, as soon as anybody listens."""
        self._polling = asyncio.create_task(self._run())

    def leave(self) -> None:
        """Send every listener away, and every one that comes after."""
        self._leaving = True
        for listener in [*self._new, *self._everybody()]:
            listener.end()

    async def stop(self) -> None:
        """Leave, and ask no more."""
        self.leave()
        if self._polling is not None:
            self._polling.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._polling

    @contextlib.contextmanager
    def listening(
        self, tenant: str, *, job_id: str | None = None, types: Collection[str] = ()
    ) -> Generator[Subscription]:
        """
        Hear what happens to a tenant (of these types, or all), or to one of its jobs and how far it
        is, for as long as the block lasts.
        """
        subscription = Subscription(tenant, job_id, types)
        self._new.append(subscription)
        self._somebody_came.set()
        if self._leaving:
            subscription.end()
        try:
            yield subscription
        finally:
            self._forget(subscription)

    async def _run(self) -> None:
        while True:
            if not self._tenants and not self._new:
                await self._somebody_came.wait()
            try:
                await self._round()
            except Exception as error:  # whatever it was, listeners wait for the next round
                log.warning("events_not_read", error=f"{type(error).__name__}: {error}")
                await asyncio.sleep(PAUSE.total_seconds())
                continue
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._somebody_came.wait(), POLL.total_seconds())

    async def _round(self) -> None:
        """Let newcomers in, then hand on what has happened since the round before."""
        self._somebody_came.clear()
        last = await self._events.place()
        if not self._tenants:
            self._seen = last
        self._let_in()
        while self._seen < last and self._tenants:
            heads = await self._events.heads(list(self._tenants), self._seen, last, BATCH)
            wanted = [head.id for head in heads if any(self._ears(head))]
            told = await self._events.told(wanted) if wanted else {}
            for head in heads:
                if news := told.get(head.id):
                    for listener in self._ears(head):
                        listener.give(news)
            self._seen = heads[-1].position or last if len(heads) == BATCH else last
        if monotonic() - self._asked_at >= PROGRESS_EVERY.total_seconds():
            self._asked_at = monotonic()
            await self._tell_progress()

    def _let_in(self) -> None:
        """From now on newcomers hear everything beyond what has been seen."""
        newcomers, self._new = self._new, []
        for newcomer in newcomers:
            self._tenants[newcomer.tenant] += 1
            if newcomer.job_id is None:
                self._of_tenants[newcomer.tenant].add(newcomer)
            else:
                self._of_jobs[newcomer.job_id].add(newcomer)
                self._percent.pop(newcomer.job_id, None)
            newcomer.join(self._seen)

    async def _tell_progress(self) -> None:
        """
        Progress is a column that moves, and not written down for its own sake: whoever follows a
        job is told when it has moved.
        """
        for ids in parts(list(self._of_jobs), BATCH):
            percent = await self._events.progress(ids)
            moved = [job_id for job_id in percent if self._percent.get(job_id) != percent[job_id]]
            for few in parts(moved, FEW):
                for job_id, news in (await self._events.progress_news(few)).items():
                    if job_id in self._of_jobs:
                        self._percent[job_id] = news.percent
                        for listener in self._of_jobs[job_id]:
                            listener.give(news)

    def _ears(self, head: EventHead) -> Iterator[Subscription]:
        yield from self._of_tenants.get(head.tenant, ())
        yield from self._of_jobs.get(head.job_id or "", ())

    def _everybody(self) -> Iterator[Subscription]:
        for groups in (self._of_tenants, self._of_jobs):
            for group in groups.values():
                yield from group

    def _forget(self, gone: Subscription) -> None:
        if gone in self._new:
            self._new.remove(gone)
            return
        self._tenants -= Counter({gone.tenant: 1})
        if gone.job_id is None:
            discard(self._of_tenants, gone.tenant, gone)
        else:
            discard(self._of_jobs, gone.job_id, gone)
            if gone.job_id not in self._of_jobs:
                self._percent.pop(gone.job_id, None)


def discard(groups: dict[str, set[Subscription]], name: str, gone: Subscription) -> None:
    """Take one out of its group, and an empty group out of the groups."""
    groups[name].discard(gone)
    if not groups[name]:
        del groups[name]


def parts(ids: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), size):
        yield ids[start : start + size]
