"""
The API's description, OpenAPI 3.1, put together once from what each route says of itself.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from typing import Any, cast

from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from starlette.routing import BaseRoute

from api.auth.guard import Route
from api.dependencies import JsonBody
from api.docs.examples import JOB_ID
from api.docs.job_schemas import schemas
from api.docs.openapi_parts import ANY_BODY, REF, Spec
from api.http.openapi import problems
from api.http.problems import MEDIA_TYPE
from api.keys.schemas import KEY_ID
from api.operations.catalogue import Catalogue
from api.routing import ApiRoute
from api.version import VERSION

ABOUT = (
    "Order images, video, music and text from many upstreams through one queue. `202` means the"
    " job is on disk; nothing is paid twice, and every ending is told by webhook.\n\n"
    "Errors are `application/problem+json` (RFC 9457), and every answer carries `X-Request-Id`."
)
TAGS = (
    ("Jobs", "Order, look, list, cancel."),
    ("Events", "What has happened and what happens: pulled, or streamed."),
    ("Batches", "Jobs ordered together."),
    ("Webhook endpoints", "Whom to tell of all jobs of a tenant."),
    ("Webhook deliveries", "What was told to whom, how that went, and sending it again."),
    ("Operations", "What can be ordered."),
    (
        "Keys",
        "Who may call, and how much. For operators: needs a key with the scope `admin`, as"
        " `genq keys create NAME --scope admin` makes one.",
    ),
    ("Upstreams", "What genq gives out to upstreams. The address itself is the key."),
    ("Health", "For load balancers and people on call. Only the figures need a key."),
    ("About", "The service itself. No key is needed."),
)
#: Ids in the paths of examples.
EXAMPLE_IDS = {"job_id": JOB_ID, "key_id": KEY_ID}
ANY_BODY_RESPONSES = problems(*ANY_BODY)
LICENSE = {"name": "MIT", "identifier": "MIT"}
HERE = "/"
SECURITY: Mapping[str, Mapping[str, str]] = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "`Authorization: Bearer genq_…`",
    },
    "apiKey": {
        "type": "apiKey",
        "in": "header",
        "name": "X-API-Key",
        "description": "The same key.",
    },
}


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
                complete(paths[route.path][method.lower()], route)
        elif isinstance(route, Route) and route.include_in_schema:
            for method in route.methods or ():
                paths.setdefault(route.path, {})[method.lower()] = route.openapi_extra
    found: Spec = document["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        found.pop(name, None)
    found |= schemas(catalogue, body_models(routes))
    document["components"]["securitySchemes"] = SECURITY
    return document


def complete(operation: Spec, route: ApiRoute) -> None:
    """Add to an operation of FastAPI's document what FastAPI leaves out or cannot know."""
    responses: Spec = operation["responses"]
    if "application/json" in responses.get("422", {}).get("content", {}):
        del responses["422"]  # FastAPI's own form of validation errors, which genq does not use
    if body := body_of(route):
        operation["requestBody"] = request_body(body)
        responses |= {str(status): each for status, each in deepcopy(ANY_BODY_RESPONSES).items()}
    operation.setdefault("security", [])
    for parameter in operation.get("parameters", []):
        parameter["schema"] = without_null(parameter["schema"])
    restore_examples(responses, route)
    set_instances(responses, route.path)
    operation["responses"] = dict(sorted(responses.items()))


def restore_examples(responses: Spec, route: ApiRoute) -> None:
    """Set the examples again, because FastAPI drops null values from them."""
    for status, given in route.responses.items():
        for media_type, content in given.get("content", {}).items():
            found = responses[str(status)]["content"][media_type]
            found |= {name: value for name, value in content.items() if name != "schema"}


def without_null(schema: Spec) -> Spec:
    """Return the schema of an optional parameter: absent, it is not sent as null."""
    (first, *more) = [each for each in schema.get("anyOf", [schema]) if each != {"type": "null"}]
    found = {"anyOf": [first, *more]} if more else first
    return {name: value for name, value in found.items() if name != "title"}


def set_instances(responses: Spec, path: str) -> None:
    """Put the path into the examples of problems."""
    instance = re.sub(r"{(\w+)}", lambda found: EXAMPLE_IDS.get(found[1], found[1]), path)
    for response in responses.values():
        content = response.get("content", {}).get(MEDIA_TYPE)
        if content is not None:
            content["examples"] = {
                code: example | {"value": example["value"] | {"instance": instance}}
                for code, example in content["examples"].items()
            }


def body_of(route: ApiRoute) -> JsonBody[Any] | None:
    """Return the dependency that reads the body, if there is one."""
    for dependency in route.dependant.dependencies:
        if isinstance(dependency.call, JsonBody):
            return cast(JsonBody[Any], dependency.call)
    return None


def body_models(routes: Iterable[BaseRoute]) -> list[type[BaseModel]]:
    bodies = (body_of(route) for route in routes if isinstance(route, ApiRoute))
    return [body.model for body in bodies if body]


def request_body(body: JsonBody[Any]) -> Spec:
    content = {
        "schema": {"$ref": REF.format(model=body.model.__name__)},
        "examples": {
            summary: {"summary": summary, "value": value}
            for summary, value in body.examples.items()
        },
    }
    return {"required": True, "content": {"application/json": content}}
