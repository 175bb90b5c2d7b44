"""Idempotency keys: which submission a key stands for.

A key is inserted in the transaction of its job, under a primary key, so two submissions with one
key cannot both become jobs. If two processes insert one key at the same moment, neither waits for
the other's transaction: the second gets `KeyBusy` and tries again.
"""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, delete, insert, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from generation.store.engine.any_of import rows_among, rows_for
from generation.store.engine.database import Database
from generation.store.schema import idempotency_keys as records

#: Expired records removed by one statement.
PRUNED_AT_ONCE = 1000

NAME = (records.c.tenant, records.c.scope, records.c.key)
TRY_LOCKS = text(
    "SELECT pg_try_advisory_xact_lock(number)"
    " FROM unnest(CAST(:numbers AS bigint[])) WITH ORDINALITY AS numbers (number, place)"
    " ORDER BY place"
)
FORGET = delete(records).where(
    records.c.tenant == bindparam("_tenant"),
    records.c.scope == bindparam("_scope"),
    records.c.key == bindparam("_key"),
    records.c.job_id == bindparam("_job_id"),
)

Name = tuple[str, str, str]


class KeyScope(StrEnum):
    """What a key was sent for. The same key elsewhere is another key."""

    #: `Idempotency-Key` of `POST /v1/jobs`.
    JOB = "job"
    #: `Idempotency-Key` of `POST /v1/jobs/batch`.
    BATCH = "batch"
    #: The id that a caller chose, of `PUT /v1/jobs/{client_id}`.
    CLIENT_ID = "client_id"
    #: The request itself, for clients that repeat requests and send no key.
    RETRY = "retry"


@dataclass(frozen=True, slots=True, kw_only=True)
class IdempotencyKey:
    """A key of a submission: the caller's, or one that stands for it."""

    tenant: str
    scope: KeyScope
    value: str
    #: SHA-256 of the request, in hexadecimal. The same key for another request is an error.
    fingerprint: str
    #: When it is forgotten; None to keep it as long as its job.
    expires_at: datetime | None
    #: Whether it replaces an earlier one instead of yielding to it.
    replaces: bool = False

    @property
    def name(self) -> Name:
        return self.tenant, self.scope.value, self.value

    @property
    def number(self) -> int:
        """The key as a signed 64-bit number, for a lock."""
        digest = hashlib.blake2b("\0".join(self.name).encode(), digest_size=8)
        return int.from_bytes(digest.digest(), signed=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRecord:
    """A stored key and its job, the first one of several."""

    name: Name
    fingerprint: str
    job_id: str
    expires_at: datetime | None

    def holds(self, now: datetime) -> bool:
        return self.expires_at is None or now < self.expires_at


class KeyBusy(Exception):
    """A submission with this key is being stored at this moment."""


class KeyReused(Exception):
    """This key stands for a different request."""


class IdempotencyStore:
    """Reads and removes keys. They are inserted with their jobs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, key: IdempotencyKey, now: datetime) -> KeyRecord | None:
        """Return the record of an earlier submission with this key, unless it has expired."""
        async with self._database.reading() as connection:
            record = (await earlier(connection, [key])).get(key.name)
        return record if record and record.holds(now) else None

    async def prune(self, now: datetime) -> int:
        """Remove up to a thousand expired keys. Returns how many; call it until that is 0."""
        expired = select(*NAME).where(records.c.expires_at <= now).limit(PRUNED_AT_ONCE)
        forgotten = delete(records).where(tuple_(*NAME).in_(expired))
        async with self._database.writing() as connection:
            return (await connection.execute(forgotten)).rowcount


async def free(connection: AsyncConnection, keys: Sequence[IdempotencyKey]) -> dict[Name, bool]:
    """Return which of these keys no other process is inserting now.

    They are ours until this transaction ends. SQLite has one writer, so there these are all of
    them.
    """
    names = [key.name for key in keys]
    if connection.dialect.name == "sqlite":
        return dict.fromkeys(names, True)
    numbers = [key.number for key in keys]
    locked = (await connection.execute(TRY_LOCKS, {"numbers": numbers})).scalars()
    return dict(zip(names, locked, strict=True))


async def earlier(
    connection: AsyncConnection, keys: Sequence[IdempotencyKey]
) -> dict[Name, KeyRecord]:
    """Return the stored records of these keys, expired or not."""
    dialect = connection.dialect.name
    names = rows_for(dialect, "names", {key.name for key in keys})
    found = [
        KeyRecord(
            name=(row.tenant, row.scope, row.key),
            fingerprint=row.fingerprint,
            job_id=row.job_id,
            expires_at=row.expires_at,
        )
        for row in await connection.execute(_earlier(dialect), names)
    ]
    return {record.name: record for record in found}


@cache
def _earlier(dialect: str) -> Select[Any]:
    return select(records).where(rows_among(dialect, NAME, "names"))


async def write(
    connection: AsyncConnection,
    claimed: Sequence[tuple[IdempotencyKey, str]],
    outdated: Collection[KeyRecord] = (),
) -> None:
    """Insert keys with the ids of their jobs, in place of `outdated` records.

    The transaction fails if a key exists after all.
    """
    if outdated:
        await connection.execute(FORGET, [parameters(record) for record in outdated])
    await connection.execute(insert(records), [row(key, job_id) for key, job_id in claimed])


def parameters(record: KeyRecord) -> dict[str, str]:
    tenant, scope, key = record.name
    return {"_tenant": tenant, "_scope": scope, "_key": key, "_job_id": record.job_id}


def row(key: IdempotencyKey, job_id: str) -> dict[str, Any]:
    tenant, scope, value = key.name
    return {
        "tenant": tenant,
        "scope": scope,
        "key": value,
        "fingerprint": key.fingerprint,
        "job_id": job_id,
        "expires_at": key.expires_at,
    }
