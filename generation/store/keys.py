"""
API keys. A key is shown once, when it is made; on disk there is only its hash.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, insert, select, update
from ulid import ULID

from generation.store.database import Database
from generation.store.schema import api_keys

PREFIX = "genq_"
#: Characters of a key that are kept in the clear, to tell keys apart.
SHOWN = len(PREFIX) + 6
#: Shorter keys could be guessed.
SHORTEST = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A caller's key, without the key itself."""

    id: str
    tenant: str
    prefix: str
    webhook_secret: str
    created_at: datetime
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None


class KeyStore:
    """All access to API keys."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, tenant: str, key: str, webhook_secret: str, now: datetime) -> ApiKey:
        """Store a key for a tenant. Raises `ValueError` for a key too short to be safe."""
        if len(key) < SHORTEST:
            raise ValueError(f"an API key must have at least {SHORTEST} characters")
        row = ApiKey(
            id=f"key_{ULID()}",
            tenant=tenant,
            prefix=key[:SHOWN],
            webhook_secret=webhook_secret,
            created_at=now,
        )
        values = {name: getattr(row, name) for name in ApiKey.__dataclass_fields__}
        async with self._database.writing() as connection:
            await connection.execute(insert(api_keys).values(hash=digest(key), **values))
        return row

    async def find(self, key: str) -> ApiKey | None:
        """The key's row, or None where it is unknown or revoked."""
        query = select(api_keys).where(
            api_keys.c.hash == digest(key), api_keys.c.revoked_at.is_(None)
        )
        async with self._database.reading() as connection:
            row = (await connection.execute(query)).first()
        return key_of(row) if row else None

    async def all(self) -> list[ApiKey]:
        """Every key, oldest first, the revoked ones too."""
        async with self._database.reading() as connection:
            rows = await connection.execute(select(api_keys).order_by(api_keys.c.id))
            return [key_of(row) for row in rows]

    async def any_valid(self) -> bool:
        """Whether anybody could be let in at all."""
        query = select(func.count()).where(api_keys.c.revoked_at.is_(None))
        async with self._database.reading() as connection:
            return bool((await connection.execute(query)).scalar())

    async def revoke(self, key_id: str, now: datetime) -> bool:
        """Let this key in no longer. False where there is no such valid key."""
        query = (
            update(api_keys)
            .where(api_keys.c.id == key_id, api_keys.c.revoked_at.is_(None))
            .values(revoked_at=now)
        )
        async with self._database.writing() as connection:
            return (await connection.execute(query)).rowcount == 1

    async def touch(self, key_ids: Sequence[str], now: datetime) -> None:
        """Note that these keys were used."""
        query = update(api_keys).where(api_keys.c.id.in_(key_ids)).values(last_used_at=now)
        async with self._database.writing() as connection:
            await connection.execute(query)


def new_key() -> str:
    """A key nobody can guess: 256 random bits."""
    return PREFIX + secrets.token_urlsafe(32)


def digest(key: str) -> str:
    """
    SHA-256 is enough for a key of 256 random bits; there is nothing to slow a guesser down for.
    """
    return hashlib.sha256(key.encode()).hexdigest()


def key_of(row: Row[Any]) -> ApiKey:
    return ApiKey(**{name: getattr(row, name) for name in ApiKey.__dataclass_fields__})
