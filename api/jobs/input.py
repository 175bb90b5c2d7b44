"""
`/v1/jobs/{id}/input` and `/reply`: what a waiting job is told, and what its upstream said last.
"""

from datetime import UTC, datetime

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from api.http.problem_types import NOT_AWAITING_INPUT
from api.http.problems import Problem, invalid
from api.http.request_body import read_body, read_json
from api.http.responses import json_answer
from api.http.validation_errors import complaints
from api.lookup import own_job
from generation import providers
from generation.job import Job, JobState
from generation.job_document import job_document
from generation.lifecycle import give_input
from generation.settings import Settings
from generation.store import ApiKey, JobStore


class Inputs:
    """What is said to a job's upstream, and by it, beyond the order itself."""

    def __init__(self, settings: Settings, store: JobStore) -> None:
        self._base_url = settings.public_url or ""
        self._max_body_bytes = settings.max_body_bytes
        self._store = store

    async def give(self, request: Request, caller: ApiKey) -> Response:
        """202 once the input is on disk; a worker sends it. 409 for a job that waits for none."""
        body = read_json(await read_body(request, self._max_body_bytes))
        job = await own_job(self._store, request, caller)
        answer = checked_input(job, body)
        now = datetime.now(UTC)

        def decide(fresh: Job) -> Job:
            waits = fresh.state is JobState.AWAITING_INPUT
            return give_input(fresh, answer, now) if waits else fresh

        change = await self._store.change(job.id, decide)
        if change is None or change.after is change.before:
            raise not_waiting(change.after if change else job)
        return json_answer(job_document(change.after, self._base_url), 202)

    async def last_reply(self, request: Request, caller: ApiKey) -> Response:
        """The upstream's literal words when the job last changed; null where it never said any."""
        job = await own_job(self._store, request, caller)
        return json_answer({"object": "reply", "job": job.id, "reply": job.last_reply or None})


def checked_input(job: Job, body: object) -> dict[str, object]:
    """The input as it is kept. Raises `Problem` for a job that takes none, and for a wrong one."""
    operation = providers.find(job.provider, job.operation, job.dialect or "")
    model = operation.input_request if operation else None
    if job.state is not JobState.AWAITING_INPUT or model is None:
        raise not_waiting(job)
    try:
        request = model.model_validate(body)
    except ValidationError as error:
        raise invalid(complaints(error, body, model)) from error
    return request.model_dump(mode="json", exclude_unset=True)


def not_waiting(job: Job) -> Problem:
    return Problem(NOT_AWAITING_INPUT, f"the job is {job.state} and waits for nothing from you")
