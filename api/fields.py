"""
The fields of a JSON schema as an HTML table.
"""

import json
from collections.abc import Mapping
from typing import Any, cast

from api.html import rich, text
from api.spec import Spec

_REF = "#/components/schemas/"


def table(schema: Spec) -> str:
    """The fields of an object, or the values of an enumeration."""
    if "enum" in schema:
        return f"<p>{', '.join(f'<code>{text(value)}</code>' for value in schema['enum'])}</p>"
    required = schema.get("required", [])
    rows = "".join(
        row(name, field, field.get("description", ""), name in required)
        for name, field in schema.get("properties", {}).items()
    )
    return f"<table>{rows}</table>" if rows else ""


def row(name: str, schema: Spec, description: str, required: bool) -> str:
    mark = ' <span class="required">required</span>' if required else ""
    return (
        f"<tr><td><code>{text(name)}</code>{mark}</td><td class='type'>{kind_of(schema)}</td>"
        f"<td>{rich(description)}{limits(schema)}</td></tr>"
    )


def kind_of(schema: Mapping[str, Any]) -> str:
    """The type in a few words, linked where it has a table of its own."""
    if "$ref" in schema:
        name = str(schema["$ref"]).removeprefix(_REF)
        return f'<a href="#schema-{text(name)}">{text(name.rpartition(".")[2])}</a>'
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema:
            return " or ".join(kind_of(each) for each in cast(list[Spec], schema[several]))
    if "const" in schema or "enum" in schema:
        values = cast(list[object], schema.get("enum", [schema.get("const")]))
        return " | ".join(f"<code>{text(json.dumps(value))}</code>" for value in values)
    if "items" in schema:
        return f"array of {kind_of(cast(Spec, schema['items']))}"
    kind = schema.get("type", "any")
    return text(" or ".join(cast(list[str], kind)) if isinstance(kind, list) else str(kind))


LIMITS = {
    "minimum": "at least",
    "maximum": "at most",
    "maxLength": "at most this many characters:",
    "maxItems": "at most this many:",
    "maxProperties": "at most this many:",
    "pattern": "matches",
    "default": "otherwise",
}


def limits(schema: Mapping[str, Any]) -> str:
    """What else a value must keep to."""
    parts = [
        f"{words} <code>{text(json.dumps(schema[name]))}</code>"
        for name, words in LIMITS.items()
        if schema.get(name) is not None
    ]
    return f' <span class="limits">{", ".join(parts)}</span>' if parts else ""
