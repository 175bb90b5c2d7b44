"""
`name=value` on a command line, as JSON.

A value is what the operation's schema says: text stays text, be it `5` or `true`, where only text
fits; elsewhere what is JSON is read as JSON, and what is not is text.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NoReturn, cast

from ops.cli.exit_codes import CliError, ExitCode

Schema = Mapping[str, Any]

#: JSON Schema's names for what json.loads makes.
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
    """Name and value. Raises `CliError` where there is no `=` or no name."""
    name, equals, value = assignment.partition("=")
    if not (equals and name):
        raise CliError(f"{assignment!r} is not name=value, as in prompt='a cat'", ExitCode.USAGE)
    return name, value


def split_pairs(assignments: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Names and values. Raises `CliError` for a name that is given twice: one would be lost."""
    names: set[str] = set()
    for assignment in assignments:
        name, value = split(assignment)
        if name in names:
            raise CliError(f"{name} is given twice; give it once", ExitCode.USAGE)
        names.add(name)
        yield name, value


def read_key_values(assignments: Iterable[str], schema: Schema) -> dict[str, Any]:
    """The input that these assignments mean for an operation with this schema of its input."""
    properties: Mapping[str, Schema] = schema.get("properties", {})
    definitions: Mapping[str, Schema] = schema.get("$defs", {})
    return {
        name: read_value(text, json_types(properties.get(name, {}), definitions))
        for name, text in split_pairs(assignments)
    }


def read_value(text: str, fitting: frozenset[str]) -> Any:
    """The value meant by a text where values of these types fit; an empty set: any."""
    if fitting and fitting <= {"string", "null"}:
        return text
    try:
        value = read_json(text)
    except ValueError:
        return text
    kind = TYPES[type(value)]
    fits = not fitting or kind in fitting or (kind == "integer" and "number" in fitting)
    return text if "string" in fitting and not fits else value


def json_types(schema: Schema, definitions: Mapping[str, Schema]) -> frozenset[str]:
    """The JSON types that fit a schema; empty where it does not say."""
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
    """
    Raises `ValueError` for what is not JSON, NaN and Infinity among it, and for an object that has
    a name twice.
    """
    try:
        return json.loads(
            text, parse_constant=reject_constant, object_pairs_hook=reject_duplicate_names
        )
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def reject_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


def reject_duplicate_names(members: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(members)
    if len(found) < len(members):
        names = [name for name, _ in members]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twice[:100]!r} is given twice in one object; give it once")
    return found
