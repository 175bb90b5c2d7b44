"""Addresses that an answer names and that we ask later."""

import re
from typing import Any
from urllib.parse import urlsplit

from generation.providers.kit import json_reader as wire

_PLAIN = re.compile(r"[!-~]+")
_HOST = re.compile(r"[a-z0-9.-]+|[0-9a-f:.]+", re.IGNORECASE)


def askable(value: Any) -> str:
    """A URL that our own client can send a request to; "" for anything else."""
    candidate = wire.url(value)
    if not _PLAIN.fullmatch(candidate):
        return ""
    parts = urlsplit(candidate)
    try:
        usable = parts.port is None or parts.port > 0
    except ValueError:
        return ""
    return candidate if usable and _HOST.fullmatch(parts.hostname or "") else ""
