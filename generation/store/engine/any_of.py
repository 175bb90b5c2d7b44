"""Conditions that compare columns with any number of given values in one statement.

`IN` with another number of values would be another statement to compile and to prepare. Several
columns are compared with rows of a subquery: for `(a, b) IN (VALUES …)`, which SQLAlchemy writes
for a list of tuples, SQLite scans the whole table; for a subquery it uses the index.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from pydantic_core import to_json
from sqlalchemy import ColumnElement, Text, any_, bindparam, func, select, tuple_
from sqlalchemy.dialects.postgresql import ARRAY


def among(dialect: str, column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    """Return the condition. Its parameter of that name takes `values_for` the dialect."""
    if dialect == "sqlite":
        each = func.json_each(bindparam(name, type_=Text())).table_valued("value")
        return column.in_(select(each.c.value))
    return column == any_(bindparam(name, type_=ARRAY(Text())))


def values_for(dialect: str, values: Iterable[str]) -> Any:
    return to_json(list(values)).decode() if dialect == "sqlite" else list(values)


def rows_among(
    dialect: str, columns: Sequence[ColumnElement[Any]], name: str
) -> ColumnElement[bool]:
    """Return the condition for text columns.

    Its parameters take `rows_for` the dialect and the name.
    """
    if dialect == "sqlite":
        each = func.json_each(bindparam(name, type_=Text())).table_valued("value")
        parts = [func.json_extract(each.c.value, f"$[{place}]") for place in range(len(columns))]
        return tuple_(*columns).in_(select(*parts).select_from(each))
    arrays = [bindparam(f"{name}_{place}", type_=ARRAY(Text())) for place in range(len(columns))]
    given = func.unnest(*arrays).table_valued(*(f"part_{place}" for place in range(len(columns))))
    return tuple_(*columns).in_(select(*given.render_derived(name=name).c))


def rows_for(dialect: str, name: str, rows: Collection[Sequence[str]]) -> dict[str, Any]:
    if dialect == "sqlite":
        return {name: to_json([list(row) for row in rows]).decode()}
    return {f"{name}_{place}": list(part) for place, part in enumerate(zip(*rows, strict=True))}
