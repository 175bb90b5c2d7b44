"""
Taking orders: from bodies to jobs on disk, each once.
"""

from collections.abc import Sequence
from datetime import datetime

from api.http.problems import Complaint, Problem, invalid
from api.jobs.idempotency import busy, reused
from api.jobs.order import OrderReader, read_order
from api.jobs.request_headers import Wishes
from api.lookup import named_job
from generation.contract.named_tasks import MOST_NAMED, tasks_named
from generation.flower_publisher import FlowerPublisher
from generation.job import Job
from generation.queue import Nudger, submit_message
from generation.store import ApiKey, IdempotencyKey, InsertResult, JobStore, KeyBusy, KeyReused


class Taker:
    """Reads, stores and announces orders. Shared by all endpoints that take any."""

    def __init__(
        self, store: JobStore, orders: OrderReader, nudger: Nudger, rows: FlowerPublisher
    ) -> None:
        self._store = store
        self._orders = orders
        self._nudger = nudger
        self._rows = rows

    async def job(self, body: object, caller: ApiKey, wishes: Wishes, now: datetime) -> Job:
        """The job that is ordered, not stored yet. Raises `Problem`."""
        order = read_order(body)
        parent = await self._parent(order.parent, caller) if order.parent else None
        job, _ = self._orders.job(order, caller, now, parent, wishes.cancel_after)
        await self._check_named(job)
        return job

    async def place(
        self, new: Sequence[Job], key: IdempotencyKey | None, now: datetime
    ) -> InsertResult:
        """
        The jobs once they are on disk, or those of an earlier order with this key. Raises `Problem`
        (409, 422). What follows the commit neither waits nor fails.
        """
        try:
            placed = await self._store.place(new, key)
        except KeyReused:
            assert key is not None
            raise reused(key) from None
        except KeyBusy:
            raise busy() from None
        if not placed.replayed:
            for job in placed.jobs:
                self._nudger.nudge(submit_message(job))
                self._rows.show(job, now)
        return placed

    async def instead(
        self, problem: Problem, key: IdempotencyKey | None, now: datetime
    ) -> InsertResult:
        """
        What an earlier order with this key became, though this one cannot be taken: a repetition is
        answered also after its deadline, or its station, has gone. Raises `problem` where there is
        none.
        """
        if key is None or key.replaces:
            raise problem
        try:
            placed = await self._store.placed(key, now)
        except KeyReused:
            raise reused(key) from None
        if placed is None:
            raise problem
        return placed

    async def _check_named(self, job: Job) -> None:
        """
        Raises `Problem` for an order that names a task which only another tenant has, at whatever
        station. The worker that sends it asks again, for the station it is sent to.
        """
        for name in sorted(tasks_named(job.input))[:MOST_NAMED]:
            found = await self._store.tasks.holders(name)
            known = {each.tenant for each in found if each.provider == job.provider}
            if known and job.tenant not in known:
                words = f"{name} is a task of somebody else's; name one of your own"
                raise invalid([Complaint("#/input", words, "not_found")])

    async def _parent(self, name: str, caller: ApiKey) -> Job:
        parent = await named_job(self._store, name, caller.tenant)
        if parent is None:
            words = "there is no such job, or it is not yours"
            raise invalid([Complaint("#/parent", words, "parent")])
        return parent
