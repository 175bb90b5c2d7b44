"""The stack's own API key: created once, stored on disk, reused."""

import json
import os
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from generation.store import ApiKey, Store, new_key
from generation.webhooks.signature import new_secret
from ops.local.data_folder import DataFolder

#: The tenant of the key, the same as for `GENQ_API_KEY`.
TENANT = "default"


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """URL, API key and webhook secret. Never printed; users are told the file name."""

    url: str
    key: str = field(repr=False)
    webhook_secret: str = field(repr=False)
    #: Whether the key was created just now.
    is_new: bool = False


async def prepare_credentials(
    data_folder: DataFolder, store: Store, url: str, now: datetime
) -> ClientCredentials:
    """Return the stored key if it is still valid, else create one, and write the files.

    The files are always rewritten, because the API's port may have changed.
    """
    key = stored_key(data_folder.client)
    known = await store.keys.find(key) if key else None
    if known is None:
        key, known = await create_key(store, now)
    client = ClientCredentials(
        url, key, known.webhook_secret, is_new=key != stored_key(data_folder.client)
    )
    write_files(client, data_folder)
    return client


async def create_key(store: Store, now: datetime) -> tuple[str, ApiKey]:
    key = new_key()
    return key, await store.keys.add(TENANT, key, new_secret(), now)


def stored_key(file: Path) -> str:
    """Return the key in a client file; empty if it cannot be read."""
    try:
        document: Any = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    key = cast(dict[str, Any], document).get("key") if isinstance(document, dict) else None
    return key if isinstance(key, str) else ""


def write_files(client: ClientCredentials, data_folder: DataFolder) -> None:
    """Write client.json and curl.conf."""
    document = {"url": client.url, "key": client.key, "webhook_secret": client.webhook_secret}
    write_private(data_folder.client, json.dumps(document, indent=2) + "\n")
    write_private(
        data_folder.curl,
        "# Credentials for curl: curl -K <this file> <URL>\n"
        f'header = "Authorization: Bearer {client.key}"\n'
        'header = "Content-Type: application/json"\n',
    )


def write_private(file: Path, content: str) -> None:
    """Replace a file atomically with one that only its owner can read."""
    fresh = file.with_name(f"{file.name}.new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="utf-8") as writing:  # noqa: PTH123  (a descriptor)
        writing.write(content)
    fresh.replace(file)
