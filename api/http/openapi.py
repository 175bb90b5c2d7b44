"""Parts of the OpenAPI document, for the `responses` of routes."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from api.http.problems import MEDIA_TYPE, Problem, problem_document

#: Responses by status, as FastAPI's `responses` takes them.
Responses = dict[int | str, dict[str, Any]]

REF = "#/components/schemas/{model}"
#: The builder of the document puts the path of the route here.
INSTANCE = "/"
REQUEST_ID = "req_4f0c2a91d3b87e65a1c09f2d"


def response(
    status: int,
    description: str = "",
    *,
    example: object = None,
    model: type[BaseModel] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Responses:
    """Return one response.

    `model` is needed for other statuses than the route's own. Its description and example are the
    default.
    """
    found: dict[str, Any] = {"description": description} if description else {}
    if model is not None:
        found["model"] = model
    if example is not None:
        found["content"] = {"application/json": {"example": example}}
    if headers:
        found["headers"] = {
            name: {"description": text, "schema": {"type": "string"}}
            for name, text in headers.items()
        }
    return {status: found}


def problems(*examples: Problem) -> Responses:
    """Problem responses by status, with these problems as examples."""
    found: Responses = {}
    for problem in examples:
        kind = problem.kind
        content = {"schema": {"$ref": REF.format(model="Problem")}, "examples": {}}
        entry = found.setdefault(
            kind.status, {"description": kind.title, "content": {MEDIA_TYPE: content}}
        )
        entry["content"][MEDIA_TYPE]["examples"][kind.code] = {
            "summary": kind.title,
            "value": problem_document(
                problem, instance=INSTANCE, request_id=REQUEST_ID, base_url=""
            ),
        }
    return found


def header_parameter(name: str, description: str, example: str) -> dict[str, Any]:
    """Return a parameter object for a header that an endpoint reads by itself."""
    return {
        "name": name,
        "in": "header",
        "description": description,
        "schema": {"type": "string"},
        "example": example,
    }
