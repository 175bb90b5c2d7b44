"""An HTTP client for URLs that somebody else chose.

A guarded client checks the URL of every request, every address that its name resolves to, and the
address of every socket before it connects. There is one lookup per connection, and the connection
goes to an address that was checked, so DNS rebinding has no effect. TLS and the Host header keep
the name.
"""

import ssl

import httpx2 as httpx
from aiohttp.abc import AbstractResolver

from generation.http_client import StatelessClient, raw_stream
from generation.webhooks.guard import GuardPolicy
from generation.webhooks.resolver import GuardedResolver, ThreadedResolver
from generation.webhooks.transport import GuardedTransport


def guarded_client(
    policy: GuardPolicy,
    timeouts: httpx.Timeout,
    *,
    per_host: int = 10,
    tls: ssl.SSLContext | None = None,
    names: AbstractResolver | None = None,
    proxy: str | None = None,
) -> StatelessClient:
    """Return a client that connects only where `policy` permits.

    It raises `ForbiddenAddress` elsewhere, and the errors of `AiohttpTransport`. It follows no
    redirect, keeps no cookies and ignores the environment's proxies. Each host may have `per_host`
    connections (0 is no limit). The `pool` timeout bounds the whole way to an open connection:
    waiting for a free one, the lookup, TCP and TLS. `tls` replaces the public certificate
    authorities, `names` the system's resolver. A `proxy` resolves names itself: only the URL is
    checked here. Close the client with `aclose()`.
    """
    resolver = GuardedResolver(policy, names or ThreadedResolver())
    tls = tls or ssl.create_default_context()
    return StatelessClient(GuardedTransport(policy, resolver, per_host, tls, proxy), timeouts)


async def read_head(response: httpx.Response, into: bytearray, limit: int) -> None:
    """Append the first `limit` bytes of a streamed body, undecoded, and leave the rest unread.

    Closing the response then closes its connection. After an exception, the bytes that had arrived
    are in `into`.
    """
    async for chunk in raw_stream(response):
        into += chunk[: limit - len(into)]
        if len(into) >= limit:
            return
