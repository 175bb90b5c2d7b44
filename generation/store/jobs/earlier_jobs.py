"""The jobs of earlier submissions, for repeated ones."""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Column, Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from generation.job import Job
from generation.store.engine.any_of import among, values_for
from generation.store.engine.unreadable_rows import ReadResult, read
from generation.store.jobs.idempotency import KeyRecord
from generation.store.jobs.rows import read_jobs
from generation.store.schema import jobs


async def jobs_of(
    connection: AsyncConnection, records: Sequence[KeyRecord]
) -> dict[str, Sequence[Job]]:
    """Return, by the job id of each record, that job, or all jobs of its batch in order.

    Records with an unreadable job are left out.
    """
    ids = {record.job_id for record in records}
    named = await _read_by(connection, jobs.c.id, ids)
    found: dict[str, Sequence[Job]] = {job.id: [job] for job in named.found if not job.batch_id}
    firsts = {job.batch_id: job.id for job in named.found if job.batch_id}
    if not firsts:
        return found
    members = await _read_by(connection, jobs.c.batch_id, firsts)
    incomplete: set[str | None] = set()
    if members.unreadable:
        their_batches = select(jobs.c.batch_id).where(jobs.c.id.in_(members.unreadable))
        incomplete.update((await connection.execute(their_batches)).scalars())
    batches: dict[str, list[Job]] = {}
    for job in members.found:
        if job.batch_id and job.batch_id not in incomplete:
            batches.setdefault(job.batch_id, []).append(job)
    return found | {firsts[batch_id]: together for batch_id, together in batches.items()}


async def _read_by(
    connection: AsyncConnection, column: Column[str], values: Iterable[str]
) -> ReadResult[Job]:
    dialect = connection.dialect.name
    wanted = {"values": values_for(dialect, values)}
    return await read(connection, _jobs_by(dialect, column), jobs.c.id, read_jobs, wanted)


@cache
def _jobs_by(dialect: str, column: Column[str]) -> Select[Any]:
    """Use one column per query: with both, PostgreSQL would scan all jobs."""
    these = among(dialect, column, "values")
    return select(jobs).where(these, column.is_not(None)).order_by(jobs.c.id)
