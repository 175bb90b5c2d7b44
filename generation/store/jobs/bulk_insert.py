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

from generation.counters import standing
from generation.events import QUEUED
from generation.job import Job, JobState
from generation.store.engine.any_of import values_for
from generation.store.jobs import claiming
from generation.store.jobs.metadata_index import label
from generation.store.jobs.rows import FIXED_NAMES
from generation.store.schema import jobs, microseconds

#: The largest document, unless a single job is larger: requests may contain pictures.
MOST_BYTES = 4_000_000

#: What a submission determines. Everything else is the same for all new jobs.
GIVEN: tuple[str, ...] = (*FIXED_NAMES, "updated_at", "wake_at", "deadline", "station", "key")
MOMENTS = ("created_at", "updated_at", "wake_at", "deadline")
#: The initial values of a job, by field. They are stored with its first event.
BEGINNINGS: dict[str, Any] = {
    field.name: field.default if field.default_factory is MISSING else field.default_factory()
    for field in fields(Job)
    if field.name not in GIVEN
} | {"sequence": 1}
_given = attrgetter(*GIVEN)
_rest = attrgetter(*BEGINNINGS)
_UNTOUCHED = tuple(BEGINNINGS.values())

#: SQLite's message when it leaves jobs alone because an endpoint subscribes to `job.queued`.
HEARD = "births are heard"
#: A database's messages when nothing is written; PostgreSQL's only for a key that was inserted
#: meanwhile.
REFUSALS = (HEARD, *claiming.REFUSALS)


def is_new(job: Job) -> bool:
    """Return whether the job is new and unchanged, like nearly every job that is inserted."""
    return _rest(job) == _UNTOUCHED


async def insert_untouched(
    connection: AsyncConnection, born: Sequence[Job], shard: int
) -> list[Job]:
    """Insert new jobs for which no webhook event is due, except those that exist already.

    Returns those that it left alone, because an endpoint may subscribe to their events.
    """
    dialect = connection.dialect.name
    left: list[Job] = []
    for document in documents(born, dialect):
        if not await store(connection, document, shard):
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
    def written(self) -> str:
        return f"[{b','.join(each for _, each in self.entries).decode()}]"

    def only(self, job_ids: Collection[str]) -> "InsertDocument":
        return InsertDocument([entry for entry in self.entries if entry[0].id in job_ids])


async def store(
    connection: AsyncConnection, document: InsertDocument, shard: int, claims: str | None = None
) -> bool:
    """Insert these jobs together with their claims (`generation.store.jobs.claiming`).

    Returns False if nothing was written: an endpoint subscribes to `job.queued`, or a claim failed.
    """
    dialect = connection.dialect.name
    tenants = values_for(dialect, {job.tenant for job in document.jobs})
    parameters = (document.written, tenants, shard, *([] if claims is None else [claims]))
    statement = STATEMENTS[dialect](claims is not None)
    try:
        found = await connection.exec_driver_sql(statement, parameters)
    except IntegrityError as error:
        if any(refusal in str(error.orig) for refusal in REFUSALS):
            return False
        raise
    return not (found.returns_rows and found.scalar())


def documents(born: Sequence[Job], dialect: str) -> Iterator[InsertDocument]:
    """Split the jobs into documents of limited size."""
    together: list[tuple[Job, bytes]] = []
    size = 0
    for job in born:
        written = to_json(given_row(job, dialect))
        if together and size + len(written) > MOST_BYTES:
            yield InsertDocument(together)
            together, size = [], 0
        together.append((job, written))
        size += len(written)
    if together:
        yield InsertDocument(together)


def given_row(job: Job, dialect: str) -> dict[str, Any]:
    row = dict(zip(GIVEN, _given(job), strict=True))
    if dialect == "sqlite":
        for name in MOMENTS:
            if row[name] is not None:
                row[name] = microseconds(row[name])
    if job.metadata:
        row["labels"] = [label(*entry) for entry in job.metadata.items()]
    return row


@cache
def postgresql(claiming_too: bool) -> str:
    """The statement for a document, its tenants, the shard of the counters and, maybe, claims.

    It reports whether an endpoint of those tenants subscribes to `job.queued` or a claim fails;
    then it writes nothing.
    """
    typed = ", ".join(f"{name} {jobs.c[name].type.compile(asyncpg())}" for name in GIVEN)
    given = {name: f"born.{name}" for name in (*GIVEN, "labels")}
    unheard = "NOT EXISTS (SELECT FROM heard)"
    allowed = claiming.POSTGRESQL_ALLOWED if claiming_too else unheard
    return f"""
WITH born AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset(CAST($1 AS jsonb)) AS given ({typed}, labels jsonb)
), heard AS MATERIALIZED (
    SELECT FROM webhook_endpoints
    WHERE tenant = ANY(CAST($2 AS text[])) AND enabled AND events @> '["{QUEUED}"]'
), {claiming.postgresql("$4", unheard) if claiming_too else ""} stored AS (
    {into_jobs(given)} FROM born WHERE {allowed} ON CONFLICT DO NOTHING RETURNING id
), told AS (
    {into_events(given)} FROM born WHERE {allowed} ON CONFLICT DO NOTHING
), labelled AS (
    INSERT INTO job_labels (tenant, label, job_id)
    SELECT born.tenant, label, born.id FROM born, jsonb_array_elements_text(born.labels) AS label
    WHERE {allowed} ON CONFLICT DO NOTHING
), counted AS (
    {into_tallies("CAST($3 AS integer)", "count(*)")} FROM stored HAVING count(*) > 0 {ADDED}
) SELECT NOT ({allowed})"""


def sqlite(claiming_too: bool) -> str:
    """The same for SQLite. Instead of reporting it fails with one of `REFUSALS`."""
    submissions = "INSERT INTO births (job, tenants, shard, key, usage)"
    born = f"{submissions} SELECT value, ?2, ?3, NULL, NULL FROM json_each(?1)"
    return f"{born} {claiming.sqlite('?4')}" if claiming_too else born


@cache
def sqlite_insert_view() -> tuple[str, ...]:
    """The view and triggers of a connection, which no other connection sees."""
    given = {name: f"json_extract(new.job, '$.{name}')" for name in (*GIVEN, "labels")}
    return (
        "CREATE TEMP VIEW births (job, tenants, shard, key, usage)"
        " AS SELECT NULL, NULL, NULL, NULL, NULL",
        *claiming.sqlite_triggers(),
        f"""
CREATE TEMP TRIGGER bear INSTEAD OF INSERT ON births WHEN new.job IS NOT NULL BEGIN
    SELECT RAISE(ABORT, '{HEARD}') FROM webhook_endpoints
    WHERE tenant IN (SELECT value FROM json_each(new.tenants)) AND enabled
        AND CASE WHEN json_valid(events) THEN
            EXISTS (SELECT 1 FROM json_each(events) WHERE value = '{QUEUED}') END;
    {into_jobs(given)} WHERE true ON CONFLICT DO NOTHING;
    {into_tallies("new.shard", "1")} WHERE changes() > 0 {ADDED};
    {into_events(given)} WHERE true ON CONFLICT DO NOTHING;
    INSERT INTO job_labels (tenant, label, job_id)
    SELECT {given["tenant"]}, value, {given["id"]} FROM json_each({given["labels"]})
    WHERE true ON CONFLICT DO NOTHING;
END""",
    )


STATEMENTS = {"postgresql": postgresql, "sqlite": sqlite}


def into_jobs(given: dict[str, str]) -> str:
    said = {name: spelled(value) for name, value in BEGINNINGS.items() if not jobs.c[name].nullable}
    values = {name: given[name] for name in GIVEN} | said
    return inserting("jobs", values)


def into_events(given: dict[str, str]) -> str:
    values = {
        # As in `generation.events`: the first event of a job has one id, however often it is
        # written.
        "id": f"'evt_' || substr({given['id']}, {len('job_') + 1})",
        "job_id": given["id"],
        "tenant": given["tenant"],
        "sequence": "1",
        "type": spelled(QUEUED),
        "state": spelled(JobState.QUEUED),
        "reason": "''",
        "station": given["station"],
        "key": given["key"],
        "created_at": given["created_at"],
    }
    return inserting("job_events", values)


def into_tallies(shard: str, count: str) -> str:
    name = spelled(standing(JobState.QUEUED))
    return inserting("tallies", {"name": name, "shard": shard, "count": count})


ADDED = "ON CONFLICT (name, shard) DO UPDATE SET count = tallies.count + excluded.count"


def inserting(table: str, values: dict[str, str]) -> str:
    return f"INSERT INTO {table} ({', '.join(values)}) SELECT {', '.join(values.values())}"


def spelled(value: Any) -> str:
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
