"""Inserts jobs: rows, first events and keys.

All that arrive together share one transaction.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice

from sqlalchemy.ext.asyncio import AsyncConnection

from generation.access.quota import OverQuota
from generation.counters import counted
from generation.events import Event, event_of
from generation.job import Job
from generation.store import counters as tallies
from generation.store.access.quotas import Quotas
from generation.store.engine.database import Database
from generation.store.engine.group_commit import GroupCommit
from generation.store.engine.insert_once import insert_once
from generation.store.engine.unreadable_rows import UnreadableRow
from generation.store.jobs.bulk_insert import bear, sqlite_births
from generation.store.jobs.idempotency import (
    IdempotencyKey,
    KeyBusy,
    KeyReused,
    Name,
    Record,
    earlier,
    free,
    write,
)
from generation.store.jobs.metadata_index import label_rows
from generation.store.jobs.new_job import Birth, Placed, is_brief
from generation.store.jobs.outright import Outright
from generation.store.jobs.replayed import jobs_of
from generation.store.jobs.rows import job_row
from generation.store.schema import job_labels, jobs

#: Submissions of many jobs each that share a transaction. Those of one job share it by hundreds.
BATCHES_AT_ONCE = 5
#: A submission whose key is being stored elsewhere is tried again after this time …
PAUSE = timedelta(milliseconds=20)
#: … for as long as this.
PATIENCE = timedelta(seconds=1)

#: Writes the events of moves and their deliveries.
Tell = Callable[[AsyncConnection, Sequence[tuple[Job, Event | None]]], Awaitable[None]]


Outcome = Placed | KeyReused | KeyBusy | OverQuota | UnreadableRow


class Births:
    """Inserts jobs. Belongs to one event loop."""

    def __init__(self, database: Database, base_url: str, quotas: Quotas, tell: Tell) -> None:
        self._database = database
        self._base_url = base_url
        self._quotas = quotas
        self._tell = tell
        self._outright = Outright(database, quotas)
        self._one_each = GroupCommit(database, self._write)
        self._many_each = GroupCommit(database, self._write, limit=BATCHES_AT_ONCE)
        if database.is_sqlite:
            database.on_writing(sqlite_births())

    async def place(self, birth: Birth) -> Placed:
        """Store the jobs.

        On return they are on disk.

        Raises `KeyReused` if the key stands for another request, `KeyBusy` if another process keeps
        storing a submission with it, and `OverQuota` if the key's limits do not allow all of the
        jobs.
        """
        if await self._outright(birth):
            return Placed(birth.jobs)
        commit = self._one_each if len(birth.jobs) == 1 else self._many_each
        for _ in range(PATIENCE // PAUSE):
            outcome = await commit(birth)
            if isinstance(outcome, Placed):
                return outcome
            if not isinstance(outcome, KeyBusy):
                raise outcome
            await asyncio.sleep(PAUSE.total_seconds())
        raise KeyBusy

    async def before(self, key: IdempotencyKey, now: datetime) -> Placed | None:
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
            return Placed(stored, replayed=True)

    async def _write(
        self, connection: AsyncConnection, births: Sequence[Birth]
    ) -> Sequence[Outcome]:
        """Write a batch of submissions.

        Those that repeat an earlier one, are busy, mistaken or over a limit are answered so, and
        block none of the others.
        """
        keys = [birth.key for birth in births if birth.key]
        ours = await free(connection, keys) if keys else {}
        known = await earlier(connection, keys) if keys else {}
        verdicts = judged(births, ours, known, datetime.now(UTC))
        new = [birth for birth, verdict in zip(births, verdicts, strict=True) if verdict is None]
        refused = await self._quotas.refused(connection, [birth.jobs for birth in new])
        taken = [birth for birth in new if birth.jobs[0].id not in refused] if refused else new
        born = await self._bear(connection, taken)
        # Of several that replace each other, the last one is remembered.
        claimed = {birth.key.name: (birth.key, birth.jobs[0].id) for birth in taken if birth.key}
        if claimed:
            outdated = [record for name, record in known.items() if name in claimed]
            await write(connection, list(claimed.values()), outdated)
        records = [verdict for verdict in verdicts if isinstance(verdict, Record)]
        stored = await jobs_of(connection, records) if records else {}
        written: dict[int, Placed | OverQuota] = {
            id(birth): Placed(each) for birth, each in zip(taken, born, strict=True)
        }
        written |= {id(b): refused[b.jobs[0].id] for b in new if b.jobs[0].id in refused}

        def outcome(birth: Birth, verdict: Verdict) -> Outcome:
            match verdict:
                case None:
                    return written[id(birth)]
                case Birth():
                    beside = written[id(verdict)]
                    return replace(beside, replayed=True) if isinstance(beside, Placed) else beside
                case Record(job_id=job_id) if job_id not in stored:
                    return UnreadableRow(jobs.name, job_id)
                case Record(job_id=job_id):
                    # The submission itself, if its commit was not answered and it is written again.
                    return Placed(stored[job_id], replayed=job_id != birth.jobs[0].id)
                case _:
                    return verdict

        return [outcome(b, verdict) for b, verdict in zip(births, verdicts, strict=True)]

    async def _bear(
        self, connection: AsyncConnection, births: Sequence[Birth]
    ) -> list[Sequence[Job]]:
        """Insert the jobs, their metadata index, their first events and due deliveries, once."""
        born = [
            job if job.sequence == 1 else replace(job, sequence=1)
            for birth in births
            for job in birth.jobs
        ]
        brief = [job for job in born if is_brief(job)]
        shard = tallies.some_shard()
        left = {job.id for job in await bear(connection, brief, shard)}
        if rest := [job for job in born if job.id in left or not is_brief(job)]:
            await self._bear_at_length(connection, rest, shard)
        stored = iter(born)
        return [list(islice(stored, len(birth.jobs))) for birth in births]

    async def _bear_at_length(
        self, connection: AsyncConnection, born: Sequence[Job], shard: int
    ) -> None:
        """Insert jobs whose events somebody subscribes to, or that are not unchanged new jobs."""
        insert = insert_once(connection, jobs).returning(jobs.c.id)
        stored = set((await connection.execute(insert, [job_row(job) for job in born])).scalars())
        if labels := [row for job in born if job.metadata for row in label_rows(job)]:
            await connection.execute(insert_once(connection, job_labels), labels)
        if new := [job for job in born if job.id in stored]:
            events = [(job, event_of(None, job, self._base_url)) for job in new]
            await self._tell(connection, events)
            await tallies.add(connection, counted((None, job) for job in new), shard)


#: None: it is to be written. Else the obstacle: another submission of the batch, or an earlier one.
Verdict = Birth | Record | KeyReused | KeyBusy | None


def judged(
    births: Sequence[Birth], ours: Mapping[Name, bool], known: Mapping[Name, Record], now: datetime
) -> list[Verdict]:
    """Return the verdict on each of these."""
    verdicts: list[Verdict] = []
    beside: dict[Name, Birth] = {}
    for birth in births:
        key = birth.key
        if key is None:
            verdicts.append(None)
            continue
        record = known.get(key.name)
        standing = record if record and record.holds(now) else None
        verdict = judge(key, beside.get(key.name) or standing) if ours[key.name] else KeyBusy()
        if verdict is None:
            beside[key.name] = birth
        verdicts.append(verdict)
    return verdicts


def judge(key: IdempotencyKey, other: Birth | Record | None) -> Verdict:
    if other is None or key.replaces:
        return None
    theirs = other.key.fingerprint if isinstance(other, Birth) and other.key else None
    if isinstance(other, Record):
        theirs = other.fingerprint
    return other if theirs == key.fingerprint else KeyReused()
