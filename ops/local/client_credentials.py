"""The stack's own caller: an API key that is made once, kept on disk, and used again."""

import json
import os
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from generation.store import ApiKey, Store, new_key
from generation.webhooks.signature import new_secret
from ops.local.data_folder import DataFolder

#: Whose jobs the caller sees: those of `GENQ_API_KEY` are the same tenant's.
TENANT = "default"


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """How to call the API. Never printed: people are told which file it is in."""

    url: str
    key: str = field(repr=False)
    webhook_secret: str = field(repr=False)
    #: Whether the key has just been made.
    is_new: bool = False


async def prepare_credentials(
    data_folder: DataFolder, store: Store, url: str, now: datetime
) -> ClientCredentials:
    """
    The caller in the home's file where the store still lets it in, else a new one; the files are
    written anew, because the API may be at another port than before.
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
    """The key in a client file; empty where there is none to be read."""
    try:
        document: Any = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    key = cast(dict[str, Any], document).get("key") if isinstance(document, dict) else None
    return key if isinstance(key, str) else ""


def write_files(client: ClientCredentials, data_folder: DataFolder) -> None:
    """Write the client's files."""
    document = {"url": client.url, "key": client.key, "webhook_secret": client.webhook_secret}
    write_private(data_folder.client, json.dumps(document, indent=2) + "\n")
    write_private(
        data_folder.curl,
        "# Lets curl into the local genq: curl -K <this file> <URL>\n"
        f'header = "Authorization: Bearer {client.key}"\n'
        'header = "Content-Type: application/json"\n',
    )


def write_private(file: Path, content: str) -> None:
    """Replace a file by one that only its owner can read, at no moment anybody else."""
    fresh = file.with_name(f"{file.name}.new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="utf-8") as writing:  # noqa: PTH123  (a descriptor)
        writing.write(content)
    fresh.replace(file)
