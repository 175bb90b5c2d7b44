"""httpx requests over aiohttp connections: httpx's interface without the cost of its own pool.

`docs/decisions/0033-one-http-client.md` has the measurements and the reasons against the
`httpx-aiohttp` package: it rewrites URLs, and it reports a connection that broke after the request
was sent as a connect timeout, so a paid submit would be sent twice.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from functools import lru_cache
from typing import Any

import aiohttp
import httpx2 as httpx
from yarl import URL

#: Request extension: send on a new connection and close it after the response.
FRESH_CONNECTION = "fresh_connection"
#: Parsed URLs that are remembered.
KNOWN_URLS = 4096


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
        try:
            chunk = await self._response.content.readany()
        except (aiohttp.ClientError, OSError) as error:
            raise translated(error) from error
        if not chunk:
            raise StopAsyncIteration
        return chunk

    async def aclose(self) -> None:
        # aiohttp closes a connection whose response was not read to its end.
        self._response.release()


class NoCookies(httpx.Cookies):
    """Stays empty."""

    def extract_cookies(self, response: httpx.Response) -> None:
        del response


class StatelessClient(httpx.AsyncClient):
    """Follows no redirect, keeps no cookie and takes no proxy or password from anywhere.

    It belongs to the event loop of its first request. Close it with `aclose()`.
    """

    def __init__(self, transport: AiohttpTransport, timeout: httpx.Timeout) -> None:
        super().__init__(
            transport=transport,
            timeout=timeout,
            auth=httpx.Auth(),
            follow_redirects=False,
            trust_env=False,
        )
        self._aiohttp = transport
        self._no_cookies = NoCookies()
        self._timeouts = timeout.as_dict()

    async def send(
        self,
        request: httpx.Request,
        *,
        stream: bool = False,
        auth: Any = None,
        follow_redirects: Any = False,
    ) -> httpx.Response:
        """Send a request. A streamed one skips the steps for auth, redirects, hooks and cookies.

        They would do nothing, and cost as much CPU as the rest of httpx.
        """
        if not stream or follow_redirects is True or "timeout" not in request.extensions:
            return await super().send(request, stream=stream, follow_redirects=follow_redirects)
        response = await self._aiohttp.handle_async_request(request)
        response.request = request
        return response

    async def start(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes, *, fresh: bool
    ) -> httpx.Response:
        """Send a request and return the response once its headers have arrived.

        It does what `stream` does for a fifth of its cost: URLs are parsed once, and headers are
        not completed here, because aiohttp adds `Host` and `Content-Length`. A `fresh` request has
        the extension `FRESH_CONNECTION`. Close the response. Raises `httpx.InvalidURL` too.
        """
        extensions: dict[str, object] = {"timeout": self._timeouts}
        if fresh:
            extensions[FRESH_CONNECTION] = True
        request = httpx.Request(
            method,
            parsed_url(url),
            headers=headers,
            stream=httpx.ByteStream(content),
            extensions=extensions,
        )
        return await self.send(request, stream=True)

    @property
    def cookies(self) -> httpx.Cookies:
        return self._no_cookies

    @cookies.setter
    def cookies(self, cookies: object) -> None:
        raise AttributeError("this client keeps no cookies")


def raw_stream(response: httpx.Response) -> httpx.AsyncByteStream:
    """Return the undecoded body of a streamed response. It is `aiter_raw`, for less CPU."""
    assert isinstance(response.stream, httpx.AsyncByteStream)
    return response.stream


@lru_cache(KNOWN_URLS)
def parsed_url(url: str) -> httpx.URL:
    """Parse a URL, once for many requests. Raises `httpx.InvalidURL`."""
    return httpx.URL(url)


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
