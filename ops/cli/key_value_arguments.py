"""Parses `name=value` arguments into a JSON input.

The operation's JSON schema decides the type: a field that takes only text keeps its text, even `5`
or `true`. For other fields, valid JSON is read as JSON and everything else stays text.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NoReturn, cast

from ops.cli.exit_codes import CliError, ExitCode

Schema = Mapping[str, Any]

#: JSON Schema's name for each type that json.loads returns.
TYPES: Mapping[type, str] = {
    type(None): "null",
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    list: "array",
    dict: "object",
}


def split(assignment: str) -> tuple[str, str]:
    """Return name and value. Raises `CliError` if there is no `=` or no name."""
    name, equals, value = assignment.partition("=")
    if not (equals and name):
        raise CliError(
            f"{assignment!r} is not NAME=VALUE; for example prompt='a cat'", ExitCode.USAGE
        )
    return name, value


def split_pairs(assignments: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield names and values. Raises `CliError` if a name is given twice."""
    names: set[str] = set()
    for assignment in assignments:
        name, value = split(assignment)
        if name in names:
            raise CliError(f"{name} is given twice; give it once", ExitCode.USAGE)
        names.add(name)
        yield name, value


def read_key_values(assignments: Iterable[str], schema: Schema) -> dict[str, Any]:
    """Return the input that these arguments mean for an operation with this input schema."""
    properties: Mapping[str, Schema] = schema.get("properties", {})
    definitions: Mapping[str, Schema] = schema.get("$defs", {})
    return {
        name: read_value(text, json_types(properties.get(name, {}), definitions))
        for name, text in split_pairs(assignments)
    }


def read_value(text: str, allowed: frozenset[str]) -> Any:
    """Return the value of a text, given the JSON types the field allows (empty set: any)."""
    if allowed and allowed <= {"string", "null"}:
        return text
    try:
        value = read_json(text)
    except ValueError:
        return text
    kind = TYPES[type(value)]
    fits = not allowed or kind in allowed or (kind == "integer" and "number" in allowed)
    return text if "string" in allowed and not fits else value


def json_types(schema: Schema, definitions: Mapping[str, Schema]) -> frozenset[str]:
    """Return the JSON types a schema allows; an empty set if the schema does not restrict them."""
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        return json_types(definitions.get(name, {}), definitions)
    members: list[Schema] = [*schema.get("anyOf", []), *schema.get("oneOf", [])]
    if members:
        kinds = [json_types(member, definitions) for member in members]
        return frozenset[str]().union(*kinds) if all(kinds) else frozenset()
    if "enum" in schema or "const" in schema:
        values: list[Any] = schema.get("enum", [schema.get("const")])
        return frozenset(TYPES[type(value)] for value in values)
    named = schema.get("type", [])
    return frozenset(cast(list[str], named) if isinstance(named, list) else [str(named)])


def read_json(text: str | bytes) -> Any:
    """Parse strict JSON.

    Raises `ValueError` for anything that is not JSON, for NaN and Infinity, and for duplicate names
    in an object.
    """
    try:
        return json.loads(
            text, parse_constant=reject_constant, object_pairs_hook=reject_duplicate_names
        )
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def reject_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not valid JSON")


def reject_duplicate_names(members: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(members)
    if len(found) < len(members):
        names = [name for name, _ in members]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twice[:100]!r} is given twice in one object; give it once")
    return found
