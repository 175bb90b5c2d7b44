"""Inserts new jobs with one statement: rows, metadata index, first events, counters and claims.

The statement is a whole transaction and one round trip. What differs between jobs is passed as one
JSON document, which the database unpacks; the rest is constant. PostgreSQL writes to several tables
in one statement. SQLite does not, but its triggers do: there it is an INSERT into a view, whose
trigger writes.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import MISSING, dataclass, fields
from functools import cache
from operator import attrgetter
from typing import Any

from pydantic_core import to_json
from sqlalchemy.dialects.postgresql.asyncpg import dialect as asyncpg
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from generation.counters import state_counter
from generation.events import QUEUED
from generation.job import Job, JobState
from generation.store.engine.any_of import values_for
from generation.store.jobs import claiming
from generation.store.jobs.metadata_index import label
from generation.store.jobs.rows import FIXED_NAMES
from generation.store.schema import jobs, microseconds

#: The largest document, unless a single job is larger: requests may contain pictures.
MAX_BYTES = 4_000_000

#: What a submission determines. Everything else is the same for all new jobs.
GIVEN: tuple[str, ...] = (*FIXED_NAMES, "updated_at", "wake_at", "deadline", "station", "key")
TIMESTAMPS = ("created_at", "updated_at", "wake_at", "deadline")
#: The initial values of a job, by field. They are stored with its first event.
INITIAL_VALUES: dict[str, Any] = {
    field.name: field.default if field.default_factory is MISSING else field.default_factory()
    for field in fields(Job)
    if field.name not in GIVEN
} | {"sequence": 1}
_given = attrgetter(*GIVEN)
_rest = attrgetter(*INITIAL_VALUES)
_INITIAL_VALUES = tuple(INITIAL_VALUES.values())

#: SQLite's message when it leaves jobs alone because an endpoint subscribes to `job.queued`.
SUBSCRIBED = "the tenant subscribes to job.queued"
#: A database's messages when nothing is written; PostgreSQL's only for a key that was inserted
#: meanwhile.
REFUSALS = (SUBSCRIBED, *claiming.REFUSALS)


def is_new(job: Job) -> bool:
    """Return whether the job is new and unchanged, like nearly every job that is inserted."""
    return _rest(job) == _INITIAL_VALUES


async def insert_new_jobs(
    connection: AsyncConnection, new_jobs: Sequence[Job], shard: int
) -> list[Job]:
    """Insert new jobs for which no webhook event is due, except those that exist already.

    Returns those that it left alone, because an endpoint may subscribe to their events.
    """
    dialect = connection.dialect.name
    left: list[Job] = []
    for document in documents(new_jobs, dialect):
        if not await execute_insert(connection, document, shard):
            left += document.jobs
    return left


@dataclass(frozen=True, slots=True)
class InsertDocument:
    """New jobs that are inserted together, each with its columns."""

    entries: Sequence[tuple[Job, bytes]]

    @property
    def jobs(self) -> list[Job]:
        return [job for job, _ in self.entries]

    @property
    def json(self) -> str:
        return f"[{b','.join(each for _, each in self.entries).decode()}]"

    def only(self, job_ids: Collection[str]) -> "InsertDocument":
        return InsertDocument([entry for entry in self.entries if entry[0].id in job_ids])


async def execute_insert(
    connection: AsyncConnection, document: InsertDocument, shard: int, claims: str | None = None
) -> bool:
    """Insert these jobs together with their claims (`generation.store.jobs.claiming`).

    Returns False if nothing was written: an endpoint subscribes to `job.queued`, or a claim failed.
    """
    dialect = connection.dialect.name
    tenants = values_for(dialect, {job.tenant for job in document.jobs})
    parameters = (document.json, tenants, shard, *([] if claims is None else [claims]))
    statement = STATEMENTS[dialect](claims is not None)
    try:
        found = await connection.exec_driver_sql(statement, parameters)
    except IntegrityError as error:
        if any(refusal in str(error.orig) for refusal in REFUSALS):
            return False
        raise
    return not (found.returns_rows and found.scalar())


def documents(new_jobs: Sequence[Job], dialect: str) -> Iterator[InsertDocument]:
    """Split the jobs into documents of limited size."""
    group: list[tuple[Job, bytes]] = []
    size = 0
    for job in new_jobs:
        written = to_json(given_row(job, dialect))
        if group and size + len(written) > MAX_BYTES:
            yield InsertDocument(group)
            group, size = [], 0
        group.append((job, written))
        size += len(written)
    if group:
        yield InsertDocument(group)


def given_row(job: Job, dialect: str) -> dict[str, Any]:
    row = dict(zip(GIVEN, _given(job), strict=True))
    if dialect == "sqlite":
        for name in TIMESTAMPS:
            if row[name] is not None:
                row[name] = microseconds(row[name])
    if job.metadata:
        row["labels"] = [label(*entry) for entry in job.metadata.items()]
    return row


@cache
def postgresql(with_claims: bool) -> str:
    """The statement for a document, its tenants, the shard of the counters and, maybe, claims.

    It reports whether an endpoint of those tenants subscribes to `job.queued` or a claim fails;
    then it writes nothing.
    """
    typed = ", ".join(f"{name} {jobs.c[name].type.compile(asyncpg())}" for name in GIVEN)
    given = {name: f"new_jobs.{name}" for name in (*GIVEN, "labels")}
    no_subscriber = "NOT EXISTS (SELECT FROM subscribed)"
    allowed = claiming.POSTGRESQL_ALLOWED if with_claims else no_subscriber
    return f"""
WITH new_jobs AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset(CAST($1 AS jsonb)) AS given ({typed}, labels jsonb)
), subscribed AS MATERIALIZED (
    SELECT FROM webhook_endpoints
    WHERE tenant = ANY(CAST($2 AS text[])) AND enabled AND events @> '["{QUEUED}"]'
), {claiming.postgresql("$4", no_subscriber) if with_claims else ""} stored AS (
    {insert_jobs_sql(given)} FROM new_jobs WHERE {allowed} ON CONFLICT DO NOTHING RETURNING id
), first_events AS (
    {insert_events_sql(given)} FROM new_jobs WHERE {allowed} ON CONFLICT DO NOTHING
), labeled AS (
    INSERT INTO job_labels (tenant, label, job_id)
    SELECT new_jobs.tenant, label, new_jobs.id
    FROM new_jobs, jsonb_array_elements_text(new_jobs.labels) AS label
    WHERE {allowed} ON CONFLICT DO NOTHING
), counted AS (
    {add_counters_sql("CAST($3 AS integer)", "count(*)")} FROM stored HAVING count(*) > 0 {ADDED}
) SELECT NOT ({allowed})"""


def sqlite(with_claims: bool) -> str:
    """The same for SQLite. Instead of reporting it fails with one of `REFUSALS`."""
    submissions = f"INSERT INTO {claiming.INSERT_VIEW} (job, tenants, shard, key, usage)"
    new_jobs = f"{submissions} SELECT value, ?2, ?3, NULL, NULL FROM json_each(?1)"
    return f"{new_jobs} {claiming.sqlite('?4')}" if with_claims else new_jobs


@cache
def sqlite_insert_view() -> tuple[str, ...]:
    """The view and triggers of a connection, which no other connection sees."""
    given = {name: f"json_extract(new.job, '$.{name}')" for name in (*GIVEN, "labels")}
    return (
        f"CREATE TEMP VIEW {claiming.INSERT_VIEW} (job, tenants, shard, key, usage)"
        " AS SELECT NULL, NULL, NULL, NULL, NULL",
        *claiming.sqlite_triggers(),
        f"""
CREATE TEMP TRIGGER insert_job INSTEAD OF INSERT ON {claiming.INSERT_VIEW}
WHEN new.job IS NOT NULL BEGIN
    SELECT RAISE(ABORT, '{SUBSCRIBED}') FROM webhook_endpoints
    WHERE tenant IN (SELECT value FROM json_each(new.tenants)) AND enabled
        AND CASE WHEN json_valid(events) THEN
            EXISTS (SELECT 1 FROM json_each(events) WHERE value = '{QUEUED}') END;
    {insert_jobs_sql(given)} WHERE true ON CONFLICT DO NOTHING;
    {add_counters_sql("new.shard", "1")} WHERE changes() > 0 {ADDED};
    {insert_events_sql(given)} WHERE true ON CONFLICT DO NOTHING;
    INSERT INTO job_labels (tenant, label, job_id)
    SELECT {given["tenant"]}, value, {given["id"]} FROM json_each({given["labels"]})
    WHERE true ON CONFLICT DO NOTHING;
END""",
    )


STATEMENTS = {"postgresql": postgresql, "sqlite": sqlite}


def insert_jobs_sql(given: dict[str, str]) -> str:
    constants = {
        name: sql_literal(value)
        for name, value in INITIAL_VALUES.items()
        if not jobs.c[name].nullable
    }
    values = {name: given[name] for name in GIVEN} | constants
    return insert_select("jobs", values)


def insert_events_sql(given: dict[str, str]) -> str:
    values = {
        # As in `generation.events`: the first event of a job has one id, however often it is
        # written.
        "id": f"'evt_' || substr({given['id']}, {len('job_') + 1})",
        "job_id": given["id"],
        "tenant": given["tenant"],
        "sequence": "1",
        "type": sql_literal(QUEUED),
        "state": sql_literal(JobState.QUEUED),
        "reason": "''",
        "station": given["station"],
        "key": given["key"],
        "created_at": given["created_at"],
    }
    return insert_select("job_events", values)


def add_counters_sql(shard: str, count: str) -> str:
    name = sql_literal(state_counter(JobState.QUEUED))
    return insert_select("tallies", {"name": name, "shard": shard, "count": count})


ADDED = "ON CONFLICT (name, shard) DO UPDATE SET count = tallies.count + excluded.count"


def insert_select(table: str, values: dict[str, str]) -> str:
    return f"INSERT INTO {table} ({', '.join(values)}) SELECT {', '.join(values.values())}"


def sql_literal(value: Any) -> str:
    """Return the value as SQL: text, numbers and empty documents."""
    match value:
        case bool():
            return str(value).lower()
        case int():
            return str(value)
        case str():
            return f"'{value}'"
        case _:
            return f"'{to_json(value).decode()}'"
