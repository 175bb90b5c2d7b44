"""
`/v1/jobs`: look, list, cancel.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from zlib import crc32

from starlette.requests import Request
from starlette.responses import Response

from api.http.problem_types import ALREADY_TERMINAL, STILL_NEEDED
from api.http.problems import Problem
from api.http.responses import json_answer
from api.jobs.list_query import Page, read_query
from api.jobs.poll_hints import Hints
from api.jobs.queue_position import Standing
from api.lookup import no_such_job, own_id, own_job
from generation.explain import explanation_document
from generation.flower_publisher import FlowerPublisher
from generation.job import Job, JobState
from generation.job_document import job_document
from generation.lifecycle import request_cancel
from generation.settings import Settings
from generation.store import ApiKey, ErasureStore, JobStore, StillNeeded
from generation.store.jobs.history import HistoryStore


class Jobs:
    """The endpoints of jobs. Each sees the jobs of its caller's tenant and no others."""

    def __init__(
        self,
        settings: Settings,
        store: JobStore,
        standing: Standing,
        hints: Hints,
        rows: FlowerPublisher,
    ) -> None:
        self._base_url = settings.public_url or ""
        self._store = store
        self._standing = standing
        self._hints = hints
        self._rows = rows

    async def get(self, request: Request, caller: ApiKey) -> Response:
        """200, or 304 where the caller has this version already."""
        own = await own_job(self._store, request, caller)
        job, position = await self._standing.of(own)
        headers = {"ETag": etag(job, position), **self._hints.headers(job, datetime.now(UTC))}
        if has_already(request, headers["ETag"]):
            return Response(status_code=304, headers=headers)
        return json_answer(job_document(job, self._base_url, position=position), 200, headers)

    async def page(self, request: Request, caller: ApiKey) -> Response:
        """A page, newest first, and the ways to those before and after it."""
        query = read_query(request.query_params.multi_items())
        found = await self._store.page(
            caller.tenant,
            query.filters,
            limit=query.limit + 1,
            before=query.before,
            after=query.after,
        )
        page = Page.of(query, found)
        document = {
            "data": [job_document(job, self._base_url) for job in page.jobs],
            "next_cursor": page.next_cursor,
            "prev_cursor": page.prev_cursor,
            "has_more": page.next_cursor is not None,
        }
        links = page.links(f"{self._base_url}/v1/jobs")
        return json_answer(document, 200, {"Link": links} if links else None)

    async def cancel(self, request: Request, caller: ApiKey) -> Response:
        """
        200 with a job that is canceled, 202 with one whose cancel has to reach an upstream, 409 for
        one that ended otherwise. Asking again changes nothing.
        """
        now = datetime.now(UTC)

        def decide(job: Job) -> Job:
            if job.tenant != caller.tenant or job.is_terminal:
                return job
            return request_cancel(job, now)

        change = await self._store.change(await own_id(self._store, request, caller), decide)
        if change is None or change.after.tenant != caller.tenant:
            raise no_such_job()
        job = change.after
        if change.moved:
            self._rows.show(job, now)
        if not job.is_terminal:
            return self._job(job, 202)
        if job.state is not JobState.CANCELED:
            raise Problem(
                ALREADY_TERMINAL, f"the job has {ENDED[job.state]}; it cannot be canceled"
            )
        return self._job(job)

    def _job(self, job: Job, status: int = 200) -> Response:
        return json_answer(job_document(job, self._base_url), status)


ENDED: Mapping[JobState, str] = {
    JobState.SUCCEEDED: "succeeded",
    JobState.FAILED: "failed",
    JobState.EXPIRED: "expired",
}


def etag(job: Job, position: int | None) -> str:
    """
    Another for every change a caller can see. Not the row's version: that rises with every look a
    worker takes, also when nothing was learned.
    """
    changed = int(job.updated_at.timestamp() * 1e6)
    standing = (
        f"{position or 0}.{crc32(job.reason.encode()):x}" if job.reason else f"{position or 0}"
    )
    return f'"{job.id}.{job.sequence}.{changed:x}.{standing}"'


def has_already(request: Request, tag: str) -> bool:
    """Whether `If-None-Match` names this tag, weakly compared as RFC 9110 says."""
    given = request.headers.get("if-none-match")
    if given is None:
        return False
    return given.strip() == "*" or tag in {
        each.strip().removeprefix("W/") for each in given.split(",")
    }


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


class Explanations:
    """Tells each job's story to its own tenant."""

    def __init__(self, jobs: JobStore, stories: HistoryStore, standing: Standing) -> None:
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
