"""
The API's description, OpenAPI 3.1, put together once from what each route says of itself.
"""

from collections.abc import Iterable, Mapping

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from api.catalogue import Catalogue, Entry
from api.documents import MODELS
from api.orders import Order
from api.routes import Route
from api.spec import REF, Spec
from api.version import VERSION

ABOUT = (
    "Order images, video, music and text from many upstreams through one queue. `202` means the"
    " job is on disk; nothing is paid twice, and every ending is told by webhook.\n\n"
    "Errors are `application/problem+json` (RFC 9457), and every answer carries `X-Request-Id`."
)
TAGS = (
    ("Jobs", "Order, look, list, cancel."),
    ("Operations", "What can be ordered."),
    ("Health", "For load balancers and people on call. No key is needed."),
    ("About", "The service itself. No key is needed."),
)
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


def order_body(catalogue: Catalogue) -> Spec:
    """The body of `POST /v1/jobs`: one schema and one example per operation."""
    return {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "oneOf": [{"$ref": REF.format(model=order_name(e))} for e in catalogue.entries]
                },
                "examples": {
                    name_of(entry): {
                        "summary": entry.operation.summary,
                        "value": order_example(entry),
                    }
                    for entry in catalogue.entries
                },
            }
        },
    }


def order_example(entry: Entry) -> Spec:
    return {
        "provider": entry.operation.provider,
        "operation": entry.operation.name,
        "input": dict(entry.operation.example),
        "webhook": {"url": "https://hooks.example.com/genq"},
        "metadata": {"customer": "42"},
        "deadline": "2h",
    }


def name_of(entry: Entry) -> str:
    return f"{entry.operation.provider}.{entry.operation.name}"


def order_name(entry: Entry) -> str:
    return f"Order.{name_of(entry)}"


def input_name(entry: Entry) -> str:
    return f"Input.{name_of(entry)}"


def openapi(routes: Iterable[Route], catalogue: Catalogue, base_url: str) -> Spec:
    """The whole document."""
    paths: Spec = {}
    for route in routes:
        if route.include_in_schema:
            methods = paths.setdefault(route.path, {})
            for method in route.methods or ():
                methods[method.lower()] = route.openapi_extra
    return {
        "openapi": "3.1.0",
        "info": {"title": "genq", "version": VERSION, "description": ABOUT},
        **({"servers": [{"url": base_url}]} if base_url else {}),
        "tags": [{"name": name, "description": words} for name, words in TAGS],
        "paths": paths,
        "components": {"schemas": schemas(catalogue), "securitySchemes": SECURITY},
    }


def schemas(catalogue: Catalogue) -> Spec:
    """Every schema by name."""
    models: tuple[type[BaseModel], ...] = (*MODELS, Order)
    _, document = models_json_schema([(each, "validation") for each in models], ref_template=REF)
    found: Spec = document["$defs"]
    order = found["Order"]
    for entry in catalogue.entries:
        found[input_name(entry)] = input_schema(entry, found)
        found[order_name(entry)] = order_schema(entry, order)
    return found


def input_schema(entry: Entry, found: Spec) -> Spec:
    """The operation's own schema, its parts moved beside it under names of their own."""
    prefix = f"{name_of(entry)}."
    schema = entry.operation.request.model_json_schema(
        ref_template=REF.format(model=prefix + "{model}")
    )
    for name, part in schema.pop("$defs", {}).items():
        found[prefix + name] = part
    return schema


def order_schema(entry: Entry, order: Spec) -> Spec:
    operation = entry.operation
    properties = order["properties"] | {
        "provider": {"const": operation.provider},
        "operation": {"const": operation.name},
        "input": {"$ref": REF.format(model=input_name(entry))},
    }
    return {
        **order,
        "title": order_name(entry),
        "description": operation.summary,
        "properties": properties,
    }
