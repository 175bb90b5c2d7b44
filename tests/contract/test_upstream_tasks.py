"""Which jobs have which upstream tasks, on both stores."""

import asyncio
from typing import Any, cast

from sqlalchemy import text

from generation.job import DoubtResolution, JobState
from generation.store import Store
from generation.store.engine.any_of import values_for
from generation.store.jobs.upstream_tasks import held
from tests.unit.jobs import NOON, a_job

S = JobState


async def test_whoever_has_a_task_is_found_by_its_id(store: Store) -> None:
    mine = await store.jobs.insert(a_job(S.RUNNING, upstream_id="t-1"))
    theirs = await store.jobs.insert(
        a_job(S.SUCCEEDED, upstream_id="t-1", tenant="rival", station="other", parent_id=mine.id)
    )
    await store.jobs.insert(a_job(S.RUNNING, upstream_id="t-2"))
    await store.jobs.insert(a_job())
    one, none, again = await asyncio.gather(*(map(store.jobs.tasks.holders, ("t-1", "t", "t-1"))))
    assert {each.job_id for each in one} == {mine.id, theirs.id}
    assert none == []
    assert again == one, "questions that come together are one statement"
    (found,) = [each for each in one if each.job_id == theirs.id]
    assert (found.tenant, found.station, found.parent_id) == ("rival", "other", mine.id)
    assert (found.key, found.provider, found.started_at) == ("main", "kling", NOON)


async def test_orders_that_were_accepted_are_told_from_others(store: Store) -> None:
    accepted = await store.jobs.insert(a_job(S.RUNNING))
    queued = await store.jobs.insert(a_job())
    found = await store.jobs.tasks.accepted([accepted.id, queued.id, "somebody's", ""])
    assert [each.job_id for each in found] == [accepted.id]


async def test_a_task_is_found_by_an_index_however_many_jobs_there_are(store: Store) -> None:
    for number in range(100):
        await store.jobs.insert(a_job(S.RUNNING, upstream_id=f"t-{number}"))
    async with store.database.writing() as connection:
        await connection.execute(text("ANALYZE jobs"))
    async with store.database.reading() as connection:
        dialect = connection.dialect
        if dialect.name == "postgresql":
            await connection.execute(text("SET LOCAL enable_seqscan = off"))
        explain = "EXPLAIN" if dialect.name == "postgresql" else "EXPLAIN QUERY PLAN"
        compiled = held(dialect.name).compile(dialect=dialect)
        values: dict[str, Any] = {**compiled.params, "ids": values_for(dialect.name, ["t-7"])}
        given = tuple(values[name] for name in cast(Any, compiled).positiontup or ())
        found = await connection.exec_driver_sql(f"{explain} {compiled}", given)
        plan = "\n".join(str(row) for row in found)
    assert "ix_jobs_upstream_id" in plan, plan
    assert "SCAN jobs" not in plan, plan
    assert "Seq Scan" not in plan, plan


async def test_what_a_person_has_said_is_kept(store: Store) -> None:
    job = await store.jobs.insert(a_job(S.IN_DOUBT))
    await store.jobs.change(
        job.id, lambda fresh: fresh.keep(NOON, resolved_as=DoubtResolution.REQUEUE)
    )
    stored = await store.jobs.get(job.id)
    assert stored is not None
    assert stored.resolved_as is DoubtResolution.REQUEUE
