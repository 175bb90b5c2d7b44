"""Inserts jobs: rows, first events and keys.

All that arrive together share one transaction.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice

from sqlalchemy.ext.asyncio import AsyncConnection

from generation.access.quota import QuotaExceeded
from generation.counters import counted
from generation.events import Event, event_of
from generation.job import Job
from generation.store import counters as tallies
from generation.store.access.quotas import QuotaStore
from generation.store.engine.database import Database
from generation.store.engine.group_commit import GroupCommit
from generation.store.engine.insert_once import insert_once
from generation.store.engine.unreadable_rows import UnreadableRow
from generation.store.jobs.bulk_insert import insert_new_jobs, sqlite_insert_view
from generation.store.jobs.direct_insert import DirectInserter
from generation.store.jobs.earlier_jobs import jobs_of
from generation.store.jobs.idempotency import (
    IdempotencyKey,
    KeyBusy,
    KeyRecord,
    KeyReused,
    Name,
    earlier,
    free,
    write,
)
from generation.store.jobs.metadata_index import label_rows
from generation.store.jobs.new_job import InsertResult, NewJobs, is_brief
from generation.store.jobs.rows import job_row
from generation.store.schema import job_labels, jobs

#: Submissions of many jobs each that share a transaction. Those of one job share it by hundreds.
BATCHES_AT_ONCE = 5
#: A submission whose key is being stored elsewhere is tried again after this time …
KEY_BUSY_PAUSE = timedelta(milliseconds=20)
#: … for as long as this.
KEY_BUSY_TIMEOUT = timedelta(seconds=1)

#: Writes the events of moves and their deliveries.
WriteEvents = Callable[[AsyncConnection, Sequence[tuple[Job, Event | None]]], Awaitable[None]]


Outcome = InsertResult | KeyReused | KeyBusy | QuotaExceeded | UnreadableRow


class JobInserter:
    """Inserts jobs. Belongs to one event loop."""

    def __init__(
        self, database: Database, base_url: str, quotas: QuotaStore, write_events: WriteEvents
    ) -> None:
        self._database = database
        self._base_url = base_url
        self._quotas = quotas
        self._write_events = write_events
        self._insert_directly = DirectInserter(database, quotas)
        self._single = GroupCommit(database, self._write)
        self._batches = GroupCommit(database, self._write, limit=BATCHES_AT_ONCE)
        if database.is_sqlite:
            database.on_writing(sqlite_insert_view())

    async def place(self, submission: NewJobs) -> InsertResult:
        """Store the jobs.

        On return they are on disk.

        Raises `KeyReused` if the key stands for another request, `KeyBusy` if another process keeps
        storing a submission with it, and `QuotaExceeded` if the key's limits do not allow all of
        the jobs.
        """
        if await self._insert_directly(submission):
            return InsertResult(submission.jobs)
        commit = self._single if len(submission.jobs) == 1 else self._batches
        for _ in range(KEY_BUSY_TIMEOUT // KEY_BUSY_PAUSE):
            outcome = await commit(submission)
            if isinstance(outcome, InsertResult):
                return outcome
            if not isinstance(outcome, KeyBusy):
                raise outcome
            await asyncio.sleep(KEY_BUSY_PAUSE.total_seconds())
        raise KeyBusy

    async def earlier_result(self, key: IdempotencyKey, now: datetime) -> InsertResult | None:
        """Return the jobs of an earlier submission with this key.

        Raises `KeyReused` if it was another.
        """
        async with self._database.reading() as connection:
            record = (await earlier(connection, [key])).get(key.name)
            if record is None or not record.holds(now):
                return None
            if record.fingerprint != key.fingerprint:
                raise KeyReused
            stored = (await jobs_of(connection, [record])).get(record.job_id)
            if stored is None:
                raise UnreadableRow(jobs.name, record.job_id)
            return InsertResult(stored, replayed=True)

    async def _write(
        self, connection: AsyncConnection, submissions: Sequence[NewJobs]
    ) -> Sequence[Outcome]:
        """Write a batch of submissions.

        Those that repeat an earlier one, are busy, mistaken or over a limit are answered so, and
        block none of the others.
        """
        keys = [submission.key for submission in submissions if submission.key]
        free_names = await free(connection, keys) if keys else {}
        records_by_name = await earlier(connection, keys) if keys else {}
        verdicts = verdicts_on(submissions, free_names, records_by_name, datetime.now(UTC))
        new = [
            submission
            for submission, verdict in zip(submissions, verdicts, strict=True)
            if verdict is None
        ]
        refused = await self._quotas.refused(connection, [submission.jobs for submission in new])
        accepted = (
            [submission for submission in new if submission.jobs[0].id not in refused]
            if refused
            else new
        )
        new_jobs = await self._insert(connection, accepted)
        # Of several that replace each other, the last one is remembered.
        claimed = {
            submission.key.name: (submission.key, submission.jobs[0].id)
            for submission in accepted
            if submission.key
        }
        if claimed:
            outdated = [record for name, record in records_by_name.items() if name in claimed]
            await write(connection, list(claimed.values()), outdated)
        records = [verdict for verdict in verdicts if isinstance(verdict, KeyRecord)]
        stored = await jobs_of(connection, records) if records else {}
        written: dict[int, InsertResult | QuotaExceeded] = {
            id(submission): InsertResult(each)
            for submission, each in zip(accepted, new_jobs, strict=True)
        }
        written |= {id(b): refused[b.jobs[0].id] for b in new if b.jobs[0].id in refused}

        def outcome(submission: NewJobs, verdict: Verdict) -> Outcome:
            match verdict:
                case None:
                    return written[id(submission)]
                case NewJobs():
                    same_batch = written[id(verdict)]
                    return (
                        replace(same_batch, replayed=True)
                        if isinstance(same_batch, InsertResult)
                        else same_batch
                    )
                case KeyRecord(job_id=job_id) if job_id not in stored:
                    return UnreadableRow(jobs.name, job_id)
                case KeyRecord(job_id=job_id):
                    # The submission itself, if its commit was not answered and it is written again.
                    return InsertResult(stored[job_id], replayed=job_id != submission.jobs[0].id)
                case _:
                    return verdict

        return [outcome(b, verdict) for b, verdict in zip(submissions, verdicts, strict=True)]

    async def _insert(
        self, connection: AsyncConnection, submissions: Sequence[NewJobs]
    ) -> list[Sequence[Job]]:
        """Insert the jobs, their metadata index, their first events and due deliveries, once."""
        new_jobs = [
            job if job.sequence == 1 else replace(job, sequence=1)
            for submission in submissions
            for job in submission.jobs
        ]
        brief = [job for job in new_jobs if is_brief(job)]
        shard = tallies.some_shard()
        left = {job.id for job in await insert_new_jobs(connection, brief, shard)}
        if rest := [job for job in new_jobs if job.id in left or not is_brief(job)]:
            await self._insert_with_events(connection, rest, shard)
        stored = iter(new_jobs)
        return [list(islice(stored, len(submission.jobs))) for submission in submissions]

    async def _insert_with_events(
        self, connection: AsyncConnection, new_jobs: Sequence[Job], shard: int
    ) -> None:
        """Insert jobs whose events somebody subscribes to, or that are not unchanged new jobs."""
        insert = insert_once(connection, jobs).returning(jobs.c.id)
        stored = set(
            (await connection.execute(insert, [job_row(job) for job in new_jobs])).scalars()
        )
        if labels := [row for job in new_jobs if job.metadata for row in label_rows(job)]:
            await connection.execute(insert_once(connection, job_labels), labels)
        if new := [job for job in new_jobs if job.id in stored]:
            events = [(job, event_of(None, job, self._base_url)) for job in new]
            await self._write_events(connection, events)
            await tallies.add(connection, counted((None, job) for job in new), shard)


#: None: it is to be written. Else the obstacle: another submission of the batch, or an earlier one.
Verdict = NewJobs | KeyRecord | KeyReused | KeyBusy | None


def verdicts_on(
    submissions: Sequence[NewJobs],
    free_names: Mapping[Name, bool],
    records_by_name: Mapping[Name, KeyRecord],
    now: datetime,
) -> list[Verdict]:
    """Return the verdict on each of these."""
    verdicts: list[Verdict] = []
    same_batch: dict[Name, NewJobs] = {}
    for submission in submissions:
        key = submission.key
        if key is None:
            verdicts.append(None)
            continue
        record = records_by_name.get(key.name)
        valid = record if record and record.holds(now) else None
        verdict = (
            judge(key, same_batch.get(key.name) or valid) if free_names[key.name] else KeyBusy()
        )
        if verdict is None:
            same_batch[key.name] = submission
        verdicts.append(verdict)
    return verdicts


def judge(key: IdempotencyKey, other: NewJobs | KeyRecord | None) -> Verdict:
    if other is None or key.replaces:
        return None
    fingerprint = other.key.fingerprint if isinstance(other, NewJobs) and other.key else None
    if isinstance(other, KeyRecord):
        fingerprint = other.fingerprint
    return other if fingerprint == key.fingerprint else KeyReused()
