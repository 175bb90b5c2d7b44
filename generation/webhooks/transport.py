"""
Connections to URLs and addresses that pass the guard, and to nothing else.
"""

import socket
import ssl
from typing import Any

import aiohttp
import httpx

from generation.transport import AiohttpTransport
from generation.webhooks.guard import ForbiddenAddress, GuardPolicy, check_url
from generation.webhooks.resolver import GuardedResolver, refusal

#: Shorter than the five seconds after which common servers close an idle connection: a request sent
#: into a connection that is just being closed is a failed attempt.
KEEPALIVE_SECONDS = 4.0

#: What a socket is made for: family, kind, protocol, canonical name, and (address, port, …).
SocketTarget = tuple[int, int, int, str, tuple[Any, ...]]


class GuardedTransport(AiohttpTransport):
    """Raises `ForbiddenAddress` besides what an `AiohttpTransport` raises."""

    def __init__(
        self, policy: GuardPolicy, resolver: GuardedResolver, per_host: int, tls: ssl.SSLContext
    ) -> None:
        super().__init__(lambda: guarded_connector(policy, resolver, per_host, tls))
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
    """
    Connections to judged addresses only, however the address was found.

    The resolver judges names. A URL that spells out an address goes past every resolver, so the
    address is judged again where the socket for it is made.
    """

    def judged_socket(target: SocketTarget) -> socket.socket:
        family, kind, proto, _, (address, *_) = target
        if reason := refusal(address, policy):
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
