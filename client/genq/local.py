"""The connection file of a genq on this machine, written by `genq up` and `genq demo`."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

DEFAULT_URL = "http://127.0.0.1:8000"
#: In the data directory; contains `url`, `key` and `webhook_secret`.
FILE_NAME = "client.json"


def default_file() -> Path:
    """Return the file for a program that runs in the folder of `genq up`."""
    return Path(os.environ.get("GENQ_DATA_DIR") or ".genq") / FILE_NAME


def connection(url: str | None, key: str | None, file: Path) -> tuple[str, str | None]:
    """Return URL and key: the given ones, else those of the file.

    The file's key is used only for the URL beside it. Raises `ValueError` for an unreadable file.
    """
    if url and key:
        return url.rstrip("/"), key
    known = read_connection_file(file)
    known_url = str(known.get("url", DEFAULT_URL)).rstrip("/")
    url = (url or known_url).rstrip("/")
    return url, key or (known.get("key") if url == known_url else None)


def read_connection_file(file: Path) -> Mapping[str, Any]:
    """Return the file's content; empty if there is no file. Raises `ValueError`."""
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ValueError(f"{file} cannot be read ({error}): delete it, or set {BOTH}") from None
    if not isinstance(document, dict):
        raise ValueError(f"{file} is not a JSON object: delete it, or set {BOTH}")
    return cast(dict[str, Any], document)


BOTH = "GENQ_URL and GENQ_KEY"
