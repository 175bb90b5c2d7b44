"""
`/v1/jobs`: order, look, list, cancel.
"""

from collections.abc import Mapping
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response

from api.answers import json_answer
from api.body import read_body
from api.listing import JOB_ID, cursor_after, read_query
from api.orders import OrderReader, read_json, read_order
from api.problems import ALREADY_TERMINAL, NOT_FOUND, Complaint, Problem, invalid
from generation.document import job_document
from generation.flower import Rows
from generation.job import Job, JobState
from generation.lifecycle import request_cancel
from generation.queue import Nudger, submit_message
from generation.settings import Settings
from generation.store import ApiKey, Store


class Jobs:
    """The endpoints of jobs. Each sees the jobs of its caller's tenant and no others."""

    def __init__(
        self, settings: Settings, store: Store, orders: OrderReader, nudger: Nudger, rows: Rows
    ) -> None:
        self._base_url = settings.public_url or ""
        self._max_body_bytes = settings.max_body_bytes
        self._store = store.jobs
        self._queues = store.queues
        self._orders = orders
        self._nudger = nudger
        self._rows = rows

    async def create(self, request: Request, caller: ApiKey) -> Response:
        """202 once the job is on disk. What follows the commit neither waits nor fails."""
        raw = await read_body(request, self._max_body_bytes)
        now = datetime.now(UTC)
        order = read_order(read_json(raw))
        parent = await self._parent(order.parent, caller) if order.parent else None
        job, offer = self._orders.job(order, caller, now, parent)
        job = await self._store.insert(job)
        self._nudger.nudge(submit_message(job))
        self._rows.show(job, now)
        document = job_document(job, self._base_url)
        headers = {"Location": document["urls"]["self"], "Retry-After": str(offer.poll_after)}
        return json_answer(document, 202, headers)

    async def get(self, request: Request, caller: ApiKey) -> Response:
        job = await self._store.get(job_id_of(request), caller.tenant)
        if job is None:
            raise no_such_job()
        position = await self._queues.position(job)
        return json_answer(job_document(job, self._base_url, position=position))

    async def page(self, request: Request, caller: ApiKey) -> Response:
        """A page, newest first, and the way to the next one."""
        query = read_query(request.query_params.multi_items())
        found = await self._store.page(
            caller.tenant, query.filters, limit=query.limit + 1, before=query.before
        )
        page, has_more = found[: query.limit], len(found) > query.limit
        headers: dict[str, str] = {}
        if has_more:
            headers["Link"] = f'<{query.next_url(self._base_url, page[-1].id)}>; rel="next"'
        document = {
            "data": [job_document(job, self._base_url) for job in page],
            "next_cursor": cursor_after(page[-1].id) if has_more else None,
            "has_more": has_more,
        }
        return json_answer(document, 200, headers)

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

        change = await self._store.change(job_id_of(request), decide)
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

    async def _parent(self, job_id: str, caller: ApiKey) -> Job:
        parent = await self._store.get(job_id, caller.tenant)
        if parent is None:
            words = "there is no such job, or it is not yours"
            raise invalid([Complaint("#/parent", words, "parent")])
        return parent

    def _job(self, job: Job, status: int = 200) -> Response:
        return json_answer(job_document(job, self._base_url), status)


ENDED: Mapping[JobState, str] = {
    JobState.SUCCEEDED: "succeeded",
    JobState.FAILED: "failed",
    JobState.EXPIRED: "expired",
}


def job_id_of(request: Request) -> str:
    """The id in the path. Raises `Problem` (404) for what cannot be one."""
    job_id = request.path_params["job_id"]
    if not JOB_ID.fullmatch(job_id):
        raise no_such_job()
    return job_id


def no_such_job() -> Problem:
    return Problem(NOT_FOUND, "there is no such job, or it is not yours")
