"""The reference of settings, made from the `Settings` class."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, cast, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from generation.settings import Settings
from ops.site.markdown import code, table

INTRODUCTION = """# Settings

Settings are environment variables, or lines of a file `.env` in the folder where genq starts; a
variable wins over the file. An empty value counts as not set. A `GENQ_` variable that nothing reads
is refused by name.

Durations are a number and a unit: `500ms`, `30s`, `5m`, `2h`, `1d`; a bare number is in seconds.
Lists are separated by commas.

"""
NAMES: dict[object, str] = {
    str: "text",
    int: "integer",
    float: "number",
    bool: "true or false",
    Path: "path",
    timedelta: "duration",
    SecretStr: "secret",
}


def settings_page() -> str:
    """The page, in Markdown: each variable with its type, default and meaning."""
    return INTRODUCTION + table(["variable", "type", "default", "meaning"], settings_rows())


def settings_rows() -> Iterator[list[str]]:
    for name, field in Settings.model_fields.items():
        yield [
            code(f"GENQ_{name.upper()}"),
            type_name(field.annotation),
            code(default_text(field)),
            field.description or "",
        ]


def type_name(kind: Any) -> str:
    """A type as an operator calls it."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return type_name(arguments[0])
    if origin is Literal:
        return " or ".join(code(str(each)) for each in arguments)
    if origin in {tuple, list}:
        return f"list of {type_name(arguments[0])}"
    if origin in {Union, UnionType}:
        kinds = [type_name(each) for each in arguments if each is not type(None)]
        return " or ".join(dict.fromkeys(kinds))
    return NAMES.get(kind, getattr(kind, "__name__", str(kind)).lower())


def default_text(field: FieldInfo) -> str:
    """The default as it would stand in a `.env` file; empty where there is none."""
    return value_text(field.get_default(call_default_factory=True, validated_data={}))


def value_text(value: Any) -> str:
    match value:
        case None | "":
            return ""
        case bool():
            return str(value).lower()
        case timedelta():
            return duration_text(value)
        case tuple() | list():
            return ",".join(value_text(each) for each in cast(Sequence[Any], value))
        case _:
            return str(value)


def duration_text(value: timedelta) -> str:
    """The duration in its largest whole unit."""
    milliseconds = round(value / timedelta(milliseconds=1))
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000)):
        if milliseconds and milliseconds % size == 0:
            return f"{milliseconds // size}{unit}"
    return f"{milliseconds}ms" if milliseconds else "0"
