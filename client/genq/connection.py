"""The HTTP settings of both clients."""

import os
from ipaddress import ip_address
from typing import Any

import httpx

from genq.local import connection, default_file

VERSION = "0.1.0"
USER_AGENT = f"genq-python/{VERSION}"
#: Seconds for which a call is retried while the API is unreachable or asks to retry later.
PATIENCE = 30.0
#: Seconds. A submit with `wait` is answered after up to a minute.
TIMEOUT = httpx.Timeout(75, connect=5)
#: Seconds. A stream sends a ping every 15 seconds; longer silence means a dead connection.
STREAM_TIMEOUT = httpx.Timeout(45, connect=5)


def http_settings(url: str | None, key: str | None, timeout: httpx.Timeout) -> dict[str, Any]:
    """Return arguments for httpx's clients.

    Defaults are `GENQ_URL` and `GENQ_KEY`, then the connection file of a genq on this machine.
    Raises `ValueError` for an unusable URL or key.
    """
    file = default_file()
    url, key = connection(
        url or os.environ.get("GENQ_URL"), key or os.environ.get("GENQ_KEY"), file
    )
    if not url.startswith(("http://", "https://")):
        raise ValueError("the URL must begin with http:// or https://")
    if not key:
        raise ValueError(f"no API key for {url}: give key, or set GENQ_KEY; {file} has none for it")
    if not (key.isascii() and key.isprintable()):
        raise ValueError("the API key holds characters that no key has: copy it again")
    try:
        local = is_local(url)
    except httpx.InvalidURL as error:
        raise ValueError(f"this is not a URL: {error}") from None
    return {
        "base_url": url,
        "headers": {"authorization": f"Bearer {key}", "user-agent": USER_AGENT},
        "timeout": timeout,
        # No proxy for a local API.
        "trust_env": not local,
    }


def is_local(url: str) -> bool:
    """Whether a URL points to this machine. Raises `httpx.InvalidURL`."""
    host = httpx.URL(url).host
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
