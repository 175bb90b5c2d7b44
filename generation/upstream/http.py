"""One HTTP request to a station and its complete response.

Submits, searches, cancels and balance queries go through `httpx.AsyncClient`. Looks, of which there
are thousands a second, use the aiohttp connections below it, because httpx's own request and
response cost more CPU than the rest of a look. The rules are the same for both: no redirect is
followed, no cookie is kept, the URL is sent as it is written, and the body is bounded.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

import aiohttp
import httpx2 as httpx

from generation.contract.errors import InDoubt, Unreachable, UnrecognizedReply
from generation.contract.reply import Reply
from generation.http_client import StatelessClient, raw_stream
from generation.transport import AiohttpTransport, translated, yarl_url
from generation.upstream.decompression import ACCEPT_ENCODING, decompressed

#: The request was never sent.
NEVER_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.ProxyError,
    httpx.LocalProtocolError,
    httpx.InvalidURL,
)
#: A URL of these characters alone needs no quoting.
UNQUOTED_URL = re.compile(r"[A-Za-z0-9\-._~:/?\[\]@!$&'()*+,;=%]*")
KEEP_ALIVE_SECONDS = 30


class IncompleteReply(InDoubt):
    """The connection broke while the response was being read. `reply` has what had arrived."""

    def __init__(self, message: str, reply: Reply) -> None:
        super().__init__(message, upstream_status=reply.status)
        self.reply = reply


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request that is ready to be sent, with an absolute URL."""

    method: str
    url: str
    headers: Mapping[str, str]
    content: bytes

    @property
    def host(self) -> str:
        try:
            return urlsplit(self.url).hostname or ""
        except ValueError:
            return ""


class StationHttp:
    """The HTTP connections of one process to all stations.

    Connections are not limited here: the caller limits requests by station and key. Use it on one
    event loop.
    """

    def __init__(self, *, connect_timeout: timedelta, max_bytes: int) -> None:
        seconds = connect_timeout.total_seconds()
        self._max_bytes = max_bytes
        self._transport = AiohttpTransport(_connector)
        self._client = StatelessClient(self._transport, httpx.Timeout(None, connect=seconds))
        self._look_timeout = aiohttp.ClientTimeout(total=None, sock_connect=seconds)

    async def send(
        self, request: HttpRequest, timeout: timedelta, *, fresh_connection: bool = False
    ) -> Reply:
        """Send a request and read the response to its end within `timeout`.

        Raises `Unreachable` if the request was never sent, `InDoubt` if it may have arrived
        (`IncompleteReply` once a part of the response had arrived), and `UnrecognizedReply` for a
        response that is too long.

        A paid request needs a `fresh_connection`: the other end may close a kept-alive connection
        just as the request is written to it, and then nothing says whether a task was created.
        """

        async def receive(response: _ResponseBuffer) -> None:
            await self._receive(request, fresh_connection, response)

        return await self._complete(request, timeout, receive)

    async def look(self, request: HttpRequest, timeout: timedelta) -> Reply:
        """Do what `send` does, below httpx and on kept-alive connections."""

        async def receive(response: _ResponseBuffer) -> None:
            await self._receive_below_httpx(request, response)

        return await self._complete(request, timeout, receive)

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def _receive(
        self, request: HttpRequest, fresh_connection: bool, into: "_ResponseBuffer"
    ) -> None:
        response = await self._client.start(
            request.method,
            request.url,
            {"accept-encoding": ACCEPT_ENCODING, **request.headers},
            request.content,
            fresh=fresh_connection,
        )
        try:
            into.start(response.status_code, response.headers.multi_items())
            async for chunk in raw_stream(response):
                into.add(chunk)
        finally:
            await response.aclose()

    async def _receive_below_httpx(self, request: HttpRequest, into: "_ResponseBuffer") -> None:
        try:
            async with self._transport.session().request(
                request.method,
                yarl_url(request.url),
                headers={"accept-encoding": ACCEPT_ENCODING, **request.headers},
                data=request.content or None,
                allow_redirects=False,
                timeout=self._look_timeout,
            ) as response:
                into.start(response.status, response.headers.items())
                while not response.content.at_eof():
                    into.add(await response.content.readany())
        except (aiohttp.ClientError, OSError) as error:
            raise translated(error) from error

    async def _complete(
        self,
        request: HttpRequest,
        timeout: timedelta,
        receive: "Callable[[_ResponseBuffer], Awaitable[None]]",
    ) -> Reply:
        """Return the whole response, or raise the fault that a failed transfer amounts to."""
        buffer = _ResponseBuffer(self._max_bytes)
        try:
            async with asyncio.timeout(timeout.total_seconds()):
                await receive(buffer)
        except NEVER_SENT as error:
            raise Unreachable(f"{request.host} cannot be reached: {error}") from error
        except (TimeoutError, httpx.ReadTimeout) as error:
            message = f"{request.host} did not answer within {timeout.total_seconds():g} s"
            raise buffer.fault(message) from error
        except httpx.TransportError as error:
            message = f"the connection to {request.host} broke before it answered: {error}"
            raise buffer.fault(message) from error
        reply, is_complete = buffer.reply()
        if not is_complete:
            raise IncompleteReply(f"the compressed answer of {request.host} has no end", reply)
        return reply


class _ResponseBuffer:
    """Filled as the response arrives, so that a broken transfer keeps what had arrived."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._status = 0
        self._headers: dict[str, str] = {}
        self._body = bytearray()

    def start(self, status: int, headers: Iterable[tuple[str, str]]) -> None:
        self._status = status
        self._headers = {name.lower(): value for name, value in headers}

    def add(self, chunk: bytes) -> None:
        self._body += chunk
        self._check_length(self._body)

    def reply(self) -> tuple[Reply, bool]:
        """Return the decompressed response, and whether the compressed data was complete."""
        encoding = self._headers.get("content-encoding", "")
        body, is_complete = decompressed(bytes(self._body), encoding, self._max_bytes)
        self._check_length(body)
        return Reply(self._status, body, self._headers), is_complete

    def fault(self, message: str) -> InDoubt:
        """Return the fault of a response that did not come to its end."""
        return IncompleteReply(message, self.reply()[0]) if self._body else InDoubt(message)

    def _check_length(self, body: bytes | bytearray) -> None:
        if len(body) > self._max_bytes:
            raise UnrecognizedReply(
                f"the answer is larger than {self._max_bytes} bytes", upstream_status=self._status
            )


def _connector(fresh_connection: bool) -> aiohttp.TCPConnector:
    if fresh_connection:
        return aiohttp.TCPConnector(limit=0, force_close=True)
    return aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_ALIVE_SECONDS)


def quoted(url: str, params: Mapping[str, str]) -> str:
    """Return the URL with these query parameters and with invalid characters percent-encoded."""
    if not params and UNQUOTED_URL.fullmatch(url):
        return url
    return str(httpx.URL(url).copy_merge_params(params))
