"""The fast path: the busiest endpoints are called without FastAPI's and Starlette's steps.

Those steps take more time than authentication, validation and the response together
(docs/decisions/0032). An endpoint is marked where it is written, with `@fast_path`; its route, its
OpenAPI description, its dependencies and its errors are those of every other endpoint.
"""

import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, TypeVar, get_args

from fastapi.params import Path, Security
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from api.auth.dependencies import admit, authenticate
from api.container import Container
from api.dependencies import RawJsonBody, get_container
from api.routing import ApiRoute, Handler
from generation.access.permissions import Scope as AccessScope
from generation.store import ApiKey

Endpoint = TypeVar("Endpoint", bound=Callable[..., Awaitable[Response]])
ExceptionHandler = Callable[[Request, Exception], Awaitable[Response]]

MARK = "_has_fast_path"


def fast_path(endpoint: Endpoint) -> Endpoint:
    """Mark an endpoint.

    It may take the request, a caller with a scope, the container, a JSON body and one path
    parameter at the end of the path; anything else raises `TypeError` when the process starts.
    """
    setattr(endpoint, MARK, True)
    return endpoint


class FastPath:
    """ASGI middleware.

    Calls marked endpoints itself and passes all other requests on to `app`.

    `exception_handlers` is the table of the application, by exception class.
    """

    def __init__(
        self,
        app: ASGIApp,
        routes: Iterable[BaseRoute],
        container: Container,
        exception_handlers: Mapping[Any, ExceptionHandler],
    ) -> None:
        self._app = app
        self._exception_handlers = exception_handlers
        #: Handlers by method and path.
        self._handlers: dict[tuple[str, str], Handler] = {}
        #: Handlers and names of the parameter by method and path before the last `/`.
        self._with_parameter: dict[tuple[str, str], tuple[Handler, str]] = {}
        for route in routes:
            if isinstance(route, ApiRoute) and getattr(route.endpoint, MARK, False):
                self._add(route, container)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        handler = self._find(scope) if scope["type"] == "http" else None
        if handler is None:
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        try:
            response = await handler(request)
        except Exception as error:
            response = await self._problem(request, error)
        await response(scope, receive, send)

    def _add(self, route: ApiRoute, container: Container) -> None:
        handler = route.with_rules(direct_call(route.endpoint, container))
        parent, _, last = route.path.rpartition("/")
        for method in route.methods or ():
            if last.startswith("{"):
                self._with_parameter[method, parent] = handler, last[1:-1]
            else:
                self._handlers[method, route.path] = handler

    def _find(self, scope: Scope) -> Handler | None:
        method, path = scope["method"], scope["path"]
        if found := self._handlers.get((method, path)):
            return found
        parent, _, value = path.rpartition("/")
        handler, name = self._with_parameter.get((method, parent), (None, ""))
        if handler is None or not value:
            return None
        scope["path_params"] = {name: value}
        return handler

    async def _problem(self, request: Request, error: Exception) -> Response:
        """Return the response that the application's table has for this error, or raise it."""
        for kind in type(error).__mro__:
            if handler := self._exception_handlers.get(kind):
                return await handler(request, error)
        raise error


def direct_call(endpoint: Callable[..., Awaitable[Response]], container: Container) -> Handler:
    """Return a handler that reads the endpoint's arguments in their order and calls it.

    Raises `TypeError` for a parameter that only FastAPI can read.
    """
    constants: dict[str, Any] = {}
    plain: list[tuple[str, Callable[[Request], Any]]] = []
    awaited: list[tuple[str, Callable[[Request], Awaitable[Any]]]] = []
    for parameter in inspect.signature(endpoint).parameters.values():
        name, marker = parameter.name, next(iter(get_args(parameter.annotation)[1:]), None)
        dependency = getattr(marker, "dependency", None)
        if parameter.annotation is Request:
            plain.append((name, same_request))
        elif isinstance(marker, Path):
            plain.append((name, path_parameter(name)))
        elif dependency is get_container:
            constants[name] = container
        elif isinstance(marker, Security) and dependency is authenticate:
            awaited.append((name, caller_with(marker, container)))
        elif isinstance(dependency, RawJsonBody):
            awaited.append((name, body_by(dependency, container)))
        else:
            raise TypeError(f"the fast path cannot read the parameter {name}")

    async def handle(request: Request) -> Response:
        values = constants.copy()
        for name, read in plain:
            values[name] = read(request)
        for name, read in awaited:
            values[name] = await read(request)
        return await endpoint(**values)

    return handle


def same_request(request: Request) -> Request:
    return request


def path_parameter(name: str) -> Callable[[Request], str]:
    return lambda request: request.scope["path_params"][name]


def caller_with(marker: Security, container: Container) -> Callable[[Request], Awaitable[ApiKey]]:
    (scope,) = map(AccessScope, marker.scopes or ())
    return lambda request: admit(request, scope, container)


def body_by(reader: RawJsonBody, container: Container) -> Callable[[Request], Awaitable[Any]]:
    return lambda request: reader(request, container.settings)
