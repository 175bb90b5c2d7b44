"""Orders that arrive twice: one job, on each kind of database, whichever processes they reach."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from generation.access.quota import QuotaExceeded
from generation.store import IdempotencyKey, KeyBusy, KeyReused, KeyScope, Store
from generation.store.jobs.idempotency import free
from tests.contract.test_keys import a_key, of
from tests.contract.test_store import HOOK, failed
from tests.unit.jobs import a_job

NOW = datetime.now(UTC)


def keyed(value: str = "k", fingerprint: str = "f" * 64, **changes: object) -> IdempotencyKey:
    key = IdempotencyKey(
        tenant="acme",
        scope=KeyScope.JOB,
        value=value,
        fingerprint=fingerprint,
        expires_at=NOW + timedelta(days=9),
    )
    return replace(key, **changes)  # type: ignore[arg-type]


async def counted(store: Store) -> int:
    return sum((await store.jobs.counts()).values())


async def test_fifty_equal_orders_in_two_processes_are_one_job(store: Store, second: Store) -> None:
    stores = [store, second]
    placed = await asyncio.gather(
        *(stores[i % 2].jobs.place([a_job(webhook=HOOK)], keyed()) for i in range(50))
    )
    assert await counted(store) == 1
    assert len({outcome.jobs[0].id for outcome in placed}) == 1
    assert [outcome.replayed for outcome in placed].count(False) == 1


async def test_a_replay_answers_with_the_job_as_it_is_now(store: Store) -> None:
    first = await store.jobs.place([a_job()], keyed())
    change = await store.jobs.change(first.jobs[0].id, failed)
    again = await store.jobs.place([a_job()], keyed())
    assert change is not None
    assert (again.replayed, list(again.jobs)) == (True, [change.after])


async def test_a_key_is_one_tenants_and_one_scopes(store: Store) -> None:
    for key in (
        keyed(),
        keyed(tenant="other"),
        keyed(scope=KeyScope.BATCH),
        keyed("K"),
    ):
        assert not (await store.jobs.place([a_job()], key)).replayed
    assert await counted(store) == 4


async def test_a_key_reused_for_another_order_harms_none_of_its_batch(store: Store) -> None:
    await store.jobs.place([a_job()], keyed())
    orders = [
        *((a_job(), None) for _ in range(20)),
        (a_job(), keyed(fingerprint="0" * 64)),
        (a_job(), keyed()),
        (a_job(), keyed("new")),
        (a_job(), keyed("new", fingerprint="1" * 64)),
    ]
    outcomes = await asyncio.gather(
        *(store.jobs.place([job], key) for job, key in orders), return_exceptions=True
    )
    refused = [isinstance(outcome, KeyReused) for outcome in outcomes]
    assert refused == [False] * 20 + [True, False, False, True]
    assert await counted(store) == 1 + 20 + 1


async def test_a_batch_is_replayed_whole_and_in_order(store: Store) -> None:
    jobs = [a_job(batch_id="batch_1") for _ in range(5)]
    key = keyed(scope=KeyScope.BATCH)
    first = await store.jobs.place(jobs, key)
    again = await store.jobs.place([a_job(batch_id="batch_2") for _ in range(5)], key)
    assert [job.id for job in first.jobs] == [job.id for job in jobs]
    assert (again.replayed, list(again.jobs)) == (True, list(first.jobs))
    assert await counted(store) == 5


async def test_a_job_that_cannot_be_written_leaves_its_key_free(store: Store) -> None:
    with pytest.raises(Exception, match="provider"):
        await store.jobs.place([a_job(provider=None)], keyed())
    assert await store.idempotency.find(keyed(), NOW) is None
    assert not (await store.jobs.place([a_job()], keyed())).replayed


async def test_all_of_several_jobs_are_written_or_none(store: Store) -> None:
    with pytest.raises(Exception, match="provider"):
        await store.jobs.place([a_job(), a_job(provider=None)])
    assert await counted(store) == 0


async def test_what_has_expired_is_free_again_and_is_pruned(store: Store) -> None:
    past = keyed(expires_at=NOW - timedelta(seconds=1))
    forever = keyed("forever", scope=KeyScope.CLIENT_ID, expires_at=None)
    await store.jobs.place([a_job()], past)
    await store.jobs.place([a_job()], forever)
    assert await store.idempotency.find(past, NOW) is None
    assert await store.idempotency.prune(NOW) == 1
    assert await store.idempotency.prune(NOW) == 0
    await store.jobs.place([a_job()], past)
    assert not (await store.jobs.place([a_job()], keyed())).replayed
    assert (await store.jobs.place([a_job()], keyed())).replayed
    assert await store.idempotency.find(forever, NOW + timedelta(days=999)) is not None


async def test_a_first_try_takes_the_place_of_an_earlier_order(store: Store) -> None:
    """Two equal orders are two jobs; only the try after them is told of the latest."""
    first_try = keyed(scope=KeyScope.RETRY, replaces=True)
    orders = [a_job() for _ in range(3)]
    placed = [
        await store.jobs.place([orders[0]], first_try),
        *await asyncio.gather(*(store.jobs.place([job], first_try) for job in orders[1:])),
    ]
    assert not any(outcome.replayed for outcome in placed)
    again = await store.jobs.place([a_job()], replace(first_try, replaces=False))
    assert again.replayed
    assert again.jobs[0].id == orders[2].id


async def test_a_key_goes_with_its_job(store: Store) -> None:
    placed = await store.jobs.place([a_job(metadata={"a": "b"})], keyed())
    async with store.database.writing() as connection:
        await connection.execute(text("DELETE FROM jobs WHERE id = :id"), {"id": placed.jobs[0].id})
    assert await store.idempotency.find(keyed(), NOW) is None


async def test_whoever_is_being_stored_elsewhere_holds_up_nobody_else(postgres_url: str) -> None:
    """SQLite has one writer: there nothing is stored elsewhere at the same time."""
    store, second = Store(postgres_url), Store(postgres_url)
    async with second.database.writing() as elsewhere:
        assert await free(elsewhere, [keyed()]) == {keyed().name: True}
        busy = asyncio.create_task(store.jobs.place([a_job()], keyed()))
        others = await asyncio.gather(
            *(store.jobs.place([a_job()], keyed(f"k{n}")) for n in range(20))
        )
        assert not busy.done()
        assert not any(outcome.replayed for outcome in others)
        with pytest.raises(KeyBusy):
            await busy
    assert not (await store.jobs.place([a_job()], keyed())).replayed
    for each in (store, second):
        await each.close()


async def test_limits_take_a_batch_whole_and_count_no_replay(store: Store) -> None:
    key = await a_key(store, max_in_flight=3)
    with pytest.raises(QuotaExceeded):
        await store.jobs.place([of(key) for _ in range(4)], keyed("too many"))
    assert await counted(store) == 0
    await store.jobs.place([of(key) for _ in range(3)], keyed())
    assert (await store.jobs.place([of(key)], keyed())).replayed
    with pytest.raises(QuotaExceeded):
        await store.jobs.place([of(key)], keyed("one more"))
    assert await store.idempotency.find(keyed("one more"), NOW) is None
