"""
HTTP for URLs that somebody else chose.

A guarded client judges every request's URL, every address its name resolves to, and, at the last
moment, the address the socket is about to be connected to. There is one lookup per connection and
the connection goes to exactly what was judged, so an answer of the DNS that changes in between
changes nothing. TLS and the Host header keep the name.

The last check is not redundant: aiohttp asks no resolver about a URL that spells out an address.
"""

import asyncio
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.cookiejar import CookieJar, DefaultCookiePolicy
from ipaddress import ip_address
from typing import Any

import aiohttp
import httpx
from aiohttp.abc import AbstractResolver, ResolveResult
from httpx_aiohttp import AiohttpTransport

from generation.webhooks.guard import ForbiddenAddress, GuardPolicy, check_url, forbidden

#: Lookups under way at once. They block a thread each, for long if a name's servers are silent, so
#: they have threads of their own and silent names do not stop the rest of the process.
LOOKUP_THREADS = 32
#: Shorter than the five seconds after which common servers close an idle connection: a request sent
#: into a connection that is just being closed is a failed attempt.
KEEPALIVE_SECONDS = 4.0


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
    """
    resolver = GuardedResolver(policy, names or ThreadedNames())
    return httpx.AsyncClient(
        transport=_GuardedTransport(policy, resolver, per_host, tls or httpx.create_ssl_context()),
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


#: What a connection is about to be made with: family, kind, protocol, name, and (address, port, …).
SocketTarget = tuple[int, int, int, str, tuple[Any, ...]]


class ThreadedNames(AbstractResolver):
    """The system's resolver, in threads of its own."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(LOOKUP_THREADS, thread_name_prefix="lookup")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        lookup = partial(
            socket.getaddrinfo,
            host,
            port,
            family=family,
            type=socket.SOCK_STREAM,
            flags=socket.AI_ADDRCONFIG,
        )
        infos = await asyncio.get_running_loop().run_in_executor(self._threads, lookup)
        return [
            ResolveResult(
                hostname=host,
                host=str(address[0]),
                port=port,
                family=found,
                proto=proto,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for found, _, proto, _, address in infos
        ]

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


class GuardedResolver(AbstractResolver):
    """
    A resolver that raises `ForbiddenAddress` for a name with a forbidden address among its own.

    One is enough to refuse them all: a name of the public internet has no business inside.
    """

    def __init__(self, policy: GuardPolicy, names: AbstractResolver) -> None:
        self._policy = policy
        self._names = names

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        results = await self._names.resolve(host, port, family)
        for result in results:
            if reason := _forbidden(result["host"], self._policy):
                raise ForbiddenAddress(
                    f"{host} leads to a forbidden address: {reason}; "
                    "give a name whose every address is on the public internet"
                )
        return results

    async def close(self) -> None:
        await self._names.close()


def guarded_connector(
    policy: GuardPolicy, resolver: GuardedResolver, per_host: int, tls: ssl.SSLContext
) -> aiohttp.TCPConnector:
    """Connections to judged addresses only, however the address was found."""

    def judged_socket(target: SocketTarget) -> socket.socket:
        family, kind, proto, _, (address, *_) = target
        if reason := _forbidden(address, policy):
            raise ForbiddenAddress(f"{reason}; give an address on the public internet")
        return socket.socket(family, kind, proto)

    return aiohttp.TCPConnector(
        resolver=resolver,
        socket_factory=judged_socket,
        ssl=tls,
        limit=0,  # any common limit is one that a single host could use up
        limit_per_host=per_host,
        keepalive_timeout=KEEPALIVE_SECONDS,
    )


class _GuardedTransport(AiohttpTransport):
    def __init__(
        self, policy: GuardPolicy, resolver: GuardedResolver, per_host: int, tls: ssl.SSLContext
    ) -> None:
        def session() -> aiohttp.ClientSession:
            return aiohttp.ClientSession(
                connector=guarded_connector(policy, resolver, per_host, tls),
                cookie_jar=aiohttp.DummyCookieJar(),
            )

        super().__init__(verify=tls, trust_env=False, client=session)
        self._policy = policy
        self._resolver = resolver

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        check_url(str(request.url), self._policy)
        return await super().handle_async_request(request)

    async def aclose(self) -> None:
        await super().aclose()
        await self._resolver.close()


def _forbidden(address: str, policy: GuardPolicy) -> str | None:
    try:
        return forbidden(ip_address(address), policy.allowed_networks)
    except ValueError:
        return f"{address!r} is no address"
