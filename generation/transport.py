"""httpx requests over aiohttp connections: httpx's interface without the cost of its own pool.

`docs/decisions/0033-one-http-client.md` has the measurements and the reasons against the
`httpx-aiohttp` package: it rewrites URLs, and it reports a connection that broke after the request
was sent as a connect timeout, so a paid submit would be sent twice.
"""

from collections.abc import AsyncIterator, Callable, Generator, Mapping
from contextlib import contextmanager
from functools import lru_cache

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
        with translated_errors():
            response = await self.session(FRESH_CONNECTION in request.extensions).request(
                request.method,
                yarl_url(str(request.url)),
                headers=[(name.decode(), value.decode()) for name, value in request.headers.raw],
                data=await request.aread() or None,
                allow_redirects=False,
                proxy=self._proxy,
                timeout=aiohttp_timeout(timeouts["pool"], timeouts["connect"], timeouts["read"]),
            )
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
    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with translated_errors():
            async for chunk in self._response.content.iter_any():
                yield chunk

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

    def __init__(self, transport: httpx.AsyncBaseTransport, timeout: httpx.Timeout) -> None:
        super().__init__(
            transport=transport,
            timeout=timeout,
            auth=httpx.Auth(),
            follow_redirects=False,
            trust_env=False,
        )
        self._no_cookies = NoCookies()

    @property
    def cookies(self) -> httpx.Cookies:
        return self._no_cookies

    @cookies.setter
    def cookies(self, cookies: object) -> None:
        raise AttributeError("this client keeps no cookies")


def build_request(
    method: str, url: str, headers: Mapping[str, str], content: bytes, *, fresh: bool = False
) -> httpx.Request:
    """Return a request for an `AiohttpTransport`, which adds `Host` and `Content-Length`.

    It costs a tenth of what httpx's own arguments cost, because headers are not completed twice.
    A `fresh` request has the extension `FRESH_CONNECTION`. Raises `httpx.InvalidURL`.
    """
    return httpx.Request(
        method,
        parsed_url(url),
        headers=headers,
        stream=httpx.ByteStream(content),
        extensions={FRESH_CONNECTION: True} if fresh else None,
    )


@lru_cache(KNOWN_URLS)
def parsed_url(url: str) -> httpx.URL:
    """Parse a URL, once for many requests. Raises `httpx.InvalidURL`."""
    return httpx.URL(url)


@lru_cache
def aiohttp_timeout(
    pool: float | None, connect: float | None, read: float | None
) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(connect=pool, sock_connect=connect, sock_read=read)


@contextmanager
def translated_errors() -> Generator[None]:
    """Raise aiohttp's errors, and those of sockets, as httpx's. The original is the cause."""
    try:
        yield
    except (aiohttp.ClientError, OSError) as error:
        for theirs, ours in TRANSLATIONS:
            if isinstance(error, theirs):
                raise ours(error_text(error)) from error
        raise


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
