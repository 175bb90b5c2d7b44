"""`POST /v1/callbacks/{token}`: an upstream reports that a task has changed."""

from datetime import UTC, datetime
from typing import Annotated, ClassVar, Literal

from fastapi import Path, Request
from starlette.responses import Response

from api.dependencies import InStore
from api.http.openapi import problems
from api.http.problem_types import BODY_TOO_LARGE, NOT_FOUND, STORE_UNAVAILABLE
from api.http.problems import Problem
from api.http.request_body import read_body
from api.http.responses import json_answer
from api.http.schemas import Document
from api.routing import new_router
from generation.access.callback_tokens import APART, PATH, SECRET_NAME, job_called, task_named

#: A body is searched for one task id, so it need not be larger.
MOST_BYTES = 1024 * 1024

router = new_router("Upstreams")


class Noted(Document):
    """The callback was received."""

    EXAMPLE: ClassVar[object] = {"ok": True}

    ok: Literal[True]


@router.post(
    f"{PATH}/{{token}}",
    response_model=Noted,
    responses=problems(
        Problem(BODY_TOO_LARGE, "the body may have at most 1048576 bytes"),
        Problem(STORE_UNAVAILABLE, "the database does not answer; try again later"),
    ),
)
async def receive_callback(
    request: Request,
    token: Annotated[str, Path(description="The token that the upstream was given.")],
    store: InStore,
) -> Response:
    """Receive a callback of an upstream.

    Upstreams that support callbacks get this URL with the submit if `GENQ_PUBLIC_URL` is set. A
    callback makes genq poll the task, at once or five seconds after the last poll. Its body may be
    anything of up to 1 MiB and is not trusted: it can only name the task of a job in doubt, and the
    upstream is then asked about that task.
    """
    job_id = job_called(token, await store.secrets.get(SECRET_NAME))
    if job_id is None:
        raise Problem(NOT_FOUND, "this callback address was never given out")
    body = await read_body(request, MOST_BYTES)
    if (upstream_id := task_named(body)) is not None:
        await store.claims.name(job_id, upstream_id)
    await store.claims.wake(job_id, datetime.now(UTC), APART)
    return json_answer({"ok": True})
