"""
Ordering one job: `POST /v1/jobs`, and `PUT /v1/jobs/{client_id}`.
"""

from dataclasses import replace
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response

from api.events.wait import JobWaiter
from api.http.problems import Problem
from api.http.request_body import read_body, read_json
from api.http.responses import json_answer
from api.jobs.admission import Taker
from api.jobs.idempotency import Repeats, named_key
from api.jobs.poll_hints import Hints
from api.jobs.request_headers import Wishes, read_wishes
from api.lookup import checked_client_id
from generation.job_document import job_document
from generation.settings import Settings
from generation.store import ApiKey, InsertResult, KeyScope


class Ordering:
    """The endpoints that take one order each."""

    def __init__(self, settings: Settings, taker: Taker, hints: Hints, waiting: JobWaiter) -> None:
        self._base_url = settings.public_url or ""
        self._max_body_bytes = settings.max_body_bytes
        self._repeats = Repeats(settings.retry_guard)
        self._taker = taker
        self._hints = hints
        self._waiting = waiting

    async def create(self, request: Request, caller: ApiKey) -> Response:
        """202 once the job is on disk; 200 where its end was waited for and has come."""
        return await self._take(request, caller, None)

    async def put(self, request: Request, caller: ApiKey) -> Response:
        """The same under a name of the caller's, which is the order's key."""
        return await self._take(request, caller, checked_client_id(request.path_params["job_id"]))

    async def _take(self, request: Request, caller: ApiKey, client_id: str | None) -> Response:
        wishes = read_wishes(request.scope["headers"])
        body = read_json(await read_body(request, self._max_body_bytes))
        now = datetime.now(UTC)
        if client_id is None:
            key = self._repeats.key(wishes, caller.tenant, KeyScope.JOB, body, now)
        else:
            key = named_key(client_id, caller.tenant, body)
        try:
            job = await self._taker.job(body, caller, wishes, now)
            job = job if client_id is None else replace(job, client_id=client_id)
            placed = await self._taker.place([job], key, now)
        except Problem as problem:
            placed = await self._taker.instead(problem, key, now)
        return await self._answer(placed, wishes, now)

    async def _answer(self, placed: InsertResult, wishes: Wishes, now: datetime) -> Response:
        job = placed.jobs[0]
        headers: dict[str, str] = {}
        if placed.replayed:
            headers["Idempotent-Replayed"] = "true"
        if wishes.wait is not None:
            job, now = await self._waiting.ended(job, wishes.wait), datetime.now(UTC)
            headers["Preference-Applied"] = "wait"
        document = job_document(job, self._base_url)
        headers |= {"Location": document["urls"]["self"], **self._hints.headers(job, now)}
        ended = wishes.wait is not None and job.is_terminal
        return json_answer(document, 200 if ended else 202, headers)
