"""Batches: jobs that are submitted, counted and canceled together."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Literal

from fastapi import Path
from pydantic import Field, ValidationError
from starlette.requests import Request
from starlette.responses import Response
from ulid import ULID

from api.auth.dependencies import Canceler, Reader, Submitter
from api.dependencies import InContainer, RawJsonBody
from api.http.openapi import problems, response
from api.http.problem_types import NOT_FOUND
from api.http.problems import Complaint, Problem, complaint_documents, invalid
from api.http.responses import json_answer
from api.http.schemas import RequestModel
from api.http.validation_errors import complaints
from api.jobs.admission import Admission
from api.jobs.request_headers import (
    CANCEL_AFTER,
    IDEMPOTENCY_KEY,
    SubmitHeaders,
    parameters,
    read_submit_headers,
)
from api.jobs.schemas import Batch as BatchSchema
from api.jobs.schemas import SubmittedBatch
from api.jobs.submission import EXAMPLE
from api.jobs.submit import SUBMIT_HEADERS, SUBMIT_PROBLEMS
from api.lookup import BATCH_ID
from api.routing import new_router
from generation.job import Job
from generation.job_document import job_document, rfc3339
from generation.lifecycle import request_cancel
from generation.store import ApiKey, Batch, KeyScope

MAX_JOBS = 100

router = new_router("Batches")


class BatchSubmission(RequestModel):
    """The body of `POST /v1/jobs/batch`."""

    EXAMPLES: ClassVar[Mapping[str, Any]] = {
        "Two jobs, each accepted or refused by itself.": {
            "jobs": [EXAMPLE, EXAMPLE],
            "mode": "each",
        }
    }

    jobs: list[Any] = Field(
        min_length=1,
        max_length=MAX_JOBS,
        description="Each as the body of `POST /v1/jobs`.",
        json_schema_extra={"items": {"$ref": "#/components/schemas/JobSubmission"}},
    )
    mode: Literal["all_or_nothing", "each"] = Field(
        "all_or_nothing",
        description="If one job cannot be accepted, none is; with `each`, the others are, and"
        " `rejected` lists it.",
    )


@dataclass(frozen=True, slots=True)
class RejectedJob:
    """One job of a batch that cannot be accepted."""

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
        """Return its complaints with pointers into the body of the whole batch."""
        pointer = f"#/jobs/{self.index}"
        if not self.problem.errors:
            return [Complaint(pointer, self.problem.detail, self.problem.kind.code)]
        return [replace(e, pointer=pointer + e.pointer[1:]) for e in self.problem.errors]


async def own_batch(batch_id: str, caller: ApiKey, container: InContainer) -> Batch:
    """Return the batch. Raises `Problem` (404), also for another tenant's batch."""
    known = BATCH_ID.fullmatch(batch_id)
    batch = await container.store.batches.get(batch_id, caller.tenant) if known else None
    if batch is None:
        raise Problem(NOT_FOUND, "there is no such batch, or it is not yours")
    return batch


BatchId = Annotated[str, Path(description="The batch's `id`.")]


@router.post(
    "/v1/jobs/batch",
    response_model=SubmittedBatch,
    status_code=202,
    responses=response(202, headers=SUBMIT_HEADERS)
    | problems(
        *SUBMIT_PROBLEMS,
        invalid([Complaint("#/jobs/1/input/prompt", "is required", "required")]),
    ),
    openapi_extra=parameters(IDEMPOTENCY_KEY, CANCEL_AFTER),
)
async def create_batch(
    request: Request,
    caller: Submitter,
    body: Annotated[object, RawJsonBody.of(BatchSubmission)],
    container: InContainer,
) -> Response:
    """Submit up to 100 jobs at once.

    All of them are stored in one transaction. If one cannot be accepted none is, and every error
    has a pointer to its job; with `mode` `each` the others are accepted, and `rejected` lists the
    rest.
    """
    headers = read_submit_headers(request.scope["headers"])
    now = datetime.now(UTC)
    admission = container.admission
    rejected: list[RejectedJob] = []

    async def make() -> Sequence[Job]:
        batch = read_batch(body)
        jobs, refused = await make_jobs(admission, batch.jobs, caller, headers, now)
        if refused and (batch.mode == "all_or_nothing" or not jobs):
            raise batch_refusal(refused)
        rejected.extend(refused)
        return jobs

    key = admission.key_of(headers, caller, KeyScope.BATCH, body, now)
    placed = await admission.admit(make, key, now)
    document: dict[str, Any] = {
        **batch_document(batch_of(placed.jobs), container.base_url),
        "jobs": [job_document(job, container.base_url) for job in placed.jobs],
        "rejected": [each.document() for each in rejected],
    }
    fields = {"Location": document["urls"]["self"]}
    if placed.replayed:
        fields["Idempotent-Replayed"] = "true"
    return json_answer(document, 202, fields)


@router.get("/v1/batches/{batch_id}", response_model=BatchSchema)
async def get_batch(caller: Reader, batch_id: BatchId, container: InContainer) -> Response:
    """Get a batch.

    The number of its jobs in each state. `GET /v1/jobs?batch=…` lists them.
    """
    batch = await own_batch(batch_id, caller, container)
    return json_answer(batch_document(batch, container.base_url))


@router.post(
    "/v1/batches/{batch_id}/cancel",
    response_model=BatchSchema,
    responses=response(200, "All jobs have ended.", example=BatchSchema.CANCELED)
    | response(202, "Some are still to be canceled upstream.", model=BatchSchema),
)
async def cancel_batch(caller: Canceler, batch_id: BatchId, container: InContainer) -> Response:
    """Cancel a batch.

    Cancels every job of it that has not ended, like `POST /v1/jobs/{job_id}/cancel`. Repeating the
    request changes nothing.
    """
    batch = await own_batch(batch_id, caller, container)
    now = datetime.now(UTC)

    def decide(job: Job) -> Job:
        return job if job.is_terminal else request_cancel(job, now)

    store = container.store
    ids = await store.batches.unfinished(batch.id, caller.tenant)
    for change in await asyncio.gather(*(store.jobs.change(each, decide) for each in ids)):
        if change is not None and change.moved:
            container.flower.show(change.after, now)
    batch = await own_batch(batch_id, caller, container)
    return json_answer(batch_document(batch, container.base_url), 200 if batch.done else 202)


def read_batch(body: object) -> BatchSubmission:
    """Return the validated body. Raises `Problem` (422)."""
    try:
        return BatchSubmission.model_validate(body)
    except ValidationError as error:
        raise invalid(complaints(error, body, BatchSubmission)) from error


async def make_jobs(
    admission: Admission,
    bodies: Sequence[object],
    caller: ApiKey,
    headers: SubmitHeaders,
    now: datetime,
) -> tuple[list[Job], list[RejectedJob]]:
    """Return the jobs, with ids that increase in the order of the bodies, and the rejected ones."""
    batch_id = f"batch_{ULID.from_datetime(now)}"
    first = int(ULID.from_datetime(now))
    jobs: list[Job] = []
    rejected: list[RejectedJob] = []
    for index, body in enumerate(bodies):
        try:
            job = await admission.make_job(body, caller, headers, now)
        except Problem as problem:
            rejected.append(RejectedJob(index, problem))
        else:
            job_id = f"job_{ULID.from_int(first + index)}"
            jobs.append(replace(job, id=job_id, batch_id=batch_id))
    return jobs, rejected


def batch_refusal(rejected: Sequence[RejectedJob]) -> Problem:
    """Return the problem of a batch that is refused as a whole.

    It has the complaints of all jobs. A problem without complaints concerns every job alike.
    """
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


def batch_document(batch: Batch, base_url: str) -> dict[str, Any]:
    url = f"{base_url}/v1/batches/{batch.id}"
    return {
        "id": batch.id,
        "object": "batch",
        "total": batch.total,
        "counts": dict(batch.counts),
        "done": batch.done,
        "created_at": rfc3339(batch.created_at),
        "urls": {
            "self": url,
            "cancel": f"{url}/cancel",
            "jobs": f"{base_url}/v1/jobs?batch={batch.id}",
        },
    }
