"""
HTTP for URLs that somebody else chose.

A guarded client judges every request's URL, every address its name resolves to, and, at the last
moment, the address the socket is about to be connected to. There is one lookup per connection and
the connection goes to exactly what was judged, so an answer of the DNS that changes in between
changes nothing. TLS and the Host header keep the name.
"""

import ssl
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx
from aiohttp.abc import AbstractResolver

from generation.webhooks.guard import GuardPolicy
from generation.webhooks.resolver import GuardedResolver, ThreadedNames
from generation.webhooks.transport import GuardedTransport


def guarded_client(
    policy: GuardPolicy,
    timeouts: httpx.Timeout,
    *,
    per_host: int = 10,
    tls: ssl.SSLContext | None = None,
    names: AbstractResolver | None = None,
) -> httpx.AsyncClient:
    """
    A client that connects only where `policy` permits, and raises `ForbiddenAddress` elsewhere.

    It follows no redirect, takes no proxy from the environment, keeps no cookies and asks for
    uncompressed answers. Each host may have `per_host` connections, and all together as many as
    the callers open. Of `timeouts`, `pool` bounds the whole way to an open connection: waiting for
    one of the host's, the lookup, TCP and TLS. `tls` replaces the public certificate authorities,
    `names` the system's resolver. The client belongs to the event loop of its first request. Close
    it with `aclose()`.

    `httpx.ConnectError` and `httpx.ConnectTimeout` mean that the request surely never left.
    """
    resolver = GuardedResolver(policy, names or ThreadedNames())
    return httpx.AsyncClient(
        transport=GuardedTransport(policy, resolver, per_host, tls or httpx.create_ssl_context()),
        timeout=timeouts,
        headers={"accept-encoding": "identity"},
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        follow_redirects=False,
        trust_env=False,
    )


async def read_head(response: httpx.Response, into: bytearray, limit: int) -> None:
    """
    Append the first `limit` bytes of a streamed body, undecoded, and leave the rest unread.

    Closing the response then closes its connection. What had arrived before an exception stays in
    `into`.
    """
    async for chunk in response.aiter_raw():
        into += chunk[: limit - len(into)]
        if len(into) >= limit:
            return
