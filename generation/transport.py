"""
httpx's requests over aiohttp's connections: httpx's types and words at a fraction of the cost of
its own connection pool.

This is a transport of our own, and not httpx-aiohttp's, for two reasons. That one lets aiohttp
rewrite the URL (`%2F` in a query becomes `/`), so a token or a signature in it is no longer what
its owner wrote. And it reports a connection that broke off after the request had been sent as a
connect timeout, as if the request had never left: a paid submit would be sent twice.
"""

from collections.abc import AsyncIterator, Callable, Generator
from contextlib import contextmanager

import aiohttp
import httpx
from yarl import URL

#: The first that fits is raised. `ConnectTimeout` and `ConnectError` mean that no request left.
TRANSLATIONS: tuple[tuple[type[aiohttp.ClientError], type[httpx.TransportError]], ...] = (
    (aiohttp.ConnectionTimeoutError, httpx.ConnectTimeout),
    (aiohttp.ServerTimeoutError, httpx.ReadTimeout),
    (aiohttp.ClientConnectorError, httpx.ConnectError),
    (aiohttp.ClientConnectionError, httpx.ReadError),
    (aiohttp.ClientPayloadError, httpx.ReadError),
    (aiohttp.ClientError, httpx.RemoteProtocolError),
)


class AiohttpTransport(httpx.AsyncBaseTransport):
    """
    Belongs to the event loop of its first request, when `connector` is called. Follows no redirect
    and keeps no cookie. Raises an `httpx.TransportError`, whose message never quotes the URL;
    `httpx.ConnectError` and `httpx.ConnectTimeout` mean that the request surely never left.
    """

    def __init__(self, connector: Callable[[], aiohttp.BaseConnector]) -> None:
        self._connector = connector
        self._session: aiohttp.ClientSession | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        timeouts = request.extensions["timeout"]
        with translated():
            response = await self._opened().request(
                request.method,
                URL(str(request.url), encoded=True),
                headers=request.headers.multi_items(),
                data=await request.aread() or None,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(
                    connect=timeouts.get("pool"),
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

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=self._connector(),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
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


@contextmanager
def translated() -> Generator[None]:
    """Turn aiohttp's errors into httpx's; the original is the cause."""
    try:
        yield
    except aiohttp.ClientError as error:
        for theirs, ours in TRANSLATIONS:
            if isinstance(error, theirs):
                raise ours(words(error)) from error
        raise


def words(error: aiohttp.ClientError) -> str:
    """What went wrong, without the URL, which may hold a secret."""
    match error:
        case aiohttp.ClientResponseError():
            return error.message
        case aiohttp.ClientOSError():
            return str(error)
        case _:
            return type(error).__name__  # the text of the others may hold the URL
