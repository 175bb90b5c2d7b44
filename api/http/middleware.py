"""The outermost layer: request ids, the request log, and a response for unexpected errors."""

import itertools
import os
import re
from time import monotonic

import structlog
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.problem_types import INTERNAL
from api.http.problems import Problem, problem_answer

log = structlog.get_logger(__name__)

#: Where a request's id is kept in its ASGI scope.
REQUEST_ID = "genq.request_id"
#: Slower requests are logged even if they succeed.
SLOW_SECONDS = 1.0
MAX_LOGGED_PATH = 200

#: A new id has 64 random bits of this process, and a counter.
_PROCESS = b"req_" + os.urandom(8).hex().encode()
_COUNT = itertools.count(1)
_USABLE_ID = re.compile(rb"[A-Za-z0-9._:-]{1,128}")


class RequestMiddleware:
    """ASGI middleware around all others."""

    def __init__(self, app: ASGIApp, base_url: str) -> None:
        self._app = app
        self._base_url = base_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = monotonic()
        request_id = request_id_of(scope)
        scope[REQUEST_ID] = request_id.decode()
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", request_id)]
            await send(message)

        # A HEAD is a GET whose body the server leaves out.
        inner = {**scope, "method": "GET"} if scope["method"] == "HEAD" else scope
        try:
            await self._app(inner, receive, send_with_id)
        except ClientDisconnect:
            log.info("request_abandoned", request_id=scope[REQUEST_ID], path=logged_path(scope))
            return
        except Exception:
            log.exception("request_failed", request_id=scope[REQUEST_ID], path=logged_path(scope))
            if status:
                raise
            await self._send_internal_error(inner, receive, send_with_id)
        duration = monotonic() - started
        if status >= 400 or duration > SLOW_SECONDS:
            log.info(
                "request",
                request_id=scope[REQUEST_ID],
                method=scope["method"],
                path=logged_path(scope),
                status=status,
                ms=round(duration * 1000),
            )

    async def _send_internal_error(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = problem_answer(
            Problem(INTERNAL, "an unexpected error; the log has its cause under this request id"),
            instance=path_of(scope),
            request_id=scope[REQUEST_ID],
            base_url=self._base_url,
        )
        await answer(scope, receive, send)


def request_id_of(scope: Scope) -> bytes:
    """Return the caller's own id if it can be logged and returned, else a new one."""
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _USABLE_ID.fullmatch(value):
            return value
    return b"%b%08x" % (_PROCESS, next(_COUNT))


def path_of(scope: Scope) -> str:
    """Return the path as it was sent, percent-encoded, so that it fits on one line of a log."""
    return scope["raw_path"].decode("ascii", "replace")


def logged_path(scope: Scope) -> str:
    return path_of(scope)[:MAX_LOGGED_PATH]
