"""API keys. A key is shown once, when it is created; the database has only its hash."""

import hashlib
import secrets
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import CursorResult, Row, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection
from ulid import ULID

from generation.access.api_key import ApiKey
from generation.access.permissions import Access, Limits, Rate, Scope
from generation.store.engine.database import Database
from generation.store.engine.unreadable_rows import read, read_one
from generation.store.schema import api_keys, jobs, key_changes, key_usage
from generation.store.webhooks.endpoint_rows import old_secrets_document, old_secrets_of
from generation.webhooks.secrets import rotated_secrets

PREFIX = "genq_"
#: Characters of a key that are stored in the clear, to tell keys apart.
SHOWN = len(PREFIX) + 6
#: Shorter keys could be guessed.
SHORTEST = 24


#: Returns the new permissions of a key, given the current ones.
Choose = Callable[[Access], Access]


class ApiKeyStore:
    """Statements about API keys."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(
        self,
        tenant: str,
        key: str,
        webhook_secret: str,
        now: datetime,
        access: Access | None = None,
    ) -> ApiKey:
        """Store a key for a tenant. Raises `ValueError` for a key too short to be safe."""
        if len(key) < SHORTEST:
            raise ValueError(f"an API key must have at least {SHORTEST} characters")
        row = ApiKey(
            id=f"key_{ULID()}",
            tenant=tenant,
            prefix=key[:SHOWN],
            webhook_secret=webhook_secret,
            access=access or Access(),
            created_at=now,
        )
        fixed = {name: getattr(row, name) for name in FIXED}
        values = {"hash": digest(key), **fixed, **access_row(row.access)}
        async with self._database.writing() as connection:
            await connection.execute(insert(api_keys).values(values))
            await connection.execute(insert(key_usage).values(key_id=row.id, jobs_today=0))
            await self._count_change(connection)
        return row

    async def find(self, key: str) -> ApiKey | None:
        """Return the key's row; None if it is unknown or revoked. It may have expired."""
        query = select(api_keys).where(
            api_keys.c.hash == digest(key), api_keys.c.revoked_at.is_(None)
        )
        async with self._database.reading() as connection:
            return await read_one(connection, query, api_keys.c.id, read_keys)

    async def get(self, key_id: str) -> ApiKey | None:
        """Return the key with this id, revoked or not."""
        async with self._database.reading() as connection:
            query = select(api_keys).where(api_keys.c.id == key_id)
            return await read_one(connection, query, api_keys.c.id, read_keys)

    async def all(self, tenant: str | None = None) -> list[ApiKey]:
        """Return all readable keys, or those of a tenant, oldest first, also revoked ones."""
        query = select(api_keys).order_by(api_keys.c.id)
        if tenant is not None:
            query = query.where(api_keys.c.tenant == tenant)
        async with self._database.reading() as connection:
            result = await read(connection, query, api_keys.c.id, read_keys)
        return result.found

    async def any_valid(self, now: datetime) -> bool:
        """Return whether any key is valid."""
        query = select(func.count()).where(
            api_keys.c.revoked_at.is_(None),
            or_(api_keys.c.expires_at.is_(None), api_keys.c.expires_at > now),
        )
        async with self._database.reading() as connection:
            return bool((await connection.execute(query)).scalar())

    async def change(self, key_id: str, choose: Choose) -> ApiKey | None:
        """Change what a key may do.

        Returns None if there is no such key or it is revoked; then nothing changes. A new limit of
        jobs in flight counts jobs that are already unfinished.
        """
        valid = (api_keys.c.id == key_id, api_keys.c.revoked_at.is_(None))
        async with self._database.writing() as connection:
            query = select(api_keys).where(*valid).with_for_update()
            before = await read_one(connection, query, api_keys.c.id, read_keys)
            if before is None:
                return None
            chosen = choose(before.access)
            await connection.execute(update(api_keys).where(*valid).values(access_row(chosen)))
            if chosen.limits and not before.access.limits:
                await count_from_now_on(connection, before)
            await self._count_change(connection)
            return key_of((await connection.execute(query)).one())

    async def rotate_webhook_secret(
        self, key_id: str, secret: str, now: datetime, overlap: timedelta
    ) -> bool:
        """Set a new webhook secret for the jobs of this key.

        The old one also signs during the overlap. Returns False if there is no such valid key.
        """
        valid = (api_keys.c.id == key_id, api_keys.c.revoked_at.is_(None))
        async with self._database.writing() as connection:
            row = (
                await connection.execute(select(api_keys).where(*valid).with_for_update())
            ).first()
            if row is None:
                return False
            before = old_secrets_of(row.old_webhook_secrets)
            old = old_secrets_document(rotated_secrets(row.webhook_secret, before, now, overlap))
            change = update(api_keys).where(*valid)
            await connection.execute(change.values(webhook_secret=secret, old_webhook_secrets=old))
        return True

    async def revoke(self, key_id: str, now: datetime) -> bool:
        """Revoke this key. Returns False if there is no such valid key."""
        query = (
            update(api_keys)
            .where(api_keys.c.id == key_id, api_keys.c.revoked_at.is_(None))
            .values(revoked_at=now)
        )
        async with self._database.writing() as connection:
            revoked = (await connection.execute(query)).rowcount == 1
            if revoked:
                await self._count_change(connection)
        return revoked

    async def touch(self, key_ids: Sequence[str], now: datetime) -> None:
        """Record that these keys were used."""
        query = update(api_keys).where(api_keys.c.id.in_(key_ids)).values(last_used_at=now)
        async with self._database.writing() as connection:
            await connection.execute(query)

    async def changes(self) -> int:
        """Return a number that changes with every added, changed or revoked key.

        While it stays the same, cached keys are current.
        """
        async with self._database.reading() as connection:
            return (await connection.execute(select(key_changes.c.count))).scalar() or 0

    async def _count_change(self, connection: AsyncConnection) -> None:
        """Increment the number that `changes` returns."""
        dialect = sqlite if self._database.is_sqlite else postgresql
        first = dialect.insert(key_changes).values(id=1, count=1)
        await connection.execute(
            first.on_conflict_do_update(
                index_elements=[key_changes.c.id], set_={"count": key_changes.c.count + 1}
            )
        )


async def count_from_now_on(connection: AsyncConnection, key: ApiKey) -> None:
    """Mark the unfinished jobs of a key that had no limits, so that they are counted."""
    unmarked = (
        jobs.c.tenant == key.tenant,
        jobs.c.api_key_id == key.id,
        jobs.c.finished_at.is_(None),
    )
    # In the order in which changes lock them, to avoid deadlocks.
    locked = select(jobs.c.id).where(*unmarked).order_by(jobs.c.id).with_for_update()
    await connection.execute(locked)
    await connection.execute(update(jobs).where(*unmarked).values(quota_key=key.id))


def new_key() -> str:
    """Return a new key with 256 random bits."""
    return PREFIX + secrets.token_urlsafe(32)


def digest(key: str) -> str:
    """Return the SHA-256. A slow hash is not needed for a key of 256 random bits."""
    return hashlib.sha256(key.encode()).hexdigest()


#: Columns that are fields of `ApiKey`.
FIXED = tuple(name for name in ApiKey.__dataclass_fields__ if name != "access")


def read_keys(found: CursorResult[Any]) -> list[ApiKey]:
    return [key_of(row) for row in found]


def key_of(row: Row[Any]) -> ApiKey:
    access = Access(
        scopes=frozenset(Scope(name) for name in row.scopes.split()),
        providers=None if row.providers is None else frozenset(row.providers),
        limits=limits_of(row),
        expires_at=row.expires_at,
    )
    return ApiKey(access=access, **{name: getattr(row, name) for name in FIXED})


def limits_of(row: Row[Any]) -> Limits:
    rated = row.rate_count is not None
    return Limits(
        rate=Rate(row.rate_count, timedelta(seconds=row.rate_seconds)) if rated else None,
        max_in_flight=row.max_in_flight,
        daily_jobs=row.daily_jobs,
    )


def access_row(access: Access) -> dict[str, Any]:
    """Return the columns for what a key may do."""
    return {
        "scopes": " ".join(sorted(access.scopes)),
        "providers": None if access.providers is None else sorted(access.providers),
        "expires_at": access.expires_at,
        **limits_row(access.limits),
    }


def limits_row(limits: Limits) -> dict[str, int | None]:
    rate = limits.rate
    return {
        "rate_count": rate.count if rate else None,
        "rate_seconds": int(rate.window.total_seconds()) if rate else None,
        "max_in_flight": limits.max_in_flight,
        "daily_jobs": limits.daily_jobs,
    }
