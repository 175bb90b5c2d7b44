"""Delivers new events to all subscribers in this process.

One poller asks the store on behalf of all subscribers, and only while there are any. Workers and
other processes need not notify this one: it finds what they have committed within `POLL`. After the
database was away, the poller continues where it stopped, so no event is missed.
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

log = structlog.get_logger(__name__)

#: A subscription with more undelivered items than this is closed as too slow. Its reader resumes
#: from the store.
MOST_WAITING = 256
#: The store is polled this often while there are subscribers.
POLL = timedelta(milliseconds=250)
#: The poller waits this long after a failed poll.
PAUSE = timedelta(seconds=1)
#: Events read at a time, and jobs asked about at a time.
BATCH = 500
#: Jobs read whole at a time: each may be large.
FEW = 20

StreamItem = EventPayload | ProgressPayload


class Subscription:
    """The queue of one subscriber: items in their order, each once."""

    def __init__(self, tenant: str, job_id: str | None, types: Collection[str]) -> None:
        self.tenant = tenant
        self.job_id = job_id
        self._types = types
        self._joined: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()
        self._waiting: asyncio.Queue[StreamItem | None] = asyncio.Queue()
        self._closed = False

    async def joined(self) -> int | None:
        """Return the position of the feed after which all events are delivered.

        Earlier events are in the store. None if nothing will be delivered.
        """
        return await self._joined

    async def next(self) -> StreamItem | None:
        """Return the next item; None at the end."""
        return await self._waiting.get()

    def join(self, position: int) -> None:
        if not self._joined.done():
            self._joined.set_result(position)

    def deliver(self, item: StreamItem) -> None:
        """Queue an item of a wanted type; close the subscription if its queue is full."""
        unwanted = (
            isinstance(item, EventPayload) and self._types and item.head.type not in self._types
        )
        if self._closed or unwanted:
            return
        if self._waiting.qsize() >= MOST_WAITING:
            log.info("subscription_too_slow", tenant=self.tenant, job_id=self.job_id)
            self.close()
            return
        self._waiting.put_nowait(item)

    def close(self) -> None:
        """Deliver nothing after what is queued."""
        if not self._closed:
            self._closed = True
            self._waiting.put_nowait(None)
            if not self._joined.done():
                self._joined.set_result(None)


class EventBroadcaster:
    """The poller of this process and its subscriptions. Lives on one event loop."""

    def __init__(self, events: EventStore) -> None:
        self._events = events
        self._new: list[Subscription] = []
        self._of_tenants: dict[str, set[Subscription]] = defaultdict(set)
        self._of_jobs: dict[str, set[Subscription]] = defaultdict(set)
        #: Number of subscriptions of each tenant, of both kinds.
        self._tenants: Counter[str] = Counter()
        self._percent: dict[str, int] = {}
        self._progress_read_at = 0.0
        self._position = 0
        self._subscribed = asyncio.Event()
        self._polling: asyncio.Task[None] | None = None
        self._stopping = False

    def start(self) -> None:
        """Start the poller, which waits for the first subscription."""
        self._polling = asyncio.create_task(self._run())

    def close_all(self) -> None:
        """Close all subscriptions, and those that begin later."""
        self._stopping = True
        for subscription in [*self._new, *self._all()]:
            subscription.close()

    async def stop(self) -> None:
        """Close all subscriptions and stop the poller."""
        self.close_all()
        if self._polling is not None:
            self._polling.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._polling

    @contextlib.contextmanager
    def listening(
        self, tenant: str, *, job_id: str | None = None, types: Collection[str] = ()
    ) -> Generator[Subscription]:
        """Subscribe to the events of a tenant, or to the events and the progress of one job.

        `types` limits the events; empty means all. The subscription ends with the block.
        """
        subscription = Subscription(tenant, job_id, types)
        self._new.append(subscription)
        self._subscribed.set()
        if self._stopping:
            subscription.close()
        try:
            yield subscription
        finally:
            self._remove(subscription)

    async def _run(self) -> None:
        while True:
            if not self._tenants and not self._new:
                await self._subscribed.wait()
            try:
                await self._poll()
            except Exception as error:  # whatever it was, the next poll may succeed
                log.warning("events_not_read", error=f"{type(error).__name__}: {error}")
                await asyncio.sleep(PAUSE.total_seconds())
                continue
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._subscribed.wait(), POLL.total_seconds())

    async def _poll(self) -> None:
        """Add new subscriptions, then deliver the events since the last poll."""
        self._subscribed.clear()
        last = await self._events.place()
        if not self._tenants:
            self._position = last
        self._add_new()
        while self._position < last and self._tenants:
            heads = await self._events.heads(list(self._tenants), self._position, last, BATCH)
            wanted = [head.id for head in heads if any(self._subscriptions(head))]
            events = await self._events.payloads_of(wanted) if wanted else {}
            for head in heads:
                if event := events.get(head.id):
                    for subscription in self._subscriptions(head):
                        subscription.deliver(event)
            self._position = heads[-1].position or last if len(heads) == BATCH else last
        if monotonic() - self._progress_read_at >= PROGRESS_EVERY.total_seconds():
            self._progress_read_at = monotonic()
            await self._deliver_progress()

    def _add_new(self) -> None:
        """Deliver everything after the current position to new subscriptions too."""
        new, self._new = self._new, []
        for subscription in new:
            self._tenants[subscription.tenant] += 1
            if subscription.job_id is None:
                self._of_tenants[subscription.tenant].add(subscription)
            else:
                self._of_jobs[subscription.job_id].add(subscription)
                self._percent.pop(subscription.job_id, None)
            subscription.join(self._position)

    async def _deliver_progress(self) -> None:
        """Deliver changed progress to the subscriptions of single jobs. It is not in the log."""
        for ids in parts(list(self._of_jobs), BATCH):
            percent = await self._events.progress(ids)
            moved = [job_id for job_id in percent if self._percent.get(job_id) != percent[job_id]]
            for few in parts(moved, FEW):
                for job_id, progress in (await self._events.progress_news(few)).items():
                    if job_id in self._of_jobs:
                        self._percent[job_id] = progress.percent
                        for subscription in self._of_jobs[job_id]:
                            subscription.deliver(progress)

    def _subscriptions(self, head: EventHead) -> Iterator[Subscription]:
        yield from self._of_tenants.get(head.tenant, ())
        yield from self._of_jobs.get(head.job_id or "", ())

    def _all(self) -> Iterator[Subscription]:
        for groups in (self._of_tenants, self._of_jobs):
            for group in groups.values():
                yield from group

    def _remove(self, subscription: Subscription) -> None:
        if subscription in self._new:
            self._new.remove(subscription)
            return
        self._tenants -= Counter({subscription.tenant: 1})
        if subscription.job_id is None:
            discard(self._of_tenants, subscription.tenant, subscription)
        else:
            discard(self._of_jobs, subscription.job_id, subscription)
            if subscription.job_id not in self._of_jobs:
                self._percent.pop(subscription.job_id, None)


def discard(groups: dict[str, set[Subscription]], name: str, subscription: Subscription) -> None:
    """Remove a subscription from its group, and the group if it is empty then."""
    groups[name].discard(subscription)
    if not groups[name]:
        del groups[name]


def parts(ids: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), size):
        yield ids[start : start + size]
