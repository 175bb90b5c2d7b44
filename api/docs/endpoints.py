"""The service about itself: its entry page, OpenAPI document, manual, and a page for each problem.

None of it needs a key or the network.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, ClassVar, Literal

from fastapi import FastAPI, Path
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from api.dependencies import InContainer
from api.docs.manual import STYLE, front_page, manual_page, problem_page
from api.http.problem_types import KINDS, NOT_FOUND, Kind
from api.http.problems import Problem
from api.http.responses import json_answer
from api.http.schemas import Document, ProblemKind
from api.routing import new_router
from api.version import VERSION

#: Pages load nothing from other hosts and run no scripts.
PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
STYLE_HEADERS = {"Cache-Control": "public, max-age=3600", "X-Content-Type-Options": "nosniff"}
PATHS: Mapping[str, str] = {
    "docs": "/docs",
    "openapi": "/openapi.json",
    "jobs": "/v1/jobs",
    "operations": "/v1/operations",
    "health": "/healthz",
    "readiness": "/readyz",
}

router = new_router("About")


class Service(Document):
    """The service, and where to go from here."""

    EXAMPLE: ClassVar[object] = {"name": "genq", "version": VERSION, "links": {"docs": "/docs"}}

    name: Literal["genq"]
    version: str
    links: dict[str, str]


def kind_document(kind: Kind) -> dict[str, object]:
    return {
        "code": kind.code,
        "status": kind.status,
        "title": kind.title,
        "advice": kind.advice,
    }


@router.get(
    "/",
    response_model=Service,
)
async def get_service(request: Request, container: InContainer) -> Response:
    """Get the entry points.

    The name, the version and links to everything else. A browser gets a page.
    """
    if wants_page(request):
        return page(front_page(VERSION, PATHS))
    links = {name: container.base_url + path for name, path in PATHS.items()}
    return json_answer({"name": "genq", "version": VERSION, "links": links})


@router.get(
    "/problems/{code}",
    response_model=ProblemKind,
)
async def get_problem(
    request: Request, code: Annotated[str, Path(description="The problem's `code`.")]
) -> Response:
    """Explain a problem.

    The `type` of every problem document is the URL of this page. A browser gets a page.
    """
    kind = KINDS.get(code)
    if kind is None:
        raise Problem(NOT_FOUND, f"there is no such problem; there are {', '.join(KINDS)}")
    if wants_page(request):
        return page(problem_page(kind))
    return json_answer(kind_document(kind))


@router.get("/openapi.json", include_in_schema=False)
async def get_openapi(request: Request) -> Response:
    return Response(openapi_json(request.app), media_type="application/json")


@router.get("/docs", include_in_schema=False)
async def get_manual(request: Request) -> Response:
    return page(manual(request.app))


@router.get("/docs/style.css", include_in_schema=False)
async def get_style() -> Response:
    return Response(STYLE, headers=STYLE_HEADERS, media_type="text/css")


@lru_cache(maxsize=1)
def openapi_json(app: FastAPI) -> bytes:
    return to_json(app.openapi())


@lru_cache(maxsize=1)
def manual(app: FastAPI) -> str:
    return manual_page(app.openapi())


def wants_page(request: Request) -> bool:
    """Return whether a browser asks."""
    return "text/html" in request.headers.get("accept", "")


def page(html: str) -> Response:
    return Response(html, headers=PAGE_HEADERS, media_type="text/html")
