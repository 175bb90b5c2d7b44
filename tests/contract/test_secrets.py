"""
Secrets of the deployment's own, on every store.
"""

import asyncio

from generation.store import Store


async def test_all_processes_know_one_secret_for_ever(store_url: str) -> None:
    stores = [Store(store_url) for _ in range(3)]
    try:
        found = await asyncio.gather(*(s.secrets.get("callbacks") for s in stores for _ in "ab"))
        assert len(set(found)) == 1
        assert len(found[0]) == 32
        assert await stores[0].secrets.get("other") != found[0]
    finally:
        for store in stores:
            await store.close()
    late = Store(store_url)
    try:
        assert await late.secrets.get("callbacks") == found[0]
    finally:
        await late.close()
