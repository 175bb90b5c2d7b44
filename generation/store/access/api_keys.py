"""
API keys. A key is shown once, when it is made; on disk there is only its hash.
"""

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
#: Characters of a key that are kept in the clear, to tell keys apart.
SHOWN = len(PREFIX) + 6
#: Shorter keys could be guessed.
SHORTEST = 24


#: Given what a key may do, what it shall be able to do.
Choose = Callable[[Access], Access]


class KeyStore:
    """All access to API keys."""

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
            await self._tell(connection)
        return row

    async def find(self, key: str) -> ApiKey | None:
        """The key's row, or None where it is unknown or revoked. It may have expired."""
        query = select(api_keys).where(
            api_keys.c.hash == digest(key), api_keys.c.revoked_at.is_(None)
        )
        async with self._database.reading() as connection:
            return await read_one(connection, query, api_keys.c.id, read_keys)

    async def get(self, key_id: str) -> ApiKey | None:
        """The key of this id, be it revoked or not."""
        async with self._database.reading() as connection:
            query = select(api_keys).where(api_keys.c.id == key_id)
            return await read_one(connection, query, api_keys.c.id, read_keys)

    async def all(self, tenant: str | None = None) -> list[ApiKey]:
        """Every key that can be read, or a tenant's, oldest first, the revoked ones too."""
        query = select(api_keys).order_by(api_keys.c.id)
        if tenant is not None:
            query = query.where(api_keys.c.tenant == tenant)
        async with self._database.reading() as connection:
            said = await read(connection, query, api_keys.c.id, read_keys)
        return said.found

    async def any_valid(self, now: datetime) -> bool:
        """Whether anybody could be let in at all."""
        query = select(func.count()).where(
            api_keys.c.revoked_at.is_(None),
            or_(api_keys.c.expires_at.is_(None), api_keys.c.expires_at > now),
        )
        async with self._database.reading() as connection:
            return bool((await connection.execute(query)).scalar())

    async def change(self, key_id: str, choose: Choose) -> ApiKey | None:
        """
        Let a key do something else from now on. None where there is no such key, or a revoked one:
        that stays as it was. A limit to the jobs in flight counts those that are in flight already.
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
            await self._tell(connection)
            return key_of((await connection.execute(query)).one())

    async def rotate_webhook_secret(
        self, key_id: str, secret: str, now: datetime, overlap: timedelta
    ) -> bool:
        """
        Sign the webhooks of this key's jobs with another secret from now on, and for the overlap
        with the one before too. False where there is no such valid key.
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
        """Let this key in no longer. False where there is no such valid key."""
        query = (
            update(api_keys)
            .where(api_keys.c.id == key_id, api_keys.c.revoked_at.is_(None))
            .values(revoked_at=now)
        )
        async with self._database.writing() as connection:
            revoked = (await connection.execute(query)).rowcount == 1
            if revoked:
                await self._tell(connection)
        return revoked

    async def touch(self, key_ids: Sequence[str], now: datetime) -> None:
        """Note that these keys were used."""
        query = update(api_keys).where(api_keys.c.id.in_(key_ids)).values(last_used_at=now)
        async with self._database.writing() as connection:
            await connection.execute(query)

    async def changes(self) -> int:
        """
        A number that is another one after every key that was added, changed or revoked: as long as
        it stays the same, whatever was found is still so.
        """
        async with self._database.reading() as connection:
            return (await connection.execute(select(key_changes.c.count))).scalar() or 0

    async def _tell(self, connection: AsyncConnection) -> None:
        """Let everybody who asks for `changes` know."""
        dialect = sqlite if self._database.is_sqlite else postgresql
        first = dialect.insert(key_changes).values(id=1, count=1)
        await connection.execute(
            first.on_conflict_do_update(
                index_elements=[key_changes.c.id], set_={"count": key_changes.c.count + 1}
            )
        )


async def count_from_now_on(connection: AsyncConnection, key: ApiKey) -> None:
    """Count what is in flight of a key that had no limits: its jobs were not marked."""
    unmarked = (
        jobs.c.tenant == key.tenant,
        jobs.c.api_key_id == key.id,
        jobs.c.finished_at.is_(None),
    )
    # In the order in which changes lock them, or the two could wait for each other.
    locked = select(jobs.c.id).where(*unmarked).order_by(jobs.c.id).with_for_update()
    await connection.execute(locked)
    await connection.execute(update(jobs).where(*unmarked).values(quota_key=key.id))


def new_key() -> str:
    """A key nobody can guess: 256 random bits."""
    return PREFIX + secrets.token_urlsafe(32)


def digest(key: str) -> str:
    """
    SHA-256 is enough for a key of 256 random bits; there is nothing to slow a guesser down for.
    """
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
    """The columns that say what a key may do."""
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
