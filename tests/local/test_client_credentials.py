"""The stack's own API key is created once, reused, and replaced after revocation."""

import json
import stat
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from generation.store import Store
from ops.local.client_credentials import prepare_credentials
from ops.local.data_folder import DataFolder

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.fixture
async def store(sqlite_url: str) -> AsyncIterator[Store]:
    store = Store(sqlite_url, pool_size=1)
    yield store
    await store.close()


async def test_credentials_are_reused_at_another_port(store: Store, tmp_path: Path) -> None:
    data_folder = DataFolder(tmp_path)
    first = await prepare_credentials(data_folder, store, "http://127.0.0.1:1", NOW)
    again = await prepare_credentials(data_folder, store, "http://127.0.0.1:2", NOW)
    assert (first.is_new, again.is_new) == (True, False)
    assert (again.key, again.webhook_secret) == (first.key, first.webhook_secret)
    assert json.loads(data_folder.client.read_text()) == {
        "url": "http://127.0.0.1:2",
        "key": first.key,
        "webhook_secret": first.webhook_secret,
    }
    assert f"Bearer {first.key}" in data_folder.curl.read_text()
    for file in (data_folder.client, data_folder.curl):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


async def test_a_revoked_key_is_replaced(store: Store, tmp_path: Path) -> None:
    data_folder = DataFolder(tmp_path)
    first = await prepare_credentials(data_folder, store, "http://127.0.0.1:1", NOW)
    (key,) = await store.keys.all()
    assert await store.keys.revoke(key.id, NOW)
    second = await prepare_credentials(data_folder, store, "http://127.0.0.1:1", NOW)
    assert second.is_new
    assert second.key != first.key
    assert await store.keys.find(second.key)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"key": 7}', "\0"])
async def test_an_unreadable_file_is_replaced(store: Store, tmp_path: Path, content: str) -> None:
    data_folder = DataFolder(tmp_path)
    data_folder.client.write_text(content)
    assert (await prepare_credentials(data_folder, store, "http://127.0.0.1:1", NOW)).is_new
    assert json.loads(data_folder.client.read_text())["url"] == "http://127.0.0.1:1"
