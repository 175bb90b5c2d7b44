"""The OpenAPI document: FastAPI's, and what follows from the parameters of the endpoints."""

import re
from collections.abc import Iterable, Iterator, Sequence
from inspect import isclass
from typing import Any, cast

from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.routing import BaseRoute

from api.dependencies import QueryReader, RawJsonBody
from api.http.openapi import REF, Responses, problems
from api.http.problem_types import (
    BODY_TOO_LARGE,
    HEAD_TOO_LARGE,
    INSUFFICIENT_SCOPE,
    INVALID_QUERY,
    MALFORMED_JSON,
    NOT_FOUND,
    STORE_UNAVAILABLE,
    UNAUTHENTICATED,
)
from api.http.problems import MEDIA_TYPE, Complaint, Problem, invalid
from api.http.schemas import Document, RequestModel
from api.http.schemas import Problem as ProblemSchema
from api.jobs.examples import BATCH_ID, JOB_ID
from api.jobs.submission import JobSubmission
from api.jobs.submission_schema import SUBMISSION, submission_body, submission_schemas
from api.operations.catalogue import Catalogue
from api.routing import ApiRoute
from api.version import VERSION
from api.webhooks.examples import DELIVERY, ENDPOINT

ABOUT = (
    "Submit image, video, music and text jobs to many upstreams through one queue. `202` means that"
    " the job is stored. No job is paid for twice, and every result is delivered by webhook.\n\n"
    "Errors are `application/problem+json` (RFC 9457). Every response has an `X-Request-Id`."
)
TAGS = (
    ("Jobs", "Submit, get, list and cancel jobs."),
    ("Events", "Read events page by page, or as a stream."),
    ("Batches", "Jobs submitted together."),
    ("Webhook endpoints", "Receivers of the events of all jobs of a tenant."),
    ("Webhook deliveries", "The log of deliveries, and sending them again."),
    ("Operations", "The operations that jobs can be submitted to."),
    (
        "Keys",
        "API keys, their permissions and limits. For operators: needs a key with the scope `admin`,"
        " which `genq keys create NAME --scope admin` makes.",
    ),
    ("Upstreams", "For callbacks of upstreams. The token in the path authenticates them."),
    ("Health", "For load balancers and people on call. Only the metrics need a key."),
    ("About", "The service itself. No key is needed."),
)
#: Values of path parameters in examples.
EXAMPLE_IDS = {
    "job_id": JOB_ID,
    "batch_id": BATCH_ID,
    "endpoint_id": ENDPOINT.id,
    "delivery_id": DELIVERY.id,
    "key_id": "key_01KG9Q2Z6M8T4V7X1Y3A5C7E9G",
    "provider": "kling",
    "operation": "text2video",
}
KEYED = (
    Problem(UNAUTHENTICATED, "this path needs an API key"),
    Problem(
        INSUFFICIENT_SCOPE, "this needs a key with the scope cancel; the scopes of this one: read"
    ),
    Problem(STORE_UNAVAILABLE, "the database does not answer; try again later"),
)
OPEN = (Problem(HEAD_TOO_LARGE, "a request's head may have at most 65536 bytes"),)
ANY_BODY = (
    Problem(MALFORMED_JSON, "the body is empty; send a JSON object"),
    Problem(BODY_TOO_LARGE, "the body may have at most 33554432 bytes"),
    invalid([Complaint("#/colour", "is not a known field", "unknown_field")]),
)
Spec = dict[str, Any]

LICENSE = {"name": "MIT", "identifier": "MIT"}
HERE = "/"


def openapi(routes: Sequence[BaseRoute], catalogue: Catalogue, base_url: str) -> Spec:
    """Return the whole document."""
    document = get_openapi(
        title="genq",
        version=VERSION,
        description=ABOUT,
        license_info=LICENSE,
        routes=[route for route in routes if isinstance(route, ApiRoute)],
        servers=[{"url": base_url or HERE}],
        tags=[{"name": name, "description": text} for name, text in TAGS],
    )
    paths = document["paths"]
    for route in routes:
        if isinstance(route, ApiRoute) and route.include_in_schema:
            for method in route.methods or ():
                operation = paths[route.path][method.lower()]
                complete(operation, route)
                if body_of(route) is JobSubmission:
                    operation["requestBody"] = submission_body(catalogue)
    found: Spec = document["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        found.pop(name, None)
    found |= model_schemas([ProblemSchema, *bodies_of(routes)])
    found |= submission_schemas(catalogue, found[SUBMISSION])
    document["components"]["schemas"] = {name: titled(name, found[name]) for name in sorted(found)}
    return document


def titled(name: str, schema: Spec) -> Spec:
    """Return a schema with its name as its title, and without titles inside.

    Generators of clients name classes after titles and leave out those that occur twice; pydantic
    gives the models of several providers the same title.
    """
    return without_titles(schema) | {"title": name}


#: Their values are data, not schemas.
LITERALS = {"const", "default", "enum", "example", "examples"}


def without_titles(schema: Any) -> Any:
    match schema:
        case dict():
            return {
                name: value if name in LITERALS else without_titles(value)
                for name, value in cast(Spec, schema).items()
                if not (name == "title" and isinstance(value, str))
            }
        case list():
            return [without_titles(each) for each in cast(list[Any], schema)]
        case _:
            return schema


def complete(operation: Spec, route: ApiRoute) -> None:
    """Add what the parameters and models of the endpoint imply, and FastAPI does not know."""
    responses: Spec = operation["responses"]
    if "application/json" in responses.get("422", {}).get("content", {}):
        del responses["422"]  # FastAPI's own form of validation errors, which genq does not use
    operation.setdefault("security", [])
    for parameter in operation.get("parameters", []):
        parameter["schema"] = without_null(parameter["schema"])
    if body := body_of(route):
        operation["requestBody"] = request_body(body)
    describe_success(responses, route)
    given = {status: each for status, each in route.responses.items() if "content" in each}
    for found in (problems(*implied_problems(operation, route)), given):
        add_problems(responses, found, instance_of(route.path))
    operation["responses"] = dict(sorted(responses.items()))


def describe_success(responses: Spec, route: ApiRoute) -> None:
    """Take the description and the example of a response from its model."""
    others = {status: each["model"] for status, each in route.responses.items() if "model" in each}
    models = {route.status_code or 200: route.response_model} | others
    for status, model in models.items():
        if isclass(model) and issubclass(model, Document):
            given = route.responses.get(status, {})
            content = given.get("content", {}).get("application/json", {"example": model.EXAMPLE})
            responses[str(status)]["content"]["application/json"] |= content
            first_line = (model.__doc__ or "").partition("\n")[0]
            responses[str(status)]["description"] = given.get("description", first_line)


def implied_problems(operation: Spec, route: ApiRoute) -> Iterator[Problem]:
    """Yield the problems that any endpoint with such parameters may answer with."""
    yield from KEYED if operation["security"] else OPEN
    if route.dependant.path_params or "{" in route.path:
        yield Problem(NOT_FOUND, "there is nothing of this id, or it is not yours")
    if any(isinstance(each, QueryReader) for each in dependencies_of(route)):
        yield Problem(INVALID_QUERY, "there is no parameter 'colour'")
    if "requestBody" in operation:
        yield from ANY_BODY


def add_problems(responses: Spec, found: Responses, instance: str) -> None:
    """Add problem responses to those that are there, with this instance in their examples."""
    for status, each in found.items():
        content = each["content"].get(MEDIA_TYPE)
        if content is None:
            continue
        examples = {
            code: example | {"value": example["value"] | {"instance": instance}}
            for code, example in content["examples"].items()
        }
        old = responses.get(str(status), {}).get("content", {}).get(MEDIA_TYPE, {})
        merged = content | {"examples": old.get("examples", {}) | examples}
        responses[str(status)] = each | {"content": {MEDIA_TYPE: merged}}


def instance_of(path: str) -> str:
    return re.sub(r"{(\w+)}", lambda found: EXAMPLE_IDS.get(found[1], found[1]), path)


def without_null(schema: Spec) -> Spec:
    """Return the schema of an optional parameter: absent, it is not sent as null."""
    (first, *more) = [each for each in schema.get("anyOf", [schema]) if each != {"type": "null"}]
    found = {"anyOf": [first, *more]} if more else first
    return {name: value for name, value in found.items() if name not in {"title", "description"}}


def dependencies_of(route: ApiRoute) -> list[object]:
    return [each.call for each in route.dependant.dependencies]


def body_of(route: ApiRoute) -> type[RequestModel] | None:
    """Return the model of the endpoint's body, if it takes one."""
    for each in dependencies_of(route):
        if isinstance(each, RawJsonBody):
            return each.model
    return None


def bodies_of(routes: Iterable[BaseRoute]) -> Iterator[type[RequestModel]]:
    """Yield the models of all request bodies."""
    for route in routes:
        if isinstance(route, ApiRoute) and (body := body_of(route)):
            yield body


def model_schemas(models: Iterable[type[BaseModel]]) -> Spec:
    """Return the schemas of models and of their parts, by name."""
    _, document = models_json_schema(
        [(model, "validation") for model in dict.fromkeys(models)], ref_template=REF
    )
    return document["$defs"]


def request_body(model: type[RequestModel]) -> Spec:
    content = {
        "schema": {"$ref": REF.format(model=model.__name__)},
        "examples": {
            summary: {"summary": summary, "value": value}
            for summary, value in model.EXAMPLES.items()
        },
    }
    return {"required": True, "content": {"application/json": content}}
