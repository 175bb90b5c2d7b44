"""Schemas of `PATCH` bodies, in which an absent field keeps its value."""

from typing import Any


def without_defaults(schema: dict[str, Any]) -> None:
    """Remove the defaults from a model's schema; for `ConfigDict(json_schema_extra=...)`.

    A client generated from the schema sends defaults, and would reset fields its user left out.
    """
    for field in schema["properties"].values():
        field.pop("default", None)
