"""
The service about itself: where to begin, the API's description and its manual, and the page each
kind of problem has. None of it needs a key or the network.
"""

from collections.abc import Sequence
from functools import cached_property

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from api.auth.guard import Route
from api.docs.manual import STYLE, front_page, manual_page, problem_page
from api.docs.openapi import openapi
from api.docs.openapi_parts import Spec
from api.http.problem_types import KINDS, NOT_FOUND, Kind
from api.http.problems import Problem
from api.http.responses import json_answer
from api.operations.catalogue import Catalogue
from api.version import VERSION

#: Pages load nothing from anywhere but here, and run nothing.
PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


class About:
    """The open endpoints. Documents are made when they are first asked for, and kept."""

    def __init__(self, catalogue: Catalogue, base_url: str) -> None:
        self._catalogue = catalogue
        self._base_url = base_url
        #: Whose description this gives; set once all routes are there.
        self.routes: Sequence[Route] = ()

    @cached_property
    def spec(self) -> Spec:
        return openapi(self.routes, self._catalogue, self._base_url)

    async def root(self, request: Request) -> Response:
        paths = {
            "docs": "/docs",
            "openapi": "/openapi.json",
            "jobs": "/v1/jobs",
            "operations": "/v1/operations",
            "health": "/healthz",
            "readiness": "/readyz",
        }
        links = {name: self._base_url + path for name, path in paths.items()}
        if wants_page(request):
            return page(front_page(VERSION, paths))
        return json_answer({"name": "genq", "version": VERSION, "links": links})

    async def description(self, request: Request) -> Response:
        del request
        return Response(self._description, media_type="application/json")

    async def manual(self, request: Request) -> Response:
        del request
        return page(self._manual)

    async def style(self, request: Request) -> Response:
        del request
        headers = {"Cache-Control": "public, max-age=3600", "X-Content-Type-Options": "nosniff"}
        return Response(STYLE, headers=headers, media_type="text/css")

    async def problem(self, request: Request) -> Response:
        kind = KINDS.get(request.path_params["code"])
        if kind is None:
            raise Problem(NOT_FOUND, f"there is no such problem; there are {', '.join(KINDS)}")
        if wants_page(request):
            return page(problem_page(kind))
        return json_answer(kind_document(kind))

    @cached_property
    def _description(self) -> bytes:
        return to_json(self.spec)

    @cached_property
    def _manual(self) -> str:
        return manual_page(self.spec)


def wants_page(request: Request) -> bool:
    """Whether a browser asks."""
    return "text/html" in request.headers.get("accept", "")


def page(html: str) -> Response:
    return Response(html, headers=PAGE_HEADERS, media_type="text/html")


def kind_document(kind: Kind) -> dict[str, object]:
    return {
        "code": kind.code,
        "status": kind.status,
        "title": kind.title,
        "advice": kind.advice,
    }
