"""The fast path: the busiest endpoints are called without FastAPI's and Starlette's steps.

Those steps take more time than authentication, validation and the response together
(docs/decisions/0032). An endpoint is marked where it is written, with `@fast_path`; its route,
its OpenAPI description, its dependencies and its errors are those of every other endpoint.
"""

import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, TypeVar, get_args

from fastapi.params import Path, Security
from fastapi.security import SecurityScopes
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from api.auth.dependencies import authenticate
from api.container import Container
from api.dependencies import RawJsonBody, get_container
from api.routing import ApiRoute, Handler

Endpoint = TypeVar("Endpoint", bound=Callable[..., Awaitable[Response]])
ExceptionHandler = Callable[[Request, Exception], Awaitable[Response]]
#: Reads one argument of an endpoint from the request.
Argument = Callable[[Request], Awaitable[Any]]

MARK = "_has_fast_path"


def fast_path(endpoint: Endpoint) -> Endpoint:
    """Mark an endpoint.

    It may take the request, a caller with a scope, the container, a JSON body and one path
    parameter at the end of the path; anything else raises `TypeError` when the process starts.
    """
    setattr(endpoint, MARK, True)
    return endpoint


class FastPath:
    """ASGI middleware. Calls marked endpoints itself and passes all other requests on to `app`.

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
    """Return a handler that reads the endpoint's arguments in their order and calls it."""
    parameters = inspect.signature(endpoint).parameters.values()
    arguments = [(each.name, argument_of(each, container)) for each in parameters]

    async def handle(request: Request) -> Response:
        values = {name: await read(request) for name, read in arguments}
        return await endpoint(**values)

    return handle


def argument_of(parameter: inspect.Parameter, container: Container) -> Argument:
    """Return what reads this argument. Raises `TypeError` for one that only FastAPI can read."""
    if parameter.annotation is Request:
        return same_request
    marker = next(iter(get_args(parameter.annotation)[1:]), None)
    match marker:
        case Security(dependency=dependency, scopes=scopes) if dependency is authenticate:
            required = SecurityScopes([*scopes] if scopes else [])
            return lambda request: authenticate(request, required, container, None, None)
        case Path():
            return path_parameter(parameter.name)
        case _:
            pass
    dependency = getattr(marker, "dependency", None)
    if dependency is get_container:
        return get_container
    if isinstance(dependency, RawJsonBody):
        return lambda request: dependency(request, container.settings)
    raise TypeError(f"the fast path cannot read the parameter {parameter.name}")


async def same_request(request: Request) -> Request:
    return request


def path_parameter(name: str) -> Argument:
    async def read(request: Request) -> str:
        return request.path_params[name]

    return read
