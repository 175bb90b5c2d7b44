"""Inserts submissions of one job each with one statement, including their claims: nearly all.

Those that cannot be stored so are left for `generation.store.jobs.insert`, which finds the reason.
"""

from collections.abc import Mapping, Sequence
from enum import Enum, auto

from sqlalchemy.ext.asyncio import AsyncConnection

from generation.store import counters as tallies
from generation.store.access.quotas import Quotas
from generation.store.engine.database import Database
from generation.store.engine.group_commit import GroupOutright
from generation.store.jobs.bulk_insert import Document, bear, documents, store
from generation.store.jobs.claiming import Taken, claims_document
from generation.store.jobs.idempotency import earlier
from generation.store.jobs.new_job import Birth


class Kind(Enum):
    """Submissions that share statements. Those of one kind never delay or fail those of another."""

    PLAIN = auto()
    KEYED = auto()
    #: One group at a time: each claims from what the one before has left.
    LIMITED = auto()

    @staticmethod
    def of(birth: Birth) -> "Kind":
        if birth.jobs[0].quota_key is not None:
            return Kind.LIMITED
        return Kind.PLAIN if birth.key is None else Kind.KEYED


class Outright:
    """Inserts groups of submissions. Belongs to one event loop."""

    def __init__(self, database: Database, quotas: Quotas) -> None:
        self._quotas = quotas
        self._groups: Mapping[Kind, GroupOutright[Birth, bool]] = {
            Kind.PLAIN: GroupOutright(database, bear_plain),
            Kind.KEYED: GroupOutright(database, self._bear),
            Kind.LIMITED: GroupOutright(database, self._bear, most=1),
        }
        #: Jobs that are being stored. One that is already in here was cut off and comes again.
        self._tried: set[str] = set()

    async def __call__(self, birth: Birth) -> bool:
        """Return whether the submission is stored now. If not, nothing of it was written."""
        if not birth.is_brief:
            return False
        try:
            return await self._groups[Kind.of(birth)](birth)
        finally:
            self._tried.discard(birth.jobs[0].id)

    async def _bear(self, connection: AsyncConnection, births: Sequence[Birth]) -> list[bool]:
        """Return which of these were stored."""
        stored: set[str] = set()
        by_id = {birth.jobs[0].id: birth for birth in births}
        new = [birth for birth in distinct(births) if birth.jobs[0].id not in self._tried]
        self._tried.update(birth.jobs[0].id for birth in new)
        for document in documents([birth.jobs[0] for birth in new], connection.dialect.name):
            together = [by_id[job.id] for job in document.jobs]
            stored |= await self._claim(connection, document, together)
        return [birth.jobs[0].id in stored for birth in births]

    async def _claim(
        self, connection: AsyncConnection, document: Document, births: Sequence[Birth]
    ) -> set[str]:
        """Return the ids of those that were stored.

        Repeated submissions do not stop the others, and limits that another process uses are read
        again once.
        """
        await self._quotas.look(connection, births)
        allowed, places = self._quotas.taking(births)
        if stored := await self._store(connection, document, allowed, places):
            return stored
        keys = [birth.key for birth in allowed if birth.key and not birth.key.replaces]
        known = await earlier(connection, keys) if keys else {}
        changed = bool(places) and await self._quotas.look(connection, allowed, again=True)
        if not known and not changed:
            return set()
        fresh = [each for each in allowed if each.key is None or each.key.name not in known]
        allowed, places = self._quotas.taking(fresh)
        return await self._store(connection, document, allowed, places)

    async def _store(
        self,
        connection: AsyncConnection,
        document: Document,
        births: Sequence[Birth],
        places: Sequence[Taken],
    ) -> set[str]:
        """Return the ids of all of these, or none."""
        if not births:
            return set()
        dialect = connection.dialect.name
        ids = {birth.jobs[0].id for birth in births}
        keys = [(birth.key, birth.jobs[0].id) for birth in births if birth.key]
        claims = claims_document(dialect, keys, places)
        if not await store(connection, document.only(ids), tallies.some_shard(), claims):
            return set()
        self._quotas.took(places)
        return ids


async def bear_plain(connection: AsyncConnection, births: Sequence[Birth]) -> list[bool]:
    """Return which of these plain jobs were stored; the others need the general transaction."""
    born = [birth.jobs[0] for birth in births]
    left = {job.id for job in await bear(connection, born, tallies.some_shard())}
    return [job.id not in left for job in born]


def distinct(births: Sequence[Birth]) -> list[Birth]:
    """Return the submissions without those whose key an earlier one of them has."""
    first: dict[object, Birth] = {}
    for birth in births:
        first.setdefault(birth.key.name if birth.key else birth.jobs[0].id, birth)
    return list(first.values())
