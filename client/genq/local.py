"""
The connection to a genq on this machine, which `genq up` and `genq demo` write into a file.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

DEFAULT_URL = "http://127.0.0.1:8000"
#: In the data directory: `url`, `key` and `webhook_secret`.
FILE_NAME = "client.json"


def default_file() -> Path:
    """Where the file is for a program that runs in the folder of `genq up`."""
    return Path(os.environ.get("GENQ_DATA_DIR") or ".genq") / FILE_NAME


def connection(url: str | None, key: str | None, file: Path) -> tuple[str, str | None]:
    """
    What is given, else what the file says. Its key goes to the URL it stands beside and to no
    other. Raises `ValueError` for a file that cannot be read.
    """
    if url and key:
        return url.rstrip("/"), key
    known = read_connection_file(file)
    known_url = str(known.get("url", DEFAULT_URL)).rstrip("/")
    url = (url or known_url).rstrip("/")
    return url, key or (known.get("key") if url == known_url else None)


def read_connection_file(file: Path) -> Mapping[str, Any]:
    """The file's content; empty where there is none. Raises `ValueError` for anything else."""
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
