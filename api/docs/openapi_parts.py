"""
The pieces an OpenAPI description is made of.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from api.http.problem_types import (
    BODY_TOO_LARGE,
    HEAD_TOO_LARGE,
    INSUFFICIENT_SCOPE,
    MALFORMED_JSON,
    Kind,
)
from api.http.problems import MEDIA_TYPE, Problem, problem_document

REF = "#/components/schemas/{model}"

KEYED: list[dict[str, list[str]]] = [{"bearer": []}, {"apiKey": []}]

Spec = dict[str, Any]

OUT_OF_SCOPE = Problem(
    INSUFFICIENT_SCOPE, "this needs a key with the scope cancel; the scopes of this one: read"
)
#: What every body may be told.
ANY_BODY = (
    Problem(MALFORMED_JSON, "the body is empty; send a JSON object"),
    Problem(BODY_TOO_LARGE, "the body may have at most 33554432 bytes"),
)
TOO_LARGE_A_HEAD = Problem(HEAD_TOO_LARGE, "a request's head may have at most 65536 bytes")


def describe(
    tag: str,
    operation_id: str,
    summary: str,
    description: str,
    *,
    answers: Mapping[int, Spec],
    parameters: Iterable[Spec] = (),
    body: Spec | None = None,
    keyed: bool = True,
) -> Spec:
    """An OpenAPI operation object. `keyed` ones need an API key that has their scope."""
    always = complains(OUT_OF_SCOPE if keyed else TOO_LARGE_A_HEAD, *(ANY_BODY if body else ()))
    given = {**always, **answers}
    return {
        "tags": [tag],
        "operationId": operation_id,
        "summary": summary,
        "description": description,
        "security": KEYED if keyed else [],
        **({"parameters": [*parameters]} if parameters else {}),
        **({"requestBody": body} if body else {}),
        "responses": {str(status): answer for status, answer in sorted(given.items())},
    }


def says(
    description: str, model: str, example: object = None, headers: Mapping[str, str] | None = None
) -> Spec:
    """A JSON answer of one of `api.docs.schemas.MODELS`, by the title of its schema."""
    content: Spec = {"schema": {"$ref": REF.format(model=model)}}
    if example is not None:
        content["example"] = example
    answer: Spec = {"description": description, "content": {"application/json": content}}
    if headers:
        answer["headers"] = {
            name: {"description": words, "schema": {"type": "string"}}
            for name, words in headers.items()
        }
    return answer


def complains(*problems: Problem, instance: str = "/v1/jobs") -> dict[int, Spec]:
    """Problem answers by status, each with these as its examples."""
    answers: dict[int, Spec] = {}
    for problem in problems:
        kind = problem.kind
        answer = answers.setdefault(kind.status, problem_of(kind))
        answer["content"][MEDIA_TYPE]["examples"][kind.code] = {
            "summary": kind.title,
            "value": problem_document(
                problem, instance=instance, request_id="req_4f0c2a91d3b87e65a1c09f2d", base_url=""
            ),
        }
    return answers


def problem_of(kind: Kind) -> Spec:
    return {
        "description": kind.title,
        "content": {MEDIA_TYPE: {"schema": {"$ref": REF.format(model="Problem")}, "examples": {}}},
    }


def takes(model: str, examples: Mapping[str, tuple[str, object]]) -> Spec:
    """A JSON body of this schema. Examples by name, each with its summary."""
    return {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"$ref": REF.format(model=model)},
                "examples": {
                    name: {"summary": summary, "value": value}
                    for name, (summary, value) in examples.items()
                },
            }
        },
    }


def in_path(name: str, description: str) -> Spec:
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": description,
        "schema": {"type": "string"},
    }


def in_header(name: str, description: str, example: str) -> Spec:
    return {
        "name": name,
        "in": "header",
        "description": description,
        "schema": {"type": "string"},
        "example": example,
    }


def in_query(name: str, description: str, schema: Spec) -> Spec:
    return {"name": name, "in": "query", "description": description, "schema": schema}
