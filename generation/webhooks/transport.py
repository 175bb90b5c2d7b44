"""
httpx's requests over aiohttp's connections, to URLs and addresses that pass the guard.

This is a transport of our own, and not httpx-aiohttp's, for two reasons. That one lets aiohttp
rewrite the URL (`%2F` in a query becomes `/`), and a token or a signature in it is then no longer
what its owner wrote. And it reports a connection that broke off after the request as a connect
timeout, as if the request had never left.
"""

import socket
import ssl
from collections.abc import AsyncIterator, Generator
from contextlib import contextmanager
from typing import Any

import aiohttp
import httpx
from yarl import URL

from generation.webhooks.guard import ForbiddenAddress, GuardPolicy, check_url
from generation.webhooks.resolver import GuardedResolver, refusal

#: Shorter than the five seconds after which common servers close an idle connection: a request sent
#: into a connection that is just being closed is a failed attempt.
KEEPALIVE_SECONDS = 4.0

#: What a socket is made for: family, kind, protocol, canonical name, and (address, port, …).
SocketTarget = tuple[int, int, int, str, tuple[Any, ...]]

#: The first that fits is raised. `ConnectTimeout` and `ConnectError` mean that no request left.
TRANSLATIONS: tuple[tuple[type[aiohttp.ClientError], type[httpx.TransportError]], ...] = (
    (aiohttp.ConnectionTimeoutError, httpx.ConnectTimeout),
    (aiohttp.ServerTimeoutError, httpx.ReadTimeout),
    (aiohttp.ClientConnectorError, httpx.ConnectError),
    (aiohttp.ClientConnectionError, httpx.ReadError),
    (aiohttp.ClientPayloadError, httpx.ReadError),
    (aiohttp.ClientError, httpx.RemoteProtocolError),
)


class GuardedTransport(httpx.AsyncBaseTransport):
    """
    Belongs to the event loop of its first request. Raises `ForbiddenAddress` or an
    `httpx.TransportError`, whose message never quotes the URL.
    """

    def __init__(
        self, policy: GuardPolicy, resolver: GuardedResolver, per_host: int, tls: ssl.SSLContext
    ) -> None:
        self._policy = policy
        self._resolver = resolver
        self._per_host = per_host
        self._tls = tls
        self._session: aiohttp.ClientSession | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = str(request.url)
        check_url(url, self._policy)
        timeouts = request.extensions["timeout"]
        with translated():
            response = await self._opened().request(
                request.method,
                URL(url, encoded=True),
                headers=request.headers.multi_items(),
                data=await request.aread() or None,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(
                    connect=timeouts["pool"],
                    sock_connect=timeouts["connect"],
                    sock_read=timeouts["read"],
                ),
            )
        return httpx.Response(
            response.status,
            headers=response.raw_headers,
            stream=_Body(response),
            request=request,
        )

    async def aclose(self) -> None:
        if self._session is not None:
            await self._session.close()
        await self._resolver.close()

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = guarded_connector(self._policy, self._resolver, self._per_host, self._tls)
            self._session = aiohttp.ClientSession(
                connector=connector, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False
            )
        return self._session


class _Body(httpx.AsyncByteStream):
    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with translated():
            async for chunk in self._response.content.iter_any():
                yield chunk

    async def aclose(self) -> None:
        # A connection whose answer was not read to its end is closed, not kept.
        self._response.release()


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


@contextmanager
def translated() -> Generator[None]:
    """Turn aiohttp's errors into httpx's; the original is the cause."""
    try:
        yield
    except aiohttp.ClientError as error:
        for theirs, ours in TRANSLATIONS:
            if isinstance(error, theirs):
                raise ours(_words(error)) from error
        raise


def _words(error: aiohttp.ClientError) -> str:
    match error:
        case aiohttp.ClientResponseError():
            return error.message
        case aiohttp.ClientOSError():
            return str(error)
        case _:
            return type(error).__name__  # the text of the others may hold the URL
