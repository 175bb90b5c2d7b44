"""The API as one ASGI application."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import structlog
from fastapi import FastAPI
from fastapi.middleware.asyncexitstack import AsyncExitStackMiddleware
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import ASGIApp

from api.container import Container
from api.docs.openapi import openapi
from api.fast_path import FastPath
from api.http.middleware import REQUEST_ID, RequestMiddleware, path_of
from api.http.problem_types import METHOD_NOT_ALLOWED, NOT_FOUND, STORE_UNAVAILABLE, UNREADABLE
from api.http.problems import Problem, problem_answer
from api.routes import routes
from api.routing import READ_METHODS
from api.startup_checks import check_store
from api.version import VERSION
from generation.settings import Settings
from generation.store import UnreadableRow, is_unavailable

log = structlog.get_logger(__name__)

#: genq sends no telemetry.
NO_TELEMETRY: Any = {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}


class Api(FastAPI):
    """The application. Raises what `Container` raises."""

    def __init__(self, settings: Settings) -> None:
        self._container = container = Container(settings)
        #: The only table of exceptions: for routes and for the fast path.
        self._handlers: dict[Any, Any] = {
            Problem: self._on_problem,
            HTTPException: self._on_http_exception,
            SQLAlchemyError: self._on_database_error,
            OSError: self._on_database_error,
            UnreadableRow: self._on_unreadable_row,
        }
        super().__init__(
            title="genq",
            version=VERSION,
            routes=routes(),
            lifespan=self._lifespan,
            openapi_url=None,
            docs_url=None,
            redoc_url=None,
            redirect_slashes=False,
            telemetry=NO_TELEMETRY,
            exception_handlers=self._handlers,
        )
        self.state.container = container

    def build_middleware_stack(self) -> ASGIApp:
        """Return the layers around the router.

        It replaces FastAPI's own, which has layers for telemetry, body limits and server errors
        that genq does not use, and no place for the fast path inside of `RequestMiddleware`.
        """
        framework = ExceptionMiddleware(
            AsyncExitStackMiddleware(self.router), handlers=self._handlers
        )
        fast = FastPath(framework, self.routes, self._container, self._handlers)
        return RequestMiddleware(fast, self._container.base_url)

    def close_streams(self) -> None:
        """End all streams and long polls, so that the server can shut down. Call it on the loop."""
        self._container.hub.close_all()

    @property
    def base_url(self) -> str:
        """The public URL; empty if it is not configured."""
        return self._container.base_url

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            self.openapi_schema = openapi(
                self.routes, self._container.catalogue, self._container.base_url
            )
        return self.openapi_schema

    @asynccontextmanager
    async def _lifespan(self, _: FastAPI) -> AsyncGenerator[None]:
        try:
            await check_store(self._container.store)
            self._container.callers.start()
            self._container.hub.start()
            yield
        finally:
            await self._container.close()

    async def _on_problem(self, request: Request, problem: Exception) -> Response:
        assert isinstance(problem, Problem)
        return problem_answer(
            problem,
            instance=path_of(request.scope),
            request_id=request.scope[REQUEST_ID],
            base_url=self._container.base_url,
        )

    async def _on_http_exception(self, request: Request, error: Exception) -> Response:
        """Answer for the router: no such path, or no such method at this path."""
        assert isinstance(error, HTTPException)
        if error.status_code == 405:
            allowed = ", ".join(self._methods(request))
            if request.method == "OPTIONS":
                return Response(status_code=204, headers={"Allow": allowed})
            detail = f"{request.method} is not possible here; {allowed} are"
            problem = Problem(METHOD_NOT_ALLOWED, detail, headers={"Allow": allowed})
            return await self._on_problem(request, problem)
        if error.status_code == 404:
            return await self._on_problem(request, self._no_path(request))
        raise error

    async def _on_database_error(self, request: Request, error: Exception) -> Response:
        if not is_unavailable(error):
            raise error
        log.error("store_unavailable", request_id=request.scope[REQUEST_ID], error=str(error))
        detail = "the database does not answer; try again later"
        if request.method not in READ_METHODS:
            detail += ", and look before you do: what you asked for may have been done"
        problem = Problem(STORE_UNAVAILABLE, detail, headers={"Retry-After": "5"})
        return await self._on_problem(request, problem)

    async def _on_unreadable_row(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, UnreadableRow)
        detail = (
            f"{error.row_id} is stored and cannot be read by this version of genq; it is left as it"
            " is. Whoever runs this service finds the cause with: genq check"
        )
        return await self._on_problem(request, Problem(UNREADABLE, detail))

    def _no_path(self, request: Request) -> Problem:
        path = request.scope["path"].rstrip("/")
        shorter = {**request.scope, "path": path}
        slashed = any(route.matches(shorter)[0] is not Match.NONE for route in self.routes)
        hint = f"write {path}" if slashed else "GET / says where to begin"
        return Problem(NOT_FOUND, f"there is nothing at this path; {hint}")

    def _methods(self, request: Request) -> list[str]:
        """Return all methods of the path. Each of its routes has one."""
        found = {"OPTIONS"}
        for route in self.routes:
            if route.matches(request.scope)[0] is not Match.NONE:
                found |= getattr(route, "methods", None) or set()
        return sorted(found | {"HEAD"} if "GET" in found else found)


def create_app(settings: Settings) -> Api:
    """Return the application with these settings.

    Raises `StationsFileError` or `UnusableDatabase` if they cannot work. Its lifespan raises
    `Refusal` if the database is not ready for it.
    """
    return Api(settings)
