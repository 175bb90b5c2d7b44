"""
Schemas of `PATCH` bodies, in which an absent field stays as it is.
"""

from typing import Any


def without_defaults(schema: dict[str, Any]) -> None:
    """
    Removes the defaults from a model's schema; for `ConfigDict(json_schema_extra=...)`. A client
    generated from the schema sends defaults, and would reset each field its user did not name.
    """
    for field in schema["properties"].values():
        field.pop("default", None)
