"""
Where the API is, and how it is called: the HTTP client's settings, alike for both clients.
"""

import os
from ipaddress import ip_address
from typing import Any

import httpx

from genq.local import connection, default_file

VERSION = "0.1.0"
USER_AGENT = f"genq-python/{VERSION}"
#: Seconds for which a call goes on trying while the API is away or asks for patience.
PATIENCE = 30.0
#: Seconds. An order with `wait` is answered after up to a minute.
TIMEOUT = httpx.Timeout(75, connect=5)
#: A stream sends something every 15 seconds; silence for longer than this is a dead connection.
STREAM_TIMEOUT = httpx.Timeout(45, connect=5)


def http_settings(url: str | None, key: str | None, timeout: httpx.Timeout) -> dict[str, Any]:
    """
    Arguments for httpx's clients. `GENQ_URL` and `GENQ_KEY` stand in for what is not given, and
    the file of a genq on this machine for what neither says. Raises `ValueError` for a URL or a
    key that cannot be one.
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
        # A proxy of the environment is for the outside.
        "trust_env": not local,
    }


def is_local(url: str) -> bool:
    """Whether a URL means this machine. Raises `httpx.InvalidURL`."""
    host = httpx.URL(url).host
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
