"""httpx requests over aiohttp connections: httpx's interface without the cost of its own pool.

`docs/decisions/0033-one-http-client.md` has the measurements and the reasons against the
`httpx-aiohttp` package: it rewrites URLs, and it reports a connection that broke after the request
was sent as a connect timeout, so a paid submit would be sent twice.
"""

from collections.abc import AsyncIterator, Callable
from functools import lru_cache

import aiohttp
import httpx2 as httpx
from yarl import URL

#: Request extension: send on a new connection and close it after the response.
FRESH_CONNECTION = "fresh_connection"


class NameNotResolved(httpx.ConnectError):
    """The host name has no address."""


class TlsFailed(httpx.ConnectError):
    """The server's certificate or its TLS is not acceptable."""


#: The first class that matches decides. See `AiohttpTransport` for what the results mean.
TRANSLATIONS: tuple[tuple[type[Exception], type[httpx.TransportError]], ...] = (
    (aiohttp.ClientHttpProxyError, httpx.ProxyError),
    (aiohttp.ConnectionTimeoutError, httpx.ConnectTimeout),
    (aiohttp.ClientConnectorDNSError, NameNotResolved),
    (aiohttp.ClientSSLError, TlsFailed),
    (aiohttp.ClientConnectorError, httpx.ConnectError),
    (TimeoutError, httpx.ReadTimeout),
    (aiohttp.ClientConnectionError, httpx.ReadError),
    (aiohttp.ClientPayloadError, httpx.ReadError),
    (aiohttp.InvalidURL, httpx.LocalProtocolError),
    (aiohttp.ClientError, httpx.RemoteProtocolError),
    (OSError, httpx.ReadError),
)


class AiohttpTransport(httpx.AsyncBaseTransport):
    """Sends on aiohttp connections, made by `connector` on the event loop of the first request.

    Follows no redirect, keeps no cookie, decompresses nothing and sends the URL as it is written.
    `connector` is called with True for the connections of requests with the extension
    `FRESH_CONNECTION`. A `proxy` is a URL with its credentials.

    Raises `httpx.TransportError`s whose messages never quote the URL. `httpx.ConnectError`,
    `httpx.ConnectTimeout`, `httpx.ProxyError` and `httpx.LocalProtocolError` mean that the request
    was never sent; after any other error it may have arrived.
    """

    def __init__(
        self, connector: Callable[[bool], aiohttp.BaseConnector], proxy: str | None = None
    ) -> None:
        self._connector = connector
        self._proxy = proxy
        self._sessions: dict[bool, aiohttp.ClientSession] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        timeouts = request.extensions["timeout"]
        try:
            response = await self.session(FRESH_CONNECTION in request.extensions).request(
                request.method,
                yarl_url(str(request.url)),
                headers=[(name.decode(), value.decode()) for name, value in request.headers.raw],
                data=await request.aread() or None,
                allow_redirects=False,
                proxy=self._proxy,
                timeout=aiohttp_timeout(timeouts["pool"], timeouts["connect"], timeouts["read"]),
            )
        except (aiohttp.ClientError, OSError) as error:
            raise translated(error) from error
        return httpx.Response(
            response.status,
            headers=response.raw_headers,
            stream=_ResponseStream(response),
            request=request,
        )

    def session(self, fresh_connection: bool = False) -> aiohttp.ClientSession:
        """The connections below httpx. Call on the event loop."""
        session = self._sessions.get(fresh_connection)
        if session is None:
            session = self._sessions[fresh_connection] = aiohttp.ClientSession(
                connector=self._connector(fresh_connection),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                timeout=aiohttp.ClientTimeout(total=None),
            )
        return session

    async def aclose(self) -> None:
        for session in self._sessions.values():
            await session.close()


class _ResponseStream(httpx.AsyncByteStream):
    """The chunks of a body as they arrive. No generator: making one costs as much as reading."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        content = self._response.content
        try:
            chunk = b"" if content.at_eof() else await content.readany()
        except (aiohttp.ClientError, OSError) as error:
            raise translated(error) from error
        if not chunk:
            raise StopAsyncIteration
        return chunk

    async def aclose(self) -> None:
        # aiohttp closes a connection whose response was not read to its end.
        self._response.release()


@lru_cache
def aiohttp_timeout(
    pool: float | None, connect: float | None, read: float | None
) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(connect=pool, sock_connect=connect, sock_read=read)


def translated(error: aiohttp.ClientError | OSError) -> httpx.TransportError:
    """Return httpx's error for one of aiohttp or of a socket."""
    kind = next(ours for theirs, ours in TRANSLATIONS if isinstance(error, theirs))
    return kind(error_text(error))


def yarl_url(url: str) -> URL:
    """Return the URL for aiohttp, unchanged. Raises `httpx.LocalProtocolError` if it is invalid."""
    try:
        parsed = URL(url, encoded=True)
        if parsed.port is None:
            raise ValueError("it has no scheme or no host")
        return parsed
    except ValueError as error:
        raise httpx.LocalProtocolError(f"invalid URL: {error}") from error


def error_text(error: Exception) -> str:
    """The text of an error without the URL, which may hold a secret."""
    match error:
        case aiohttp.ClientHttpProxyError():
            return f"answered {error.status}"
        case aiohttp.ClientResponseError():
            return error.message
        case OSError() if not isinstance(error, TimeoutError):
            return str(error) or type(error).__name__
        case _:
            return type(error).__name__
