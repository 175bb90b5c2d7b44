"""
`/v1/jobs/{id}/resolve`: a person settles what became of a job in doubt.
"""

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from api.http.problem_types import NOT_IN_DOUBT
from api.http.problems import Complaint, Problem, invalid
from api.http.request_body import read_body, read_json
from api.http.responses import json_answer
from api.http.validation_errors import complaints
from api.lookup import no_such_job, own_id
from generation.contract.request import Form
from generation.flower_publisher import FlowerPublisher
from generation.job import DoubtResolution, Job, JobState
from generation.job_document import job_document
from generation.lifecycle.manual_resolution import created, not_created
from generation.settings import Settings
from generation.store import ApiKey, JobStore

#: More is no resolution.
MOST_BYTES = 10_000


class Resolution(BaseModel):
    """The body: either the task's id at the upstream, or that there is no task, and what then."""

    model_config = ConfigDict(extra="forbid")

    upstream_id: (
        Annotated[
            str,
            Field(min_length=1, max_length=300),
            Form(r"^[^\s\x00-\x1f\x7f]+$", "the station's id of the task, without spaces"),
        ]
        | None
    ) = Field(None, description="The task is there, under this id of the upstream's.")
    not_created: Literal[True] | None = Field(
        None,
        description="The upstream never created a task. It is asked once more, where it can be;"
        " else be sure: what is sent again is paid.",
    )
    then: DoubtResolution | None = Field(
        None, description="With `not_created`: send the job again, or fail it unbilled."
    )


class Resolutions:
    """The endpoint for those who have looked in a station's books."""

    def __init__(self, settings: Settings, store: JobStore, rows: FlowerPublisher) -> None:
        self._base_url = settings.public_url or ""
        self._store = store
        self._rows = rows

    async def resolve(self, request: Request, caller: ApiKey) -> Response:
        """
        200 with the job as it goes on; 202 with one whose upstream is asked once more, by a worker,
        before it is sent again or fails. 409 for one that is not in doubt, or no longer.
        """
        resolution = read_resolution(read_json(await read_body(request, MOST_BYTES)))
        now = datetime.now(UTC)

        def decide(job: Job) -> Job:
            if job.tenant != caller.tenant or job.state is not JobState.IN_DOUBT:
                return job
            return resolved(job, resolution, now)

        job_id = await own_id(self._store, request, caller)
        if resolution.upstream_id is not None:
            await self._check_own(job_id, resolution.upstream_id, caller)
        change = await self._store.change(job_id, decide)
        if change is None or change.after.tenant != caller.tenant:
            raise no_such_job()
        if change.after is change.before:
            raise Problem(NOT_IN_DOUBT, f"the job is {change.after.state}, there is no doubt")
        job = change.after
        if change.moved:
            self._rows.show(job, now)
        return json_answer(job_document(job, self._base_url), 200 if change.moved else 202)

    async def _check_own(self, job_id: str, upstream_id: str, caller: ApiKey) -> None:
        """Raises `Problem` where another tenant's job has this task."""
        job = await self._store.get(job_id, caller.tenant)
        found = await self._store.tasks.holders(upstream_id)
        taken = any(
            job is not None and each.station == job.station and each.tenant != caller.tenant
            for each in found
        )
        if taken:
            words = "this task is somebody else's; look for the one that was made for this job"
            raise invalid([Complaint("#/upstream_id", words, "taken")])


def resolved(job: Job, resolution: Resolution, now: datetime) -> Job:
    if resolution.upstream_id is not None:
        return created(job, resolution.upstream_id, now)
    return not_created(job, resolution.then or DoubtResolution.FAIL, now)


def read_resolution(body: object) -> Resolution:
    """Raises `Problem` for a body that says nothing, or two things at once."""
    try:
        resolution = Resolution.model_validate(body)
    except ValidationError as error:
        raise invalid(complaints(error, body, Resolution)) from error
    if (resolution.upstream_id is None) == (resolution.not_created is None):
        words = "say one of two: `upstream_id`, or `not_created` with `then`"
        raise invalid([Complaint("#", words, "one_of")])
    if (resolution.not_created is None) != (resolution.then is None):
        words = "belongs to `not_created`: requeue or fail"
        raise invalid([Complaint("#/then", words, "required")])
    return resolution
