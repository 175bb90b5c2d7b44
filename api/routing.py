"""Routers and routes of the API: FastAPI's, with genq's problems, limits and repeated reads."""

import inspect
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from api.dependencies import container_of
from api.http.query_params import unusable_value
from generation.access.quota import QuotaExceeded
from generation.store import retry_if_disconnected

Handler = Callable[[Request], Coroutine[Any, Any, Response]]

#: Methods that change nothing.
READ_METHODS = frozenset({"GET", "HEAD"})


class ApiRoute(APIRoute):
    """A route whose endpoint is described by its docstring and its name.

    The first line of the docstring is the summary, the rest the description; `create_key` is the
    operation `createKey`. A read is repeated once if the database connection was cut.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        summary, *paragraphs = paragraphs_of(endpoint)
        options["summary"] = summary.rstrip(".")
        options["description"] = "\n\n".join(paragraphs) or summary
        super().__init__(path, endpoint, **options)

    def get_route_handler(self) -> Handler:
        return self.with_rules(super().get_route_handler())

    def with_rules(self, handle: Handler) -> Handler:
        """Return a handler that repeats cut reads and applies the limits of the caller's key."""
        is_read = (self.methods or set()) <= READ_METHODS

        async def serve(request: Request) -> Response:
            try:
                if is_read:
                    return await retry_if_disconnected(lambda: handle(request))
                response = await handle(request)
            except RequestValidationError as error:
                raise unusable_value(error.errors()) from error
            except QuotaExceeded as over:
                limiter = container_of(request).limiter
                raise limiter.problem(request.state.limited_caller, over) from over
            if caller := getattr(request.state, "limited_caller", None):
                response.raw_headers.extend(container_of(request).limiter.fields(caller))
            return response

        return serve


def paragraphs_of(endpoint: Callable[..., Any]) -> list[str]:
    """Return the paragraphs of the docstring, each on one line."""
    docstring = inspect.cleandoc(endpoint.__doc__ or "")
    return [" ".join(paragraph.split()) for paragraph in docstring.split("\n\n")]


def operation_id(route: APIRoute) -> str:
    """`create_key` is `createKey`."""
    first, *rest = route.name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def new_router(tag: str, prefix: str = "") -> APIRouter:
    """Return the router of a folder; `tag` groups its endpoints in the OpenAPI document."""
    return APIRouter(
        prefix=prefix,
        tags=[tag],
        route_class=ApiRoute,
        generate_unique_id_function=operation_id,
    )
