"""The schema of a submission in the OpenAPI document: one of the operations' own models."""

from typing import Any

from api.http.openapi import REF
from api.jobs.examples import JOB_ID
from api.jobs.follow_ups import needs_no_parent
from api.jobs.submission import EXAMPLE
from api.operations.catalogue import Catalogue, Entry

Schema = dict[str, Any]

#: The component that holds the fields which all submissions have.
SUBMISSION = "JobSubmission"
#: The component of submissions with a parent and an action.
ACTION = f"{SUBMISSION}.action"


def submission_body(catalogue: Catalogue) -> Schema:
    """Return the request body: one schema and one example per operation."""
    names = [*map(submission_name, catalogue.entries), ACTION]
    return {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"oneOf": [{"$ref": REF.format(model=name)} for name in names]},
                "examples": {
                    name_of(entry): {
                        "summary": entry.operation.summary,
                        "value": submission_example(entry),
                    }
                    for entry in catalogue.entries
                },
            }
        },
    }


def submission_schemas(catalogue: Catalogue, common: Schema) -> Schema:
    """Return the components by name. `common` is the schema of `JobSubmission`."""
    found: Schema = {}
    for entry in catalogue.entries:
        found |= input_schemas(entry)
        found[submission_name(entry)] = operation_schema(entry, common)
    found[ACTION] = action_schema(common)
    return found


def submission_example(entry: Entry) -> Schema:
    parent = {} if needs_no_parent(entry.operation) else {"parent": JOB_ID}
    return EXAMPLE | {
        "provider": entry.operation.provider,
        "operation": entry.operation.name,
        "input": dict(entry.operation.example),
        **parent,
    }


def name_of(entry: Entry) -> str:
    return f"{entry.operation.provider}.{entry.operation.name}"


def submission_name(entry: Entry) -> str:
    return f"{SUBMISSION}.{name_of(entry)}"


def input_name(entry: Entry) -> str:
    return f"Input.{name_of(entry)}"


def input_schemas(entry: Entry) -> Schema:
    """Return the operation's own schema, and its parts under names of their own."""
    prefix = f"{name_of(entry)}."
    schema = entry.operation.request.model_json_schema(
        ref_template=REF.format(model=prefix + "{model}")
    )
    parts = {prefix + name: part for name, part in schema.pop("$defs", {}).items()}
    return {input_name(entry): schema, **parts}


def operation_schema(entry: Entry, common: Schema) -> Schema:
    operation = entry.operation
    properties = {k: v for k, v in common["properties"].items() if k != "action"} | {
        "provider": {"const": operation.provider},
        "operation": {"const": operation.name},
        "input": {"$ref": REF.format(model=input_name(entry))},
    }
    if not operation.follows:
        del properties["parent"]
    parent = ["parent"] if operation.needs_parent else []
    return {
        **common,
        "required": ["provider", "operation", "input", *parent],
        "description": operation.summary,
        "properties": properties,
    }


def action_schema(common: Schema) -> Schema:
    """Return the short form of a follow-up: a parent and one of its `actions`."""
    shared = ("webhook", "metadata", "priority", "deadline")
    return {
        "type": "object",
        "description": "One of the `actions` of a finished job.",
        "additionalProperties": False,
        "required": ["parent", "action"],
        "properties": {
            "parent": {"type": "string", "description": "The finished job that this one follows."},
            "action": {"type": "string", "description": "As `actions` spells it: `U1`."},
            "input": {"type": "object", "description": "Other fields of the action: a `prompt`."},
            **{name: common["properties"][name] for name in shared},
        },
    }
