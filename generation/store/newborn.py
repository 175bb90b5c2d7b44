"""
New jobs onto disk, as many as come at once, by one statement: what differs from one to the next
travels as one JSON document, which the database takes apart; all the rest is said once.

A statement for each row, as drivers have it, takes PostgreSQL twice as long, and takes us longer
still: fifty columns to prepare, and with SQLite a turn in the line for the interpreter's lock.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import MISSING, fields
from datetime import datetime
from functools import cache
from operator import attrgetter
from typing import Any

from pydantic_core import to_json
from sqlalchemy import (
    ColumnElement,
    FromClause,
    Table,
    Text,
    bindparam,
    cast,
    func,
    literal,
    literal_column,
    select,
)
from sqlalchemy import column as column_of
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from generation.events import QUEUED
from generation.job import Job, JobState
from generation.store.rows import FIXED_NAMES
from generation.store.schema import EPOCH, MICROSECOND, job_events, jobs

#: No document is longer, unless a single job is: pictures may come within orders.
MOST_BYTES = 4_000_000

#: What an order decides. Everything else is the same in all new jobs.
GIVEN: tuple[str, ...] = (*FIXED_NAMES, "updated_at", "wake_at", "deadline", "station", "key")
MOMENTS = ("created_at", "updated_at", "wake_at", "deadline")
#: What a job begins with, by field. It is stored with its first event.
BEGINNINGS: dict[str, Any] = {
    field.name: field.default if field.default_factory is MISSING else field.default_factory()
    for field in fields(Job)
    if field.name not in GIVEN
} | {"sequence": 1}
#: What the first event is made of.
TOLD: tuple[str, ...] = ("id", "tenant", "station", "key", "created_at")
_given = attrgetter(*GIVEN)
_told = attrgetter(*TOLD)
_rest = attrgetter(*BEGINNINGS)
_UNTOUCHED = tuple(BEGINNINGS.values())


def is_untouched(job: Job) -> bool:
    """Whether nothing has happened to it yet, as to nearly every job that is stored."""
    return _rest(job) == _UNTOUCHED


async def insert_untouched(connection: AsyncConnection, born: Sequence[Job]) -> None:
    """Write the rows of untouched jobs, except of those that have one."""
    rows = (given_row(job) for job in born)
    await execute(connection, _insert_jobs(connection.dialect.name), rows)


async def tell_births(connection: AsyncConnection, born: Sequence[Job]) -> None:
    """
    Write the first events of untouched jobs of which nobody is told, except of those that have one.
    """
    rows = (dict(zip(TOLD, _told(job), strict=True)) for job in born)
    await execute(connection, _insert_events(connection.dialect.name), rows)


async def execute(connection: AsyncConnection, insert: Any, rows: Iterable[dict[str, Any]]) -> None:
    moment = microseconds if connection.dialect.name == "sqlite" else same
    for document in documents(rows, moment):
        await connection.execute(insert, {"rows": document})


def given_row(job: Job) -> dict[str, Any]:
    return dict(zip(GIVEN, _given(job), strict=True))


def same(moment: datetime) -> datetime:
    return moment


def microseconds(moment: datetime) -> int:
    """As SQLite keeps it."""
    return (moment - EPOCH) // MICROSECOND


def documents(
    rows: Iterable[dict[str, Any]], moment: Callable[[datetime], Any] = same
) -> Iterator[str]:
    """The rows as arrays of JSON, of bearable sizes."""
    waiting: list[bytes] = []
    size = 0
    for row in rows:
        for name in MOMENTS:
            if row.get(name) is not None:
                row[name] = moment(row[name])
        written = to_json(row)
        if waiting and size + len(written) > MOST_BYTES:
            yield f"[{b','.join(waiting).decode()}]"
            waiting, size = [], 0
        waiting.append(written)
        size += len(written)
    if waiting:
        yield f"[{b','.join(waiting).decode()}]"


def rows_of(dialect: str, names: Sequence[str]) -> FromClause:
    """The document `:rows` as a table with these columns of `jobs`."""
    document = bindparam("rows", type_=Text())
    if dialect == "postgresql":
        typed = [column_of(name, jobs.c[name].type) for name in names]
        table = func.jsonb_to_recordset(cast(document, postgresql.JSONB)).table_valued(*typed)
        return table.render_derived(with_types=True)
    # Without a limit, SQLite would write every row out as text again for each of its columns.
    each = func.json_each(document).table_valued("value")
    whole = select(each.c.value.label("whole")).limit(-1).subquery()
    return select(
        *(func.json_extract(whole.c.whole, path(name)).label(name) for name in names)
    ).subquery()


def path(name: str) -> ColumnElement[str]:
    return literal_column(f"'$.{name}'", Text())


@cache
def _insert_jobs(dialect: str) -> Any:
    given = rows_of(dialect, GIVEN).c
    said = {
        name: literal(value, jobs.c[name].type)
        for name, value in BEGINNINGS.items()
        if not jobs.c[name].nullable
    }
    return insert_once_from(dialect, jobs, {name: given[name] for name in GIVEN} | said)


@cache
def _insert_events(dialect: str) -> Any:
    born = rows_of(dialect, TOLD).c
    values = {
        # As in `generation.events`: one job's birth has one id, however often it is written.
        "id": literal("evt_") + func.substr(born.id, len("job_") + 1),
        "job_id": born.id,
        "tenant": born.tenant,
        "sequence": literal(1),
        "type": literal(QUEUED),
        "state": literal(JobState.QUEUED.value),
        "reason": literal(""),
        "station": born.station,
        "key": born.key,
        "created_at": born.created_at,
    }
    return insert_once_from(dialect, job_events, values)


def insert_once_from(dialect: str, table: Table, values: Mapping[str, Any]) -> Any:
    insert = (sqlite if dialect == "sqlite" else postgresql).insert(table)
    # The condition is SQLite's: without one it takes the ON CONFLICT for that of a join.
    rows = select(*values.values()).where(literal_column("true"))
    return insert.from_select(list(values), rows).on_conflict_do_nothing()
