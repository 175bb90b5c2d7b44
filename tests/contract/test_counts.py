"""
A worker's counts, in every store.
"""

from datetime import timedelta

from generation.counters import LOOKS, STRANGE_WORDS
from generation.store import Store, totals
from tests.unit.jobs import NOON
from worker.runtime.counters import WRITE_EVERY, LookCounters


async def test_counts_are_written_down_now_and_then_and_once(store_url: str) -> None:
    store = Store(store_url)
    try:
        counts = LookCounters(store.database)
        counts.add(LOOKS)
        await counts.write_down(NOON)
        counts.add(LOOKS)
        counts.add(STRANGE_WORDS)
        await counts.write_down(NOON + timedelta(seconds=1))
        assert await totals(store.database) == {LOOKS: 1}
        for later in (WRITE_EVERY, 2 * WRITE_EVERY):
            await counts.write_down(NOON + later)
        assert await totals(store.database) == {LOOKS: 2, STRANGE_WORDS: 1}
        assert counts.all[LOOKS] == 2
    finally:
        await store.close()
