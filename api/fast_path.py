"""
The short way to the busiest endpoints: from the socket to the endpoint without a framework between.

What FastAPI and Starlette do around every request costs a third of the time an order takes, and an
order needs none of it. Errors are answered by the same handlers as everywhere else.
"""

from collections.abc import Awaitable, Callable, Mapping

from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from api.auth.guard import Endpoint
from api.http.middleware import Envelope
from api.http.problems import Problem
from generation.store import UnreadableRow

Handle = Callable[[Request, Exception], Awaitable[Response]]


class Lane:
    """
    ASGI middleware. `endpoints` are found by method and path, whose last part may be `{job_id}`;
    all else goes on to `app`.
    """

    def __init__(
        self,
        app: ASGIApp,
        endpoints: Mapping[tuple[str, str], Endpoint],
        handlers: Mapping[type[Exception], Handle],
        base_url: str,
    ) -> None:
        self._app = app
        self._endpoints = endpoints
        self._handlers = handlers
        self._quickly = Envelope(self._serve, base_url)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        busy = scope["type"] == "http" and self._endpoint(scope) is not None
        await (self._quickly if busy else self._app)(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        endpoint = self._endpoint(scope)
        assert endpoint is not None
        request = Request(scope, receive)
        try:
            response = await endpoint(request)
        except (Problem, UnreadableRow, SQLAlchemyError, OSError) as error:
            response = await self._handler(error)(request, error)
        await response(scope, receive, send)

    def _endpoint(self, scope: Scope) -> Endpoint | None:
        method, path = scope["method"], scope["path"]
        if found := self._endpoints.get((method, path)):
            return found
        parent, _, name = path.rpartition("/")
        found = self._endpoints.get((method, f"{parent}/{{job_id}}")) if name else None
        if found is not None:
            scope["path_params"] = {"job_id": name}
        return found

    def _handler(self, error: Exception) -> Handle:
        return next(self._handlers[kind] for kind in type(error).__mro__ if kind in self._handlers)
