"""Orders that claim keys and places, stored by one statement, on each kind of database."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from generation.access.permissions import Limits, Rate
from generation.access.quota import DAILY, IN_FLIGHT, QuotaExceeded
from generation.job import Job
from generation.store import ApiKey, IdempotencyKey, KeyReused, KeyScope, Store, totals
from generation.store.jobs.direct_insert import DirectInserter
from generation.store.jobs.new_job import NewJobs
from generation.store.schema import key_usage
from tests.contract.test_idempotency import NOW, keyed
from tests.contract.test_keys import a_key, ended
from tests.unit.jobs import NOON, a_job

GENEROUS: dict[str, Any] = {
    "rate": Rate(1000, timedelta(minutes=1)),
    "max_in_flight": 500,
    "daily_jobs": 1000,
}


@pytest.fixture
async def insert_directly(store: Store) -> AsyncIterator[DirectInserter]:
    """The way under test, as the store has it."""
    yield DirectInserter(store.database, store.jobs.quotas)


def ordered(key: ApiKey | None = None, **changes: Any) -> Job:
    """As an order makes it: nothing has happened to it yet."""
    quota_key = key.quota_key if key else None
    return a_job(sequence=1, quota_key=quota_key, **changes)


def many(count: int, prefix: str = "k", key: ApiKey | None = None) -> list[NewJobs]:
    return [NewJobs([ordered(key)], keyed(f"{prefix}{number}")) for number in range(count)]


async def stored(insert_directly: DirectInserter, submissions: list[NewJobs]) -> list[bool]:
    return list(await asyncio.gather(*(insert_directly(submission) for submission in submissions)))


async def known(store: Store, key: ApiKey) -> None:
    """Let the store see what this key has used, as its first order does."""
    await store.jobs.place([ordered(key)])


async def jobs_today(store: Store, key: ApiKey) -> int:
    query = select(key_usage.c.jobs_today).where(key_usage.c.key_id == key.id)
    async with store.database.reading() as connection:
        return (await connection.execute(query)).scalar_one()


async def counted(store: Store) -> int:
    return sum((await store.jobs.counts()).values())


async def test_keyed_orders_are_stored_with_their_keys(
    store: Store, insert_directly: DirectInserter
) -> None:
    submissions = many(40)
    forever = keyed("named", scope=KeyScope.CLIENT_ID, expires_at=None)
    submissions.append(NewJobs([ordered()], forever))
    assert all(await stored(insert_directly, submissions))
    assert (await totals(store.database))["state.queued"] == 41
    for submission in submissions:
        assert submission.key is not None
        record = await store.idempotency.find(submission.key, NOW)
        assert record is not None
        assert record.job_id == submission.jobs[0].id
        assert record.fingerprint == submission.key.fingerprint
        assert record.expires_at == submission.key.expires_at
        again = await store.jobs.place([ordered()], submission.key)
        assert (again.replayed, list(again.jobs)) == (True, list(submission.jobs))
    assert await counted(store) == 41


async def test_repetitions_are_left_and_keep_no_others_from_it(
    store: Store, insert_directly: DirectInserter
) -> None:
    first, *others = many(20)
    assert await insert_directly(first)
    again = NewJobs([ordered()], keyed("k0"))
    other = NewJobs([ordered()], keyed("k0", fingerprint="0" * 64))
    assert await stored(insert_directly, [again, *others, other]) == [False, *[True] * 19, False]
    assert await counted(store) == 20
    assert (await store.jobs.place(again.jobs, again.key)).replayed
    with pytest.raises(KeyReused):
        await store.jobs.place(other.jobs, other.key)


async def test_of_one_key_in_a_group_one_is_stored(
    store: Store, insert_directly: DirectInserter
) -> None:
    same = [NewJobs([ordered()], keyed()) for _ in range(10)]
    assert (await stored(insert_directly, same)).count(True) == 1
    assert await counted(store) == 1


async def test_a_first_try_takes_the_place_of_an_earlier_one(
    store: Store, insert_directly: DirectInserter
) -> None:
    first_try = keyed(scope=KeyScope.RETRY, replaces=True)
    submissions = [NewJobs([ordered()], first_try) for _ in range(2)]
    assert [await insert_directly(submission) for submission in submissions] == [True, True]
    again = await store.jobs.place([ordered()], replace(first_try, replaces=False))
    assert (again.replayed, again.jobs[0].id) == (True, submissions[1].jobs[0].id)


async def test_what_has_expired_is_left_and_free(
    store: Store, insert_directly: DirectInserter
) -> None:
    past = keyed(expires_at=NOW - timedelta(days=1))
    assert await insert_directly(NewJobs([ordered()], past))
    assert not await insert_directly(NewJobs([ordered()], past))
    assert not (await store.jobs.place([ordered()], keyed())).replayed


async def test_limited_orders_are_counted(store: Store, insert_directly: DirectInserter) -> None:
    key = await a_key(store, **GENEROUS)
    assert await insert_directly(NewJobs([ordered(key)])), "what the key has used is read first"
    submissions = [NewJobs([ordered(key)]) for _ in range(30)] + many(30, key=key)
    assert all(await stored(insert_directly, submissions))
    assert await jobs_today(store, key) == 61
    assert store.jobs.quotas.usage_of(key.id).in_flight == 61
    assert store.jobs.quotas.usage_of(key.id).whole_at == NOON + timedelta(seconds=61 * 0.06)


async def test_a_repetition_takes_no_place(store: Store, insert_directly: DirectInserter) -> None:
    key = await a_key(store, **GENEROUS)
    await known(store, key)
    assert await insert_directly(NewJobs([ordered(key)], keyed()))
    submissions = [NewJobs([ordered(key)], keyed()), *many(5, key=key)]
    assert await stored(insert_directly, submissions) == [False, *[True] * 5]
    assert await jobs_today(store, key) == 7


async def test_limits_hold_and_say_why(store: Store, insert_directly: DirectInserter) -> None:
    key = await a_key(store, daily_jobs=5)
    await known(store, key)
    submissions = [NewJobs([ordered(key)]) for _ in range(10)]
    assert (await stored(insert_directly, submissions)).count(True) == 4
    with pytest.raises(QuotaExceeded) as refused:
        await store.jobs.place([ordered(key)])
    assert refused.value.policy == DAILY
    assert await counted(store) == 5


async def test_jobs_that_ended_make_room(store: Store) -> None:
    key = await a_key(store, max_in_flight=3)
    jobs = [(await store.jobs.place([ordered(key)])).jobs[0] for _ in range(3)]
    with pytest.raises(QuotaExceeded) as refused:
        await store.jobs.place([ordered(key)])
    assert refused.value.policy == IN_FLIGHT
    await store.jobs.change(jobs[0].id, ended)
    await store.jobs.place([ordered(key)])
    with pytest.raises(QuotaExceeded):
        await store.jobs.place([ordered(key)])


async def test_what_changed_since_is_read_anew(
    store: Store, second: Store, insert_directly: DirectInserter
) -> None:
    """Other limits, or places that another process has taken."""
    key = await a_key(store, daily_jobs=100, max_in_flight=50)
    await known(store, key)
    await second.jobs.place([ordered(key)])
    assert await insert_directly(NewJobs([ordered(key)])), "another process has taken a place"
    assert await jobs_today(store, key) == 3
    assert store.jobs.quotas.usage_of(key.id).in_flight == 3
    await second.keys.change(key.id, lambda access: replace(access, limits=Limits(daily_jobs=4)))
    submissions = [NewJobs([ordered(key)]) for _ in range(3)]
    assert (await stored(insert_directly, submissions)).count(True) == 1, "the limits are others"
    with pytest.raises(QuotaExceeded):
        await store.jobs.place([ordered(key)])
    assert await jobs_today(store, key) == 4
    assert await counted(store) == 4


async def test_limits_and_keys_hold_across_processes(store: Store, second: Store) -> None:
    key = await a_key(store, daily_jobs=60)
    stores = [store, second]

    def order(number: int) -> Any:
        idempotency: IdempotencyKey | None = keyed(f"k{number // 2}") if number < 60 else None
        return stores[number % 2].jobs.place([ordered(key)], idempotency)

    placed = await asyncio.gather(*(order(n) for n in range(140)), return_exceptions=True)
    refused = [each for each in placed if isinstance(each, BaseException)]
    assert all(isinstance(each, QuotaExceeded) for each in refused), refused
    assert await counted(store) == 60
    assert await jobs_today(store, key) == 60
