"""`/v1/jobs`: get, list, cancel, erase and explain jobs. A caller sees the jobs of its tenant."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated
from zlib import crc32

from fastapi import Path
from starlette.requests import Request
from starlette.responses import Response

from api.auth.dependencies import Canceler, Reader
from api.dependencies import InContainer
from api.fast_path import fast_path
from api.http.openapi import header_parameter, problems, response
from api.http.problem_types import ALREADY_TERMINAL, STILL_NEEDED
from api.http.problems import Problem
from api.http.responses import json_answer
from api.jobs.examples import JOBS
from api.jobs.list_query import JobPageResult, JobQuery, JobQueryReader
from api.jobs.schemas import Explanation, JobPage
from api.jobs.schemas import Job as JobSchema
from api.lookup import no_such_job, own_id, own_job
from api.routing import new_router
from generation.explain import explanation_document
from generation.job import Job, JobState
from generation.job_document import job_document
from generation.lifecycle import request_cancel
from generation.store import StillNeeded

router = new_router("Jobs", "/v1/jobs")

JobId = Annotated[str, Path(description="The job's `id`.")]
ENDED: Mapping[JobState, str] = {
    JobState.SUCCEEDED: "succeeded",
    JobState.FAILED: "failed",
    JobState.EXPIRED: "expired",
}


def already_ended(state: JobState) -> Problem:
    return Problem(ALREADY_TERMINAL, f"the job has {ENDED[state]}; it cannot be canceled")


@router.get(
    "/{job_id}",
    response_model=JobSchema,
    responses=response(
        200,
        headers={
            "ETag": "Changes with everything in the response.",
            "Retry-After": "Whole seconds after which to look again; absent for a job that has"
            " ended.",
            "openai-poll-after-ms": "The same in milliseconds.",
        },
    )
    | {304: {"description": "Nothing has changed since `If-None-Match`."}},
    openapi_extra={
        "parameters": [
            header_parameter(
                "If-None-Match",
                "An `ETag`: respond with 304 while it is current.",
                '"01KG9Q2Z6M8T4V7X1Y3A5C7E9G.4"',
            )
        ]
    },
)
@fast_path
async def get_job(
    request: Request, caller: Reader, job_id: JobId, container: InContainer
) -> Response:
    """Get a job.

    Its state and, once it has succeeded, its `assets` or `texts`.
    """
    del job_id
    own = await own_job(container.store.jobs, request, caller)
    job, position = await container.queue_positions.of(own)
    hints = container.poll_hints.headers(job, datetime.now(UTC))
    headers = {"ETag": etag(job, position), **hints}
    if matches_etag(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return json_answer(job_document(job, container.base_url, position=position), 200, headers)


@router.get(
    "",
    response_model=JobPage,
    responses=response(200, headers={"Link": "The `next` and `prev` pages."}),
)
async def list_jobs(
    caller: Reader, query: Annotated[JobQuery, JobQueryReader.dependency()], container: InContainer
) -> Response:
    """List jobs.

    Your tenant's jobs, newest first. `metadata.NAME=value`, for up to five names, lists those with
    this entry in their metadata. An unknown parameter is an error.
    """
    found = await container.store.jobs.page(
        caller.tenant,
        query.filters,
        limit=query.limit + 1,
        before=query.before,
        after=query.after,
    )
    page = JobPageResult.of(query, found)
    document = {
        "data": [job_document(job, container.base_url) for job in page.jobs],
        "next_cursor": page.next_cursor,
        "prev_cursor": page.prev_cursor,
        "has_more": page.next_cursor is not None,
    }
    links = page.links(f"{container.base_url}/v1/jobs")
    return json_answer(document, 200, {"Link": links} if links else None)


@router.post(
    "/{job_id}/cancel",
    response_model=JobSchema,
    responses=response(200, "The job is canceled.", example=job_document(JOBS.canceled))
    | response(
        202,
        "The job is being canceled.",
        model=JobSchema,
        example=job_document(JOBS.canceling),
    )
    | problems(already_ended(JobState.SUCCEEDED)),
)
async def cancel_job(
    request: Request, caller: Canceler, job_id: JobId, container: InContainer
) -> Response:
    """Cancel a job.

    A job that was not submitted yet is canceled at once (200). One that may be upstream is
    `canceling` (202) until a worker has looked once: a task that has finished meanwhile makes the
    job `succeeded` or `failed`. Any other task is stopped where the upstream can do that; elsewhere
    genq stops waiting for it, and it may still be billed. Repeating the request changes nothing.
    """
    del job_id
    now = datetime.now(UTC)

    def decide(job: Job) -> Job:
        if job.tenant != caller.tenant or job.is_terminal:
            return job
        return request_cancel(job, now)

    store = container.store.jobs
    change = await store.change(await own_id(store, request, caller), decide)
    if change is None or change.after.tenant != caller.tenant:
        raise no_such_job()
    job = change.after
    if change.moved:
        container.flower.show(job, now)
    if job.is_terminal and job.state is not JobState.CANCELED:
        raise already_ended(job.state)
    document = job_document(job, container.base_url)
    return json_answer(document, 200 if job.is_terminal else 202)


@router.delete(
    "/{job_id}",
    response_model=JobSchema,
    responses=response(200, "What is kept of the job.", example=job_document(JOBS.erased))
    | problems(
        Problem(STILL_NEEDED, "the job is running; cancel it, or wait until it has ended"),
    ),
)
async def erase_job(
    request: Request, caller: Canceler, job_id: JobId, container: InContainer
) -> Response:
    """Erase a job's content.

    Of a job that has ended, `input`, `metadata`, `webhook`, assets, texts and the upstream's
    replies are erased for good, also in its events and deliveries. Station, times and billing are
    kept. Unsent deliveries are canceled, and a late success of an expired job is no longer looked
    for. Repeating the request changes nothing.
    """
    del job_id
    own = await own_id(container.store.jobs, request, caller)
    try:
        job = await container.store.erasure.erase(own, caller.tenant, datetime.now(UTC))
    except StillNeeded as needed:
        raise Problem(STILL_NEEDED, str(needed)) from needed
    if job is None:
        raise no_such_job()
    return json_answer(job_document(job, container.base_url))


@router.get("/{job_id}/explain", response_model=Explanation)
async def explain_job(
    request: Request, caller: Reader, job_id: JobId, container: InContainer
) -> Response:
    """Explain a job.

    Its whole history: each state with its time and cause, every attempt with its station and key,
    the upstream's messages, what it waits for, its deliveries, whether it was billed, and what
    happens next and when. For people: the texts may change, the data will not.
    """
    del job_id
    own = await own_id(container.store.jobs, request, caller)
    history = await container.store.histories.of_job(own, caller.tenant)
    if history is None:
        raise no_such_job()
    job, _ = await container.queue_positions.of(history.job)
    return json_answer(explanation_document(replace(history, job=job), datetime.now(UTC)))


def etag(job: Job, position: int | None) -> str:
    """Return a tag that changes with everything a caller can see.

    The row's version would change with every look of a worker, also if nothing was learned.
    """
    changed = int(job.updated_at.timestamp() * 1e6)
    reason = f".{crc32(job.reason.encode()):x}" if job.reason else ""
    return f'"{job.id}.{job.sequence}.{changed:x}.{position or 0}{reason}"'


def matches_etag(request: Request, tag: str) -> bool:
    """Whether `If-None-Match` has this tag, by the weak comparison of RFC 9110."""
    given = request.headers.get("if-none-match")
    if given is None:
        return False
    return given.strip() == "*" or tag in {
        each.strip().removeprefix("W/") for each in given.split(",")
    }
