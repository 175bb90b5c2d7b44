"""`POST /v1/jobs/{id}/resolve`: a person decides what became of a job in doubt."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from api.auth.dependencies import Submitter
from api.dependencies import InContainer, JsonBody
from api.http.openapi import problems, response
from api.http.problem_types import NOT_IN_DOUBT
from api.http.problems import Complaint, Problem, invalid
from api.http.responses import json_answer
from api.http.schemas import RequestModel
from api.jobs.endpoints import JobId
from api.jobs.examples import JOBS
from api.jobs.schemas import Job as JobSchema
from api.lookup import no_such_job, own_id
from api.routing import new_router
from generation.contract.request import Form
from generation.job import DoubtResolution, Job, JobState
from generation.job_document import job_document
from generation.lifecycle.manual_resolution import created, not_created
from generation.store import ApiKey, JobStore

#: A longer body is refused.
MAX_BYTES = 10_000

router = new_router("Jobs", "/v1/jobs")


class Resolution(RequestModel):
    """The id of the upstream task, or that there is none and what to do then."""

    EXAMPLES: ClassVar[Mapping[str, Any]] = {
        "The task exists.": {"upstream_id": "1768212345678901"},
        "There is no task; submit the job again.": {"not_created": True, "then": "requeue"},
        "There is no task; fail the job unbilled.": {"not_created": True, "then": "fail"},
    }

    upstream_id: (
        Annotated[
            str,
            Field(min_length=1, max_length=300),
            Form(r"^[^\s\x00-\x1f\x7f]+$", "the station's id of the task, without spaces"),
        ]
        | None
    ) = Field(None, description="The task exists upstream under this id.")
    not_created: Literal[True] | None = Field(
        None,
        description="The upstream never created a task. It is asked once more, if it can be asked;"
        " otherwise be sure: a job that is submitted again is paid again.",
    )
    then: DoubtResolution | None = Field(
        None, description="With `not_created`: submit the job again, or fail it unbilled."
    )


def invalid_then() -> Problem:
    return invalid([Complaint("#/then", "belongs to `not_created`: requeue or fail", "required")])


def not_in_doubt(state: JobState) -> Problem:
    return Problem(NOT_IN_DOUBT, f"the job is {state}, there is no doubt")


@router.post(
    "/{job_id}/resolve",
    response_model=JobSchema,
    responses=response(200, "The job goes on.", example=job_document(JOBS.running))
    | response(
        202,
        "The upstream is asked once more before the job is submitted again or fails.",
        model=JobSchema,
        example=job_document(JOBS.resolving),
    )
    | problems(not_in_doubt(JobState.RUNNING), invalid_then()),
)
async def resolve_job(
    request: Request,
    caller: Submitter,
    body: Annotated[Resolution, JsonBody.of(Resolution, MAX_BYTES)],
    job_id: JobId,
    container: InContainer,
) -> Response:
    """Resolve a job in doubt.

    For a job that is `in_doubt`: it was sent, and nobody knows whether the upstream accepted it.
    Look at the station's own list of tasks, then pass the task's id, or that it was never created.
    The upstream is then asked once more, if it can be asked, and a task that is found counts. If it
    cannot be asked, `requeue` of a task that exists after all pays for it twice. A task of another
    tenant's job is refused.
    """
    del job_id
    check_resolution(body)
    now = datetime.now(UTC)

    def decide(job: Job) -> Job:
        if job.tenant != caller.tenant or job.state is not JobState.IN_DOUBT:
            return job
        if body.upstream_id is not None:
            return created(job, body.upstream_id, now)
        return not_created(job, body.then or DoubtResolution.FAIL, now)

    store = container.store.jobs
    own = await own_id(store, request, caller)
    if body.upstream_id is not None:
        await check_holder(store, own, body.upstream_id, caller)
    change = await store.change(own, decide)
    if change is None or change.after.tenant != caller.tenant:
        raise no_such_job()
    job = change.after
    if job is change.before:
        raise not_in_doubt(job.state)
    if change.moved:
        container.flower.show(job, now)
    return json_answer(job_document(job, container.base_url), 200 if change.moved else 202)


def check_resolution(resolution: Resolution) -> None:
    """Raise `Problem` (422) for a body that says nothing, or both."""
    if (resolution.upstream_id is None) == (resolution.not_created is None):
        detail = "say one of two: `upstream_id`, or `not_created` with `then`"
        raise invalid([Complaint("#", detail, "one_of")])
    if (resolution.not_created is None) != (resolution.then is None):
        raise invalid_then()


async def check_holder(store: JobStore, job_id: str, upstream_id: str, caller: ApiKey) -> None:
    """Raise `Problem` (422) if another tenant's job has this task."""
    job = await store.get(job_id, caller.tenant)
    found = await store.tasks.holders(upstream_id)
    if job and any(each.station == job.station and each.tenant != caller.tenant for each in found):
        detail = "this task is somebody else's; look for the one that was made for this job"
        raise invalid([Complaint("#/upstream_id", detail, "taken")])
