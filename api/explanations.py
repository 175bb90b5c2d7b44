"""
`/v1/jobs/{id}/explain`: what happened to a job, why, and what happens next.
"""

from dataclasses import replace
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response

from api.answers import json_answer
from api.names import no_such_job, own_id
from api.standing import Standing
from generation.explain import explanation_document
from generation.store import ApiKey, JobStore
from generation.store.stories import Stories


class Explanations:
    """Tells each job's story to its own tenant."""

    def __init__(self, jobs: JobStore, stories: Stories, standing: Standing) -> None:
        self._jobs = jobs
        self._stories = stories
        self._standing = standing

    async def get(self, request: Request, caller: ApiKey) -> Response:
        job_id = await own_id(self._jobs, request, caller)
        story = await self._stories.of_job(job_id, caller.tenant)
        if story is None:
            raise no_such_job()
        job, _ = await self._standing.of(story.job)
        story = replace(story, job=job)
        return json_answer(explanation_document(story, datetime.now(UTC)))
