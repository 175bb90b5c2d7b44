"""Admission: makes stored jobs of submissions, each once."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime

from api.http.problems import Complaint, Problem, invalid
from api.jobs.idempotency import busy_problem, client_id_key, idempotency_key, reused_problem
from api.jobs.request_headers import SubmitHeaders
from api.jobs.submission import SubmissionReader, read_submission
from api.lookup import find_job
from generation.contract.named_tasks import MOST_NAMED, tasks_named
from generation.flower_publisher import FlowerPublisher
from generation.job import Job
from generation.queue import Nudger, submit_message
from generation.settings import Settings
from generation.store import (
    ApiKey,
    IdempotencyKey,
    InsertResult,
    JobStore,
    KeyBusy,
    KeyReused,
    KeyScope,
)

#: Makes the jobs of a submission, which are not stored yet. Raises `Problem`.
MakeJobs = Callable[[], Awaitable[Sequence[Job]]]


class Admission:
    """Reads, stores and announces jobs, for all endpoints that submit any."""

    def __init__(
        self,
        settings: Settings,
        store: JobStore,
        reader: SubmissionReader,
        nudger: Nudger,
        flower: FlowerPublisher,
    ) -> None:
        self._guess_repeats = settings.retry_guard
        self._store = store
        self._reader = reader
        self._nudger = nudger
        self._flower = flower

    async def submit(
        self,
        body: object,
        caller: ApiKey,
        headers: SubmitHeaders,
        now: datetime,
        client_id: str | None = None,
    ) -> InsertResult:
        """Store one job, or return the job of an earlier equal submission.

        `client_id` is the caller's own name for the job, which replaces its idempotency key. Raises
        `Problem`.
        """

        async def make() -> Sequence[Job]:
            job = await self.make_job(body, caller, headers, now)
            return [replace(job, client_id=client_id) if client_id else job]

        key = (
            client_id_key(client_id, caller.tenant, body)
            if client_id
            else self.key_of(headers, caller, KeyScope.JOB, body, now)
        )
        return await self.admit(make, key, now)

    def key_of(
        self, headers: SubmitHeaders, caller: ApiKey, scope: KeyScope, body: object, now: datetime
    ) -> IdempotencyKey | None:
        """Return the key by which a repetition of this submission is recognised, if it has one."""
        return idempotency_key(headers, caller.tenant, scope, body, now, guess=self._guess_repeats)

    async def admit(
        self, make: MakeJobs, key: IdempotencyKey | None, now: datetime
    ) -> InsertResult:
        """Store the jobs, or return those of an earlier submission with this key.

        A repetition is answered with its jobs even if it could not be accepted now: its deadline
        may have passed, its station may be gone. Raises `Problem`.
        """
        try:
            return await self.store_and_announce(await make(), key, now)
        except Problem:
            if earlier := await self._earlier(key, now):
                return earlier
            raise

    async def make_job(
        self, body: object, caller: ApiKey, headers: SubmitHeaders, now: datetime
    ) -> Job:
        """Return the job of this body, which is not stored yet. Raises `Problem`."""
        submission = read_submission(body)
        parent = await self._parent(submission.parent, caller) if submission.parent else None
        job = self._reader.job(submission, caller, now, parent, headers.cancel_after)
        await self._check_named_tasks(job)
        return job

    async def store_and_announce(
        self, new: Sequence[Job], key: IdempotencyKey | None, now: datetime
    ) -> InsertResult:
        """Return once the jobs are on disk. Announcing them neither waits nor fails."""
        try:
            placed = await self._store.place(new, key)
        except KeyReused:
            assert key is not None
            raise reused_problem(key) from None
        except KeyBusy:
            raise busy_problem() from None
        if not placed.replayed:
            for job in placed.jobs:
                self._nudger.nudge(submit_message(job))
                self._flower.show(job, now)
        return placed

    async def _earlier(self, key: IdempotencyKey | None, now: datetime) -> InsertResult | None:
        """Return the jobs of an earlier submission. Raises `Problem` if it was another one."""
        if key is None or key.replaces:
            return None
        try:
            return await self._store.earlier_result(key, now)
        except KeyReused:
            raise reused_problem(key) from None

    async def _check_named_tasks(self, job: Job) -> None:
        """Raise `Problem` if the input names an upstream task that only another tenant has.

        This looks at all stations. The worker checks again for the station it submits to.
        """
        for name in sorted(tasks_named(job.input))[:MOST_NAMED]:
            found = await self._store.tasks.holders(name)
            tenants = {each.tenant for each in found if each.provider == job.provider}
            if tenants and job.tenant not in tenants:
                detail = f"{name} is a task of another tenant; name one of your own"
                raise invalid([Complaint("#/input", detail, "not_found")])

    async def _parent(self, name: str, caller: ApiKey) -> Job:
        parent = await find_job(self._store, name, caller.tenant)
        if parent is None:
            detail = "there is no such job, or it is not yours"
            raise invalid([Complaint("#/parent", detail, "parent")])
        return parent
