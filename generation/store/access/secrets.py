"""Secrets that the deployment generates for itself and shares among its processes."""

from secrets import token_bytes

from sqlalchemy import select

from generation.store.engine.database import Database
from generation.store.jobs.store import insert_once
from generation.store.schema import secrets

SECRET_BYTES = 32


class SecretStore:
    """Secrets by name, each generated on first use."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[str, bytes] = {}

    async def get(self, name: str) -> bytes:
        """Return 32 random bytes, the same for every process. Queries the database once."""
        if name not in self._known:
            self._known[name] = await self._read(name) or await self._make(name)
        return self._known[name]

    async def _read(self, name: str) -> bytes | None:
        query = select(secrets.c.value).where(secrets.c.name == name)
        async with self._database.reading() as connection:
            return await connection.scalar(query)

    async def _make(self, name: str) -> bytes:
        """Generate the secret. If several processes do so at once, the first one wins."""
        row = {"name": name, "value": token_bytes(SECRET_BYTES)}
        async with self._database.writing() as connection:
            await connection.execute(insert_once(connection, secrets), row)
        made = await self._read(name)
        assert made is not None
        return made
