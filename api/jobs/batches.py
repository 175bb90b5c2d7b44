"""
Batches: `POST /v1/jobs/batch`, and looking at one or canceling it as a whole.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import Response
from ulid import ULID

from api.http.problem_types import NOT_FOUND
from api.http.problems import Complaint, Problem, complaint_documents, invalid
from api.http.request_body import read_body, read_json
from api.http.responses import json_answer
from api.http.validation_errors import complaints
from api.jobs.admission import Taker
from api.jobs.idempotency import Repeats
from api.jobs.request_headers import Wishes, read_wishes
from api.lookup import BATCH_ID
from generation.flower_publisher import FlowerPublisher
from generation.job import Job
from generation.job_document import job_document, rfc3339
from generation.lifecycle import request_cancel
from generation.settings import Settings
from generation.store import ApiKey, Batch, KeyScope, Store

MOST = 100


class BatchOrder(BaseModel):
    """The body of `POST /v1/jobs/batch`."""

    model_config = ConfigDict(extra="forbid")

    jobs: list[Any] = Field(
        min_length=1, max_length=MOST, description="Each as the body of `POST /v1/jobs`."
    )
    mode: Literal["all_or_nothing", "each"] = Field(
        "all_or_nothing",
        description="What one order that cannot be taken means for the others: nothing is taken, or"
        " `each` stands for itself and is listed in `rejected`.",
    )


@dataclass(frozen=True, slots=True)
class Rejected:
    """One order of a batch that cannot be taken."""

    index: int
    problem: Problem

    def document(self) -> dict[str, Any]:
        kind = self.problem.kind
        return {
            "index": self.index,
            "code": kind.code,
            "status": kind.status,
            "title": kind.title,
            "detail": self.problem.detail,
            "errors": complaint_documents(self.problem.errors) or None,
        }

    def complaints(self) -> list[Complaint]:
        """Its complaints, pointing into the body of the whole batch."""
        place = f"#/jobs/{self.index}"
        if not self.problem.errors:
            return [Complaint(place, self.problem.detail, self.problem.kind.code)]
        return [replace(e, pointer=place + e.pointer[1:]) for e in self.problem.errors]


class Batches:
    """The endpoints of batches."""

    def __init__(
        self, settings: Settings, store: Store, taker: Taker, rows: FlowerPublisher
    ) -> None:
        self._base_url = settings.public_url or ""
        self._max_body_bytes = settings.max_body_bytes
        self._repeats = Repeats(settings.retry_guard)
        self._store = store
        self._taker = taker
        self._rows = rows

    async def create(self, request: Request, caller: ApiKey) -> Response:
        """202 once all jobs that can be taken are on disk, in one transaction."""
        wishes = read_wishes(request.scope["headers"])
        body = read_json(await read_body(request, self._max_body_bytes))
        now = datetime.now(UTC)
        key = self._repeats.key(wishes, caller.tenant, KeyScope.BATCH, body, now)
        rejected: list[Rejected] = []
        try:
            order = read_batch(body)
            jobs, rejected = await self._read(order.jobs, caller, wishes, now)
            if rejected and (order.mode == "all_or_nothing" or not jobs):
                raise refusal(rejected)
            placed = await self._taker.place(jobs, key, now)
        except Problem as problem:
            placed = await self._taker.instead(problem, key, now)
        document: dict[str, Any] = {
            **self._document(batch_of(placed.jobs)),
            "jobs": [job_document(job, self._base_url) for job in placed.jobs],
            "rejected": [each.document() for each in rejected],
        }
        headers = {"Location": document["urls"]["self"]}
        if placed.replayed:
            headers["Idempotent-Replayed"] = "true"
        return json_answer(document, 202, headers)

    async def get(self, request: Request, caller: ApiKey) -> Response:
        return json_answer(self._document(await self._own(request, caller)))

    async def cancel(self, request: Request, caller: ApiKey) -> Response:
        """
        200 once every job has ended, 202 while the cancel of some has still to reach an upstream.
        Jobs that had ended stay as they are; asking again changes nothing.
        """
        batch = await self._own(request, caller)
        now = datetime.now(UTC)

        def decide(job: Job) -> Job:
            return job if job.is_terminal else request_cancel(job, now)

        ids = await self._store.batches.unfinished(batch.id, caller.tenant)
        for change in await asyncio.gather(*(self._store.jobs.change(i, decide) for i in ids)):
            if change is not None and change.moved:
                self._rows.show(change.after, now)
        batch = await self._own(request, caller)
        return json_answer(self._document(batch), 200 if batch.done else 202)

    async def _read(
        self, orders: Sequence[object], caller: ApiKey, wishes: Wishes, now: datetime
    ) -> tuple[list[Job], list[Rejected]]:
        """The jobs, their ids in the order of their orders, and what cannot be taken."""
        batch_id = f"batch_{ULID.from_datetime(now)}"
        first = int(ULID.from_datetime(now))
        jobs: list[Job] = []
        rejected: list[Rejected] = []
        for index, body in enumerate(orders):
            try:
                job = await self._taker.job(body, caller, wishes, now)
            except Problem as problem:
                rejected.append(Rejected(index, problem))
            else:
                job_id = f"job_{ULID.from_int(first + index)}"
                jobs.append(replace(job, id=job_id, batch_id=batch_id))
        return jobs, rejected

    async def _own(self, request: Request, caller: ApiKey) -> Batch:
        batch_id = request.path_params["batch_id"]
        known = BATCH_ID.fullmatch(batch_id)
        batch = await self._store.batches.get(batch_id, caller.tenant) if known else None
        if batch is None:
            raise Problem(NOT_FOUND, "there is no such batch, or it is not yours")
        return batch

    def _document(self, batch: Batch) -> dict[str, Any]:
        address = f"{self._base_url}/v1/batches/{batch.id}"
        return {
            "id": batch.id,
            "object": "batch",
            "total": batch.total,
            "counts": dict(batch.counts),
            "done": batch.done,
            "created_at": rfc3339(batch.created_at),
            "urls": {
                "self": address,
                "cancel": f"{address}/cancel",
                "jobs": f"{self._base_url}/v1/jobs?batch={batch.id}",
            },
        }


def read_batch(body: object) -> BatchOrder:
    """Raises `Problem` for a body of another shape."""
    try:
        return BatchOrder.model_validate(body)
    except ValidationError as error:
        raise invalid(complaints(error, body, BatchOrder)) from error


def refusal(rejected: Sequence[Rejected]) -> Problem:
    """What is answered where nothing is taken: every complaint, or what is wrong with all."""
    first = rejected[0].problem
    if not first.errors:
        return first
    return invalid([c for each in rejected for c in each.complaints()], first.kind)


def batch_of(jobs: Sequence[Job]) -> Batch:
    counts: dict[str, int] = {}
    for job in jobs:
        counts[job.state.value] = counts.get(job.state.value, 0) + 1
    first = jobs[0]
    assert first.batch_id is not None
    return Batch(first.batch_id, first.created_at, counts)
