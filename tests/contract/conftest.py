"""Two views of one store, on each kind of database."""

from collections.abc import AsyncIterator

import pytest

from generation.store import Store


@pytest.fixture
async def store(store_url: str) -> AsyncIterator[Store]:
    """A store on a fresh, migrated database."""
    store = Store(store_url)
    yield store
    await store.close()


@pytest.fixture
async def second(store_url: str) -> AsyncIterator[Store]:
    """The same database, as another process sees it."""
    store = Store(store_url)
    yield store
    await store.close()
