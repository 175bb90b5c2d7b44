"""
`POST /v1/callbacks/{token}`: an upstream says that there is something new about a task.
"""

from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response

from api.http.problem_types import NOT_FOUND
from api.http.problems import Problem
from api.http.request_body import read_body
from api.http.responses import json_answer
from generation.access.callback_tokens import APART, SECRET_NAME, job_called, task_named
from generation.store import Store

#: What an upstream posts is read for one id, so it need not fit much.
MOST_BYTES = 1024 * 1024


class Callbacks:
    """The one endpoint that is open to upstreams. It wakes a job, and tells nothing."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def receive(self, request: Request) -> Response:
        """
        200 for every address that was given out, whatever has become of its job; 404 for any other.
        """
        secret = await self._store.secrets.get(SECRET_NAME)
        job_id = job_called(request.path_params["token"], secret)
        if job_id is None:
            raise Problem(NOT_FOUND, "this callback address was never given out")
        body = await read_body(request, MOST_BYTES)
        if (named := task_named(body)) is not None:
            await self._store.claims.name(job_id, named)
        await self._store.claims.wake(job_id, datetime.now(UTC), APART)
        return json_answer({"ok": True})
