"""Claims of new jobs, made in the statement that inserts them.

They claim idempotency keys and limits of API keys. A limit is claimed by compare-and-set: the
statement gets a limited key's usage and limits as this process last read them, and the usage with
these jobs. It writes the new usage only if nothing has changed. So the rules stay in
`generation.access.quota`, and no lock is held between reading and writing. If a claim fails,
nothing is stored.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic_core import to_json

from generation.access.permissions import Limits
from generation.access.quota import KeyUsage
from generation.store.access.api_keys import limits_row
from generation.store.jobs.idempotency import IdempotencyKey, row
from generation.store.schema import microseconds

#: SQLite's messages when a claim fails; and the constraint by which PostgreSQL reports a key that
#: was inserted since the statement began.
TAKEN, CHANGED = "an idempotency key is taken", "the usage of a key has changed"
REFUSALS = (TAKEN, CHANGED, "pk_idempotency_keys")

KEY_TYPES = {
    "tenant": "text",
    "scope": "text",
    "key": "text",
    "fingerprint": "text",
    "job_id": "text",
    "expires_at": "timestamptz",
}
USED_TYPES = {"whole_at": "timestamptz", "day": "date", "jobs_today": "integer"}
LIMITS = ("rate_count", "rate_seconds", "max_in_flight", "daily_jobs")

#: The temporary view into which SQLite inserts new jobs and their claims.
INSERT_VIEW = "new_jobs"

#: How a time is written in a document.
TimeFormat = Callable[[datetime | None], Any]


@dataclass(frozen=True, slots=True)
class ClaimedUsage:
    """The usage that some jobs claim of a limited key."""

    key_id: str
    limits: Limits
    before: KeyUsage
    after: KeyUsage


def claims_document(
    dialect: str, keys: Iterable[tuple[IdempotencyKey, str]], usage: Iterable[ClaimedUsage]
) -> str:
    """Return the claims as the statement takes them: keys with the ids of their jobs, and usage."""
    format_time = as_microseconds if dialect == "sqlite" else unchanged_time
    claims = {
        "keys": [key_row(key, job_id, format_time) for key, job_id in keys],
        "usage": [usage_row(each, format_time) for each in usage],
    }
    return to_json(claims).decode()


def key_row(key: IdempotencyKey, job_id: str, format_time: TimeFormat) -> dict[str, Any]:
    stored = row(key, job_id)
    stored["expires_at"] = format_time(key.expires_at)
    return stored | {"replaces": key.replaces, "number": key.number}


def usage_row(taken: ClaimedUsage, format_time: TimeFormat) -> dict[str, Any]:
    was = {f"was_{name}": value for name, value in used_row(taken.before, format_time).items()}
    now = used_row(taken.after, format_time)
    return {"key_id": taken.key_id, **now, **was, **limits_row(taken.limits)}


def used_row(usage: KeyUsage, format_time: TimeFormat) -> dict[str, Any]:
    return {
        "whole_at": format_time(usage.whole_at),
        "day": usage.day,
        "jobs_today": usage.jobs_today,
    }


def as_microseconds(moment: datetime | None) -> int | None:
    return None if moment is None else microseconds(moment)


def unchanged_time(moment: datetime | None) -> datetime | None:
    return moment


#: Whether all claims hold, in PostgreSQL's statement.
POSTGRESQL_ALLOWED = "EXISTS (SELECT FROM allowed)"


def postgresql(parameter: str, allowed: str) -> str:
    """Clauses of its `WITH` for claims passed as this parameter, if it is `allowed` otherwise.

    Keys that are being inserted elsewhere, and locked rows, make the claim fail: the statement
    never waits.
    """
    claims = f"CAST({parameter} AS jsonb)"
    return f"""keys AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset({claims} -> 'keys')
    AS given ({typed(KEY_TYPES)}, replaces boolean, number bigint)
), busy AS MATERIALIZED (
    SELECT FROM keys WHERE NOT pg_try_advisory_xact_lock(number)
), taken AS MATERIALIZED (
    SELECT FROM keys CROSS JOIN LATERAL (
        SELECT FROM idempotency_keys AS known
        WHERE known.tenant = keys.tenant AND known.scope = keys.scope AND known.key = keys.key
        LIMIT 1
    ) AS found WHERE NOT keys.replaces
), usage AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset({claims} -> 'usage') AS given (
        key_id text, {typed(USED_TYPES)}, {typed({f"was_{k}": v for k, v in USED_TYPES.items()})},
        {typed(dict.fromkeys(LIMITS, "integer"))}
    )
), unchanged AS MATERIALIZED (
    SELECT key_usage.key_id FROM usage
    JOIN key_usage ON key_usage.key_id = usage.key_id
    JOIN api_keys ON api_keys.id = usage.key_id
    WHERE {same("key_usage", USED_TYPES, "usage.was_", "IS NOT DISTINCT FROM")}
    AND {same("api_keys", LIMITS, "usage.", "IS NOT DISTINCT FROM")}
    ORDER BY key_usage.key_id FOR UPDATE OF key_usage SKIP LOCKED
), allowed AS MATERIALIZED (
    SELECT WHERE {allowed} AND NOT EXISTS (SELECT FROM busy) AND NOT EXISTS (SELECT FROM taken)
    AND (SELECT count(*) FROM unchanged) = (SELECT count(*) FROM usage)
), used AS (
    UPDATE key_usage SET {", ".join(f"{name} = usage.{name}" for name in USED_TYPES)}
    FROM usage WHERE key_usage.key_id = usage.key_id AND {POSTGRESQL_ALLOWED}
), claimed AS (
    INSERT INTO idempotency_keys ({", ".join(KEY_TYPES)}) SELECT {", ".join(KEY_TYPES)}
    FROM keys WHERE NOT replaces AND {POSTGRESQL_ALLOWED}
), replaced AS (
    INSERT INTO idempotency_keys ({", ".join(KEY_TYPES)}) SELECT {", ".join(KEY_TYPES)}
    FROM keys WHERE replaces AND {POSTGRESQL_ALLOWED} {REPLACING}
),"""


REPLACING = """ON CONFLICT (tenant, scope, key) DO UPDATE SET fingerprint = excluded.fingerprint,
    job_id = excluded.job_id, expires_at = excluded.expires_at"""


def sqlite(parameter: str) -> str:
    """More rows for the insert view, for claims passed as this parameter."""
    return (
        f"UNION ALL SELECT NULL, NULL, NULL, value, NULL FROM json_each({parameter}, '$.keys')"
        f" UNION ALL SELECT NULL, NULL, NULL, NULL, value FROM json_each({parameter}, '$.usage')"
    )


def sqlite_triggers() -> tuple[str, ...]:
    """The triggers that process those rows."""
    key = {name: f"json_extract(new.key, '$.{name}')" for name in KEY_TYPES}
    given = {
        name: f"json_extract(new.usage, '$.{name}')"
        for name in ("key_id", *USED_TYPES, *(f"was_{name}" for name in USED_TYPES), *LIMITS)
    }
    return (
        f"""
CREATE TEMP TRIGGER claim_key INSTEAD OF INSERT ON {INSERT_VIEW} WHEN new.key IS NOT NULL BEGIN
    INSERT INTO idempotency_keys ({", ".join(key)}) SELECT {", ".join(key.values())} WHERE true
    {REPLACING} WHERE json_extract(new.key, '$.replaces');
    SELECT RAISE(ABORT, '{TAKEN}') WHERE changes() = 0;
END""",
        f"""
CREATE TEMP TRIGGER claim_usage INSTEAD OF INSERT ON {INSERT_VIEW} WHEN new.usage IS NOT NULL BEGIN
    UPDATE key_usage SET {", ".join(f"{name} = {given[name]}" for name in USED_TYPES)}
    WHERE key_id = {given["key_id"]}
    AND {" AND ".join(f"{name} IS {given[f'was_{name}']}" for name in USED_TYPES)}
    AND EXISTS (
        SELECT 1 FROM api_keys WHERE id = {given["key_id"]}
        AND {" AND ".join(f"{name} IS {given[name]}" for name in LIMITS)}
    );
    SELECT RAISE(ABORT, '{CHANGED}') WHERE changes() = 0;
END""",
    )


def typed(columns: dict[str, str]) -> str:
    return ", ".join(f"{name} {kind}" for name, kind in columns.items())


def same(table: str, columns: Iterable[str], given: str, operator: str) -> str:
    return " AND ".join(f"{table}.{name} {operator} {given}{name}" for name in columns)
