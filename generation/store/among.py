"""
Whether a column is one of so many values, by one statement however many they are: `IN` with another
number of values is another statement, to be compiled here and prepared there.
"""

from collections.abc import Iterable
from typing import Any

from pydantic_core import to_json
from sqlalchemy import ColumnElement, Text, any_, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY


def among(dialect: str, column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    """The condition; the parameter of that name is to be `values_for` the dialect."""
    if dialect == "sqlite":
        each = func.json_each(bindparam(name, type_=Text())).table_valued("value")
        return column.in_(select(each.c.value))
    return column == any_(bindparam(name, type_=ARRAY(Text())))


def values_for(dialect: str, values: Iterable[str]) -> Any:
    return to_json(list(values)).decode() if dialect == "sqlite" else list(values)
