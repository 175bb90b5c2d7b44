"""Inserts submissions of one job each with one statement, including their claims: nearly all.

Those that cannot be stored so are left for `generation.store.jobs.insert`, which finds the reason.
"""

from collections.abc import Mapping, Sequence
from enum import Enum, auto

from sqlalchemy.ext.asyncio import AsyncConnection

from generation.store import counters as tallies
from generation.store.access.quotas import QuotaStore
from generation.store.engine.database import Database
from generation.store.engine.group_commit import GroupStatement
from generation.store.jobs.bulk_insert import (
    InsertDocument,
    documents,
    execute_insert,
    insert_new_jobs,
)
from generation.store.jobs.claiming import ClaimedUsage, claims_document
from generation.store.jobs.idempotency import earlier
from generation.store.jobs.new_job import NewJobs


class SubmissionKind(Enum):
    """Submissions that share statements. Those of one kind never delay or fail those of another."""

    PLAIN = auto()
    KEYED = auto()
    #: One group at a time: each claims from what the one before has left.
    LIMITED = auto()

    @staticmethod
    def of(submission: NewJobs) -> "SubmissionKind":
        if submission.jobs[0].quota_key is not None:
            return SubmissionKind.LIMITED
        return SubmissionKind.PLAIN if submission.key is None else SubmissionKind.KEYED


class DirectInserter:
    """Inserts groups of submissions. Belongs to one event loop."""

    def __init__(self, database: Database, quotas: QuotaStore) -> None:
        self._quotas = quotas
        self._groups: Mapping[SubmissionKind, GroupStatement[NewJobs, bool]] = {
            SubmissionKind.PLAIN: GroupStatement(database, insert_plain_jobs),
            SubmissionKind.KEYED: GroupStatement(database, self._insert),
            SubmissionKind.LIMITED: GroupStatement(database, self._insert, most=1),
        }
        #: Jobs that are being stored. One that is already in here was cut off and comes again.
        self._tried: set[str] = set()

    async def __call__(self, submission: NewJobs) -> bool:
        """Return whether the submission is stored now. If not, nothing of it was written."""
        if not submission.is_brief:
            return False
        try:
            return await self._groups[SubmissionKind.of(submission)](submission)
        finally:
            self._tried.discard(submission.jobs[0].id)

    async def _insert(
        self, connection: AsyncConnection, submissions: Sequence[NewJobs]
    ) -> list[bool]:
        """Return which of these were stored."""
        stored: set[str] = set()
        by_id = {submission.jobs[0].id: submission for submission in submissions}
        new = [
            submission
            for submission in distinct(submissions)
            if submission.jobs[0].id not in self._tried
        ]
        self._tried.update(submission.jobs[0].id for submission in new)
        for document in documents(
            [submission.jobs[0] for submission in new], connection.dialect.name
        ):
            group = [by_id[job.id] for job in document.jobs]
            stored |= await self._claim(connection, document, group)
        return [submission.jobs[0].id in stored for submission in submissions]

    async def _claim(
        self, connection: AsyncConnection, document: InsertDocument, submissions: Sequence[NewJobs]
    ) -> set[str]:
        """Return the ids of those that were stored.

        Repeated submissions do not stop the others, and limits that another process uses are read
        again once.
        """
        await self._quotas.refresh(connection, submissions)
        allowed, claimed = self._quotas.claimable(submissions)
        if stored := await self._store(connection, document, allowed, claimed):
            return stored
        keys = [
            submission.key
            for submission in allowed
            if submission.key and not submission.key.replaces
        ]
        known = await earlier(connection, keys) if keys else {}
        changed = bool(claimed) and await self._quotas.refresh(connection, allowed, again=True)
        if not known and not changed:
            return set()
        fresh = [each for each in allowed if each.key is None or each.key.name not in known]
        allowed, claimed = self._quotas.claimable(fresh)
        return await self._store(connection, document, allowed, claimed)

    async def _store(
        self,
        connection: AsyncConnection,
        document: InsertDocument,
        submissions: Sequence[NewJobs],
        claimed: Sequence[ClaimedUsage],
    ) -> set[str]:
        """Return the ids of all of these, or none."""
        if not submissions:
            return set()
        dialect = connection.dialect.name
        ids = {submission.jobs[0].id for submission in submissions}
        keys = [
            (submission.key, submission.jobs[0].id) for submission in submissions if submission.key
        ]
        claims = claims_document(dialect, keys, claimed)
        if not await execute_insert(connection, document.only(ids), tallies.some_shard(), claims):
            return set()
        self._quotas.remember_claimed(claimed)
        return ids


async def insert_plain_jobs(
    connection: AsyncConnection, submissions: Sequence[NewJobs]
) -> list[bool]:
    """Return which of these plain jobs were stored; the others need the general transaction."""
    new_jobs = [submission.jobs[0] for submission in submissions]
    left = {job.id for job in await insert_new_jobs(connection, new_jobs, tallies.some_shard())}
    return [job.id not in left for job in new_jobs]


def distinct(submissions: Sequence[NewJobs]) -> list[NewJobs]:
    """Return the submissions without those whose key an earlier one of them has."""
    first: dict[object, NewJobs] = {}
    for submission in submissions:
        first.setdefault(
            submission.key.name if submission.key else submission.jobs[0].id, submission
        )
    return list(first.values())
