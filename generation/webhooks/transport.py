"""Connections to permitted URLs and addresses only."""

import socket
import ssl
from typing import Any

import aiohttp
import httpx2 as httpx

from generation.transport import AiohttpTransport
from generation.webhooks.guard import ForbiddenAddress, GuardPolicy, check_url
from generation.webhooks.resolver import GuardedResolver, refusal_of

#: Below the five seconds after which common servers close an idle connection: a request written to
#: a connection that is just being closed is a failed attempt.
KEEP_ALIVE_SECONDS = 4.0

#: aiohttp's argument of a socket factory: family, kind, protocol, canonical name, address and more.
SocketTarget = tuple[int, int, int, str, tuple[Any, ...]]


class GuardedTransport(AiohttpTransport):
    """Raises `ForbiddenAddress` besides the errors of `AiohttpTransport`.

    With a `proxy`, which resolves names itself, only the URL is checked.
    """

    def __init__(
        self,
        policy: GuardPolicy,
        resolver: GuardedResolver,
        per_host: int,
        tls: ssl.SSLContext,
        proxy: str | None = None,
    ) -> None:
        def connector(fresh_connection: bool) -> aiohttp.TCPConnector:
            del fresh_connection
            if proxy is not None:
                return aiohttp.TCPConnector(ssl=tls, limit=0, limit_per_host=per_host)
            return guarded_connector(policy, resolver, per_host, tls)

        super().__init__(connector, proxy)
        self._policy = policy
        self._resolver = resolver

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        check_url(str(request.url), self._policy)
        return await super().handle_async_request(request)

    async def aclose(self) -> None:
        await super().aclose()
        await self._resolver.close()


def guarded_connector(
    policy: GuardPolicy, resolver: GuardedResolver, per_host: int, tls: ssl.SSLContext
) -> aiohttp.TCPConnector:
    """Return a connector that opens sockets to permitted addresses only.

    The resolver checks the addresses of names. A URL with a literal address bypasses every
    resolver, so the address is checked again where its socket is made.
    """

    def guarded_socket(target: SocketTarget) -> socket.socket:
        family, kind, proto, _, (address, *_) = target
        if reason := refusal_of(address, policy):
            raise ForbiddenAddress(f"{reason}; give an address on the public internet")
        return socket.socket(family, kind, proto)

    return aiohttp.TCPConnector(
        resolver=resolver,
        socket_factory=guarded_socket,
        ssl=tls,
        limit=0,  # a limit for all hosts together could be used up by a single one
        limit_per_host=per_host,
        keepalive_timeout=KEEP_ALIVE_SECONDS,
    )
