"""Two views of one store, on each kind of database; and the plans of all that it runs there."""

from collections.abc import AsyncIterator

import pytest

from generation.store import Store
from tests.services.plans import CAPTURE, complaints


@pytest.fixture(autouse=True)
async def planned(request: pytest.FixtureRequest) -> AsyncIterator[None]:
    """No statement that a test has the store run reads all of a table that grows."""
    if "store_url" not in request.fixturenames:
        yield
        return
    url: str = request.getfixturevalue("store_url")
    asked = url if url.startswith("sqlite") else request.getfixturevalue("planning_url")
    capture = request.config.stash[CAPTURE]
    with capture.listening():
        yield
    if not (fresh := capture.fresh(url.partition("+")[0])):
        return
    store = Store(asked)
    try:
        wrong: list[str] = []
        for statement in fresh:
            async with store.database.writing() as connection:
                said = await complaints(connection, statement)
            wrong += [f"{each}: {statement.asked_by}: {statement.words}" for each in said]
    finally:
        await store.close()
    assert not wrong, "\n".join(wrong)


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
