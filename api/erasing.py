"""
`DELETE /v1/jobs/{id}`: erase a job's content, and keep what it cost.
"""

from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response

from api.answers import json_answer
from api.kinds import STILL_NEEDED
from api.names import no_such_job, own_id
from api.problems import Problem
from generation.document import job_document
from generation.store import ApiKey, ErasureStore, JobStore, StillNeeded


class Erasing:
    """The one endpoint that takes something away."""

    def __init__(self, jobs: JobStore, store: ErasureStore, base_url: str) -> None:
        self._jobs = jobs
        self._store = store
        self._base_url = base_url

    async def erase(self, request: Request, caller: ApiKey) -> Response:
        """200 with what is kept; 409 for a job that is still needed."""
        job_id = await own_id(self._jobs, request, caller)
        try:
            job = await self._store.erase(job_id, caller.tenant, datetime.now(UTC))
        except StillNeeded as needed:
            raise Problem(STILL_NEEDED, str(needed)) from needed
        if job is None:
            raise no_such_job()
        return json_answer(job_document(job, self._base_url))
