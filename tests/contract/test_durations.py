"""
What stores keep of how long tasks took.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import update

from generation.polling.duration_histogram import ObservedDuration
from generation.store import Kind, Store
from generation.store.schema import durations
from tests.unit.jobs import NOON

IMAGINE = Kind("relay", "midjourney", "imagine", "")
VIDEO = Kind("relay", "kling", "text2video", "kling-v3")


@pytest.fixture
async def store(store_url: str) -> AsyncIterator[Store]:
    store = Store(store_url)
    yield store
    await store.close()


@pytest.fixture
async def second(store_url: str) -> AsyncIterator[Store]:
    store = Store(store_url)
    yield store
    await store.close()


async def test_endings_add_up_by_kind(store: Store) -> None:
    assert await store.durations.all() == {}
    await store.durations.add(
        {IMAGINE: [ObservedDuration(40, 44)], VIDEO: [ObservedDuration(0, 200)] * 3}, NOON
    )
    await store.durations.add({IMAGINE: [ObservedDuration(50, 54)] * 2}, NOON)
    known = await store.durations.all()
    totals = {kind: round(sketch.total, 2) for kind, sketch in known.items()}
    assert totals == {IMAGINE: 3, VIDEO: 3}


async def test_processes_that_add_at_once_lose_nothing(store: Store, second: Store) -> None:
    seen = {VIDEO: [ObservedDuration(90, 100)], IMAGINE: [ObservedDuration(40, 44)]}
    await asyncio.gather(*([store, second][i % 2].durations.add(seen, NOON) for i in range(20)))
    known = await store.durations.all()
    assert [round(known[kind].total, 1) for kind in (VIDEO, IMAGINE)] == [20, 20]


async def test_what_nobody_buys_any_more_is_forgotten(store: Store) -> None:
    await store.durations.add({IMAGINE: [ObservedDuration(40, 44)]}, NOON)
    await store.durations.add({VIDEO: [ObservedDuration(40, 44)]}, NOON + timedelta(days=91))
    assert list(await store.durations.all()) == [VIDEO]


async def test_what_cannot_be_read_is_learned_anew_and_hides_nothing_else(store: Store) -> None:
    await store.durations.add(
        {IMAGINE: [ObservedDuration(40, 44)], VIDEO: [ObservedDuration(0, 200)]}, NOON
    )
    poison = update(durations).where(durations.c.operation == VIDEO.operation)
    async with store.database.writing() as connection:
        await connection.execute(poison.values(weights=["of another version"]))
    assert list(await store.durations.all()) == [IMAGINE]
    await store.durations.add(
        {IMAGINE: [ObservedDuration(40, 44)], VIDEO: [ObservedDuration(0, 200)] * 3}, NOON
    )
    known = await store.durations.all()
    assert [round(known[kind].total, 1) for kind in (IMAGINE, VIDEO)] == [2, 3]
