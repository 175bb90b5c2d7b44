"""The part of the OpenAPI document that depends on the catalogue: a schema for each operation."""

from collections.abc import Iterable

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from api.docs.examples import JOB_ID
from api.docs.openapi_parts import REF, Spec
from api.docs.schemas import MODELS
from api.jobs.batches import BatchOrder
from api.jobs.follow_ups import stands_alone
from api.jobs.order import Order
from api.jobs.resolve import Resolution
from api.operations.catalogue import Catalogue, Entry

#: The schema of orders that name a parent and an action, and nothing else.
ACTION_ORDER = "Order.action"


def order_body(catalogue: Catalogue) -> Spec:
    """The body of `POST /v1/jobs`: one schema and one example per operation."""
    return {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "oneOf": [
                        *({"$ref": REF.format(model=order_name(e))} for e in catalogue.entries),
                        {"$ref": REF.format(model=ACTION_ORDER)},
                    ]
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


def input_body() -> Spec:
    """The body of `POST /v1/jobs/{id}/input`: what the waiting operation takes."""
    example = {"prompt": "a lighthouse at dusk --zoom 1.5"}
    return {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"type": "object"},
                "examples": {"a prompt": {"summary": "For a window.", "value": example}},
            }
        },
    }


def order_example(entry: Entry) -> Spec:
    parent = {} if stands_alone(entry.operation) else {"parent": JOB_ID}
    return {
        "provider": entry.operation.provider,
        "operation": entry.operation.name,
        "input": dict(entry.operation.example),
        **parent,
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


def schemas(catalogue: Catalogue, bodies: Iterable[type[BaseModel]]) -> Spec:
    """Every schema by name."""
    models = (*MODELS, Order, BatchOrder, Resolution, *bodies)
    _, document = models_json_schema([(each, "validation") for each in models], ref_template=REF)
    found: Spec = document["$defs"]
    order = found["Order"]
    for entry in catalogue.entries:
        found[input_name(entry)] = input_schema(entry, found)
        found[order_name(entry)] = order_schema(entry, order)
    found[ACTION_ORDER] = action_schema(order)
    # Of a batch, the form that all orders share: a choice of all of them, twice, is a large book.
    found["BatchOrder"]["properties"]["jobs"]["items"] = {"$ref": REF.format(model="Order")}
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
    properties = {k: v for k, v in order["properties"].items() if k != "action"} | {
        "provider": {"const": operation.provider},
        "operation": {"const": operation.name},
        "input": {"$ref": REF.format(model=input_name(entry))},
    }
    if not operation.follows:
        del properties["parent"]
    parent = ["parent"] if operation.needs_parent else []
    return {
        **order,
        "required": ["provider", "operation", "input", *parent],
        "title": order_name(entry),
        "description": operation.summary,
        "properties": properties,
    }


def action_schema(order: Spec) -> Spec:
    """The short form of a follow-up: a parent and one of its `actions`."""
    taken = {
        name: order["properties"][name] for name in ("webhook", "metadata", "priority", "deadline")
    }
    return {
        "type": "object",
        "title": ACTION_ORDER,
        "description": "One of the `actions` that a finished job lists.",
        "additionalProperties": False,
        "required": ["parent", "action"],
        "properties": {
            "parent": {"type": "string", "description": "The finished job that this one follows."},
            "action": {"type": "string", "description": "As its `actions` spells it: `U1`."},
            "input": {"type": "object", "description": "What else the action takes: a `prompt`."},
            **taken,
        },
    }
