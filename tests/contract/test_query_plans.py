"""
Plans: what the store runs reads no table that grows as a whole. Every other test of this folder
brings its statements to `tests.services.plans`; here are those that none of them runs, and proofs
that a bad plan is found.
"""

import ast
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

import generation
from generation.job import Job, JobState
from generation.store import Store, UnreadableRow, figures
from generation.store.schema import jobs, metadata
from tests.contract.test_deliveries import ended, registered
from tests.contract.test_idempotency import keyed
from tests.contract.test_key_slots import RELAY, calling, in_line, limited
from tests.services.plans import GROWING, SMALL, Statement, complaints, unseen
from tests.unit.jobs import NOON, a_job

#: Statements that no index answers, by kind of database.
BAD = {
    "sqlite": [
        "SELECT job_id FROM idempotency_keys"
        " WHERE (tenant, scope, key) IN (VALUES ('a', 'b', 'c'), ('d', 'e', 'f'))",
        "SELECT id FROM jobs WHERE reason = 'x'",
        "SELECT id FROM jobs AS others WHERE others.reason = 'x'",
        "UPDATE job_events SET reason = '' WHERE station = 'x'",
        "DELETE FROM deliveries WHERE url = 'x'",
    ],
    "postgresql": [
        "SELECT id FROM jobs WHERE reason = 'x'",
        "SELECT count(*) FROM jobs",
        "SELECT id FROM jobs WHERE id = 'a' OR batch_id IN (SELECT batch_id FROM jobs)",
        "UPDATE job_events SET reason = '' WHERE station = 'x'",
        "DELETE FROM deliveries WHERE url = 'x'",
    ],
}


async def test_a_bad_plan_is_found(store_url: str, planning_url: str) -> None:
    dialect = store_url.partition("+")[0]
    store = Store(store_url if dialect == "sqlite" else planning_url)
    try:
        for words in BAD[dialect]:
            async with store.database.reading() as connection:
                assert await complaints(connection, Statement(dialect, words, (), "test")), words
    finally:
        await store.close()


def test_a_statement_that_nobody_has_run_is_named() -> None:
    named = {str(place) for place in unseen(set())}
    assert any(place.startswith("generation/store/jobs/claims.py:") for place in named)
    assert len(named) > 200


def test_every_table_is_said_to_grow_or_to_stay_small() -> None:
    assert set(metadata.tables) == GROWING | set(SMALL)
    assert not GROWING & set(SMALL)


@pytest.mark.parametrize("table", sorted(GROWING))
def test_what_goes_with_another_row_is_found_by_an_index(table: str) -> None:
    """Deleting the other row searches for it, and no plan says so."""
    for constraint in metadata.tables[table].foreign_key_constraints:
        (column,) = constraint.columns
        indexes = [*metadata.tables[table].indexes, *metadata.tables[table].constraints]
        leading = [next(iter(getattr(each, "columns", ())), None) for each in indexes]
        others = [lead for each, lead in zip(indexes, leading, strict=True) if each != constraint]
        assert any(lead is column for lead in others), column


def test_nobody_but_the_store_writes_statements() -> None:
    root = Path(generation.__file__).parent.parent
    for package in ("api", "generation", "worker"):
        for file in (root / package).rglob("*.py"):
            if file.is_relative_to(root / "generation" / "store"):
                continue
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.ImportFrom) and node.module:
                    imported = node.module
                    assert not imported.startswith("sqlalchemy") or imported == "sqlalchemy.exc", (
                        file
                    )


async def poisoned(store: Store, job: Job) -> None:
    async with store.database.writing() as connection:
        await connection.execute(update(jobs).where(jobs.c.id == job.id).values(state="paused"))


async def test_a_batch_is_read_by_its_index(store: Store) -> None:
    members = [a_job(batch_id="batch_1") for _ in range(3)]
    await store.jobs.place(members, keyed())
    batch = await store.batches.get("batch_1", "acme")
    assert batch is not None
    assert (batch.total, batch.done) == (3, False)
    assert set(await store.batches.unfinished("batch_1", "acme")) == {job.id for job in members}
    await poisoned(store, members[1])
    with pytest.raises(UnreadableRow):
        await store.jobs.place([a_job(batch_id="batch_2")], keyed())
    with pytest.raises(UnreadableRow):
        await store.jobs.get(members[1].id, "acme")
    assert await store.jobs.get(members[1].id, "other") is None


async def test_a_callers_name_finds_its_job(store: Store) -> None:
    assert await store.jobs.named("mine", "acme") is None


async def test_progress_is_read_by_ids(store: Store) -> None:
    running = await store.jobs.insert(a_job(JobState.RUNNING, progress=40))
    queued = await store.jobs.insert(a_job())
    ids = [running.id, queued.id]
    assert await store.events.progress(ids) == {running.id: 40}
    assert [each.percent for each in (await store.events.progress_news(ids)).values()] == [40]


async def test_a_name_is_noted_of_a_job_in_doubt(store: Store) -> None:
    job = await store.jobs.insert(a_job(JobState.IN_DOUBT))
    await store.claims.name(job.id, "up_9")
    found = await store.jobs.get(job.id)
    assert found is not None
    assert found.named_id == "up_9"


async def test_an_endpoint_that_is_disabled_is_told_of(store: Store) -> None:
    endpoint, other = (
        await registered(store),
        await registered(store, events=("endpoint.disabled",)),
    )
    assert await store.endpoints.disable(endpoint, NOON, "410")
    assert not await store.endpoints.disable(endpoint, NOON, "410")
    (owed,) = await store.deliveries.claim(NOON + timedelta(days=999), 10, NOON)
    assert owed.delivery.endpoint_id == other.id


async def test_figures_are_read_from_tallies_and_indexes(store: Store) -> None:
    await store.jobs.insert(a_job())
    await ended(store)
    found = await figures(store.database, [RELAY], NOON + timedelta(minutes=1))
    assert found.oldest_queued == timedelta(minutes=1)
    assert found.held == {RELAY: 0}


async def test_a_blocked_key_is_tried_with_one_job(store: Store) -> None:
    (job, _) = await in_line(store, 2)
    blocked = {"blocked_code": "auth", "blocked_since": NOON, "probe_at": NOON}
    await store.accounts.change(RELAY, lambda account: replace(account, **blocked))
    called = await store.submits.call(calling(limited(max_in_flight=3), seconds=1))
    assert [each.id for each in called] == [job.id]
    assert (await store.accounts.all())[RELAY].probe_at != NOON


async def test_the_keys_that_unfinished_jobs_belong_to_are_found_one_after_the_other(
    store: Store,
) -> None:
    for station, key in (("relay", "main"), ("relay", "main"), ("gone", "old")):
        await store.jobs.insert(a_job(JobState.RUNNING, station=station, key=key))
    assert await store.accounts.in_use(NOON) == {("gone", "old"): 1, ("relay", "main"): 2}
