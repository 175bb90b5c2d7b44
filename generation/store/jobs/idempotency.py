"""
Orders that may arrive twice: who asks (a key), and what was made of an earlier one like it.

A key is written in the transaction of the job it stands for, under a primary key: two orders with
one key cannot both become jobs, whichever processes they reach. Where that has to be decided
between processes at the same moment, nobody waits for the other's transaction: a key that is
being written elsewhere is `Busy`, and its order comes back.
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
    """What a key was given to: the same key elsewhere is another key."""

    #: `Idempotency-Key` of `POST /v1/jobs`.
    JOB = "job"
    #: `Idempotency-Key` of `POST /v1/jobs/batch`.
    BATCH = "batch"
    #: The id a caller chose, of `PUT /v1/jobs/{client_id}`.
    CLIENT_ID = "client_id"
    #: The order itself, where a client repeats requests and sends no key.
    RETRY = "retry"


@dataclass(frozen=True, slots=True, kw_only=True)
class IdempotencyKey:
    """An order's claim to be the only one of its name: a caller's key, or what stands for it."""

    tenant: str
    scope: KeyScope
    value: str
    #: SHA-256 of the order, in hexadecimal: the same name for another order is a mistake.
    fingerprint: str
    #: When it is forgotten; None to keep it for as long as its job.
    expires_at: datetime | None
    #: Whether it takes the place of an earlier one instead of standing back.
    replaces: bool = False

    @property
    def name(self) -> Name:
        return self.tenant, self.scope.value, self.value

    @property
    def number(self) -> int:
        """The name as a signed 64-bit number, for a lock."""
        digest = hashlib.blake2b("\0".join(self.name).encode(), digest_size=8)
        return int.from_bytes(digest.digest(), signed=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A key on disk, and the job it stands for: of several, the first."""

    name: Name
    fingerprint: str
    job_id: str
    expires_at: datetime | None

    def holds(self, now: datetime) -> bool:
        return self.expires_at is None or now < self.expires_at


class KeyBusy(Exception):
    """An order with this key is being stored at this very moment."""


class KeyReused(Exception):
    """This key stands for another order."""


class IdempotencyStore:
    """Reading and forgetting keys. They are written with their jobs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, key: IdempotencyKey, now: datetime) -> Record | None:
        """What was made of an earlier order of this name, if anything and not forgotten yet."""
        async with self._database.reading() as connection:
            record = (await earlier(connection, [key])).get(key.name)
        return record if record and record.holds(now) else None

    async def prune(self, now: datetime) -> int:
        """Forget keys whose time has passed, up to a thousand; how many. Call until it is 0."""
        expired = select(*NAME).where(records.c.expires_at <= now).limit(PRUNED_AT_ONCE)
        forgotten = delete(records).where(tuple_(*NAME).in_(expired))
        async with self._database.writing() as connection:
            return (await connection.execute(forgotten)).rowcount


async def free(connection: AsyncConnection, keys: Sequence[IdempotencyKey]) -> dict[Name, bool]:
    """
    Which of these keys nobody else is writing now; ours alone until this transaction ends. SQLite
    has one writer, so there they all are.
    """
    names = [key.name for key in keys]
    if connection.dialect.name == "sqlite":
        return dict.fromkeys(names, True)
    numbers = [key.number for key in keys]
    locked = (await connection.execute(TRY_LOCKS, {"numbers": numbers})).scalars()
    return dict(zip(names, locked, strict=True))


async def earlier(
    connection: AsyncConnection, keys: Sequence[IdempotencyKey]
) -> dict[Name, Record]:
    """What is on disk under these names, forgotten or not."""
    dialect = connection.dialect.name
    names = rows_for(dialect, "names", {key.name for key in keys})
    found = [
        Record(
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
    outdated: Collection[Record] = (),
) -> None:
    """
    Write keys with the ids of their jobs, in the place of `outdated` records. Fails, and with it
    the transaction, where a name is taken after all.
    """
    if outdated:
        await connection.execute(FORGET, [parameters(record) for record in outdated])
    await connection.execute(insert(records), [row(key, job_id) for key, job_id in claimed])


def parameters(record: Record) -> dict[str, str]:
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
