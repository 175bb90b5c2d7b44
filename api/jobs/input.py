"""`/v1/jobs/{id}/input` and `/reply`: input for a waiting job, and the last upstream reply."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar

from pydantic import ConfigDict, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from api.auth.dependencies import Reader, Submitter
from api.dependencies import InContainer, RawJsonBody
from api.http.openapi import problems, response
from api.http.problem_types import NOT_AWAITING_INPUT
from api.http.problems import Complaint, Problem, invalid
from api.http.responses import json_answer
from api.http.schemas import RequestModel
from api.http.validation_errors import complaints
from api.jobs.endpoints import JobId
from api.jobs.schemas import Job as JobSchema
from api.jobs.schemas import Reply
from api.lookup import own_job
from api.routing import new_router
from generation import providers
from generation.job import Job, JobState
from generation.job_document import job_document
from generation.lifecycle import give_input as with_input

router = new_router("Jobs", "/v1/jobs")


class WaitingInput(RequestModel):
    """The fields that the waiting operation takes. Others are refused."""

    model_config = ConfigDict(extra="allow")

    EXAMPLES: ClassVar[Mapping[str, Any]] = {
        "For a Midjourney modal.": {"prompt": "a lighthouse at dusk --zoom 1.5"}
    }


def not_waiting(state: JobState) -> Problem:
    return Problem(NOT_AWAITING_INPUT, f"the job is {state} and waits for nothing from you")


@router.post(
    "/{job_id}/input",
    response_model=JobSchema,
    status_code=202,
    responses=response(202, "The input is stored and will be sent.")
    | problems(
        not_waiting(JobState.RUNNING), invalid([Complaint("#/mask", "is required", "required")])
    ),
)
async def give_input(
    request: Request,
    caller: Submitter,
    body: Annotated[object, RawJsonBody.of(WaitingInput)],
    job_id: JobId,
    container: InContainer,
) -> Response:
    """Give a waiting job its input.

    For a job that is `awaiting_input`: a Midjourney button that opened a modal takes a `prompt`, a
    `mask`, or both. A worker sends it. If the upstream refuses it, the job waits on and its
    `reason` says why.
    """
    del job_id
    store = container.store.jobs
    job = await own_job(store, request, caller)
    given = checked_input(job, body)
    now = datetime.now(UTC)

    def decide(fresh: Job) -> Job:
        waits = fresh.state is JobState.AWAITING_INPUT
        return with_input(fresh, given, now) if waits else fresh

    change = await store.change(job.id, decide)
    if change is None or change.after is change.before:
        raise not_waiting((change.after if change else job).state)
    return json_answer(job_document(change.after, container.base_url), 202)


@router.get("/{job_id}/reply", response_model=Reply)
async def get_reply(
    request: Request, caller: Reader, job_id: JobId, container: InContainer
) -> Response:
    """Get the last upstream reply.

    The upstream's text when the job last changed, cut to 8,000 characters and without secrets: for
    debugging a station.
    """
    del job_id
    job = await own_job(container.store.jobs, request, caller)
    return json_answer({"object": "reply", "job": job.id, "reply": job.last_reply or None})


def checked_input(job: Job, body: object) -> dict[str, object]:
    """Return the input to store. Raises `Problem`: 409 if the job takes none, 422."""
    operation = providers.find(job.provider, job.operation, job.dialect or "")
    model = operation.input_request if operation else None
    if job.state is not JobState.AWAITING_INPUT or model is None:
        raise not_waiting(job.state)
    try:
        request = model.model_validate(body)
    except ValidationError as error:
        raise invalid(complaints(error, body, model)) from error
    return request.model_dump(mode="json", exclude_unset=True)
