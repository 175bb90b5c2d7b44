"""
The API as one ASGI application.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import structlog
from fastapi import FastAPI
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import ASGIApp

from api.auth.guard import READING
from api.container import Door
from api.docs.openapi import openapi
from api.fast_path import Lane
from api.http.middleware import REQUEST_ID, Envelope, path_of
from api.http.problem_types import METHOD_NOT_ALLOWED, NOT_FOUND, STORE_UNAVAILABLE, UNREADABLE
from api.http.problems import Problem, problem_answer
from api.routes import routes
from api.startup_checks import check_store
from api.version import VERSION
from generation.settings import Settings
from generation.store import UnreadableRow, is_unavailable

log = structlog.get_logger(__name__)

#: genq sends nothing about itself to anybody.
NO_TELEMETRY: Any = {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}


class Api(FastAPI):
    """The front door over HTTP. Raises what `Door` raises."""

    def __init__(self, settings: Settings) -> None:
        self._door = Door(settings)
        self._handlers: dict[Any, Any] = {
            Problem: self._on_problem,
            HTTPException: self._on_http_exception,
            SQLAlchemyError: self._on_store_trouble,
            OSError: self._on_store_trouble,
            UnreadableRow: self._on_unreadable,
        }
        super().__init__(
            title="genq",
            version=VERSION,
            routes=[*self._door.routes, *routes()],
            lifespan=self._life,
            openapi_url=None,
            docs_url=None,
            redoc_url=None,
            redirect_slashes=False,
            telemetry=NO_TELEMETRY,
            exception_handlers=self._handlers,
        )
        self.state.container = self._door
        self.add_middleware(Envelope, base_url=self._door.base_url)

    def build_middleware_stack(self) -> ASGIApp:
        slowly = super().build_middleware_stack()
        return Lane(slowly, self._door.busiest, self._handlers, self._door.base_url)

    def leave(self) -> None:
        """
        Send away whoever holds a stream open or waits for events. For the loop, before it stops
        serving: a server that is to end waits for what is being answered.
        """
        self._door.hub.close_all()

    @property
    def base_url(self) -> str:
        """Where the outside reaches it; empty where that is not known."""
        return self._door.base_url

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            self.openapi_schema = openapi(self.routes, self._door.catalogue, self._door.base_url)
        return self.openapi_schema

    @asynccontextmanager
    async def _life(self, _: FastAPI) -> AsyncGenerator[None]:
        try:
            await check_store(self._door.store)
            self._door.callers.start()
            self._door.hub.start()
            yield
        finally:
            await self._door.close()

    async def _on_problem(self, request: Request, problem: Exception) -> Response:
        assert isinstance(problem, Problem)
        return self._answer(request, problem)

    async def _on_http_exception(self, request: Request, error: Exception) -> Response:
        """What the router says: no such path, or no such method there."""
        assert isinstance(error, HTTPException)
        if error.status_code == 405:
            allowed = ", ".join(self._methods(request))
            if request.method == "OPTIONS":
                return Response(status_code=204, headers={"Allow": allowed})
            words = f"{request.method} is not possible here; {allowed} are"
            return self._answer(
                request, Problem(METHOD_NOT_ALLOWED, words, headers={"Allow": allowed})
            )
        if error.status_code == 404:
            return self._answer(request, self._no_path(request))
        raise error

    async def _on_store_trouble(self, request: Request, error: Exception) -> Response:
        if not is_unavailable(error):
            raise error
        log.error("store_unavailable", request_id=request.scope[REQUEST_ID], error=str(error))
        words = "the database does not answer; try again later"
        if request.method not in READING:
            words += ", and look before you do: what you asked for may have been done"
        return self._answer(
            request, Problem(STORE_UNAVAILABLE, words, headers={"Retry-After": "5"})
        )

    async def _on_unreadable(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, UnreadableRow)
        words = (
            f"{error.row_id} is stored and cannot be read by this version of genq; it is left as it"
            " is. Whoever runs this service finds the cause with: genq check"
        )
        return self._answer(request, Problem(UNREADABLE, words))

    def _no_path(self, request: Request) -> Problem:
        path = request.scope["path"].rstrip("/")
        shorter = {**request.scope, "path": path}
        slashed = any(route.matches(shorter)[0] is not Match.NONE for route in self.routes)
        words = f"write {path}" if slashed else "GET / says where to begin"
        return Problem(NOT_FOUND, f"there is nothing at this path; {words}")

    def _methods(self, request: Request) -> list[str]:
        """All methods the path takes. It may have several routes, of one method each."""
        found = {"OPTIONS"}
        for route in self.routes:
            if route.matches(request.scope)[0] is not Match.NONE:
                found |= getattr(route, "methods", None) or set()
        return sorted(found | {"HEAD"} if "GET" in found else found)

    def _answer(self, request: Request, problem: Problem) -> Response:
        return problem_answer(
            problem,
            instance=path_of(request.scope),
            request_id=request.scope[REQUEST_ID],
            base_url=self._door.base_url,
        )


def create_app(settings: Settings) -> Api:
    """
    The application with these settings. Raises `StationsFileError` or `UnusableDatabase` where they
    cannot work. Its lifespan raises `Refusal` where the database is not ready for it.
    """
    return Api(settings)
