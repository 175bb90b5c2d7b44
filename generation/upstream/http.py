"""
One HTTP request to an upstream and its answer, straight over aiohttp: most of what genq does is
looking, and everything above this would cost more than the look itself.

No redirect is followed, no cookie kept, no answer read beyond a bound; a URL is sent as it is
written. What went wrong is told by the one question that costs money: whether the request may have
arrived.
"""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import aiohttp
import httpx
from yarl import URL

from generation.contract.errors import InDoubt, Unreachable, UnrecognizedReply
from generation.contract.reply import Reply
from generation.upstream.decompression import ACCEPT_ENCODING, decompressed

#: No connection was made, so no byte of the request has left.
NEVER_LEFT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)
#: A URL of these characters alone needs no quoting.
PLAIN = re.compile(r"[A-Za-z0-9\-._~:/?\[\]@!$&'()*+,;=%]*")
KEEP_ALIVE_SECONDS = 30


class BrokenOff(InDoubt):
    """The connection broke while the answer was being read. `reply` has what had arrived."""

    def __init__(self, message: str, reply: Reply) -> None:
        super().__init__(message, upstream_status=reply.status)
        self.reply = reply


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request, ready to be sent."""

    method: str
    url: str
    headers: Mapping[str, str]
    content: bytes


class Exchanges:
    """
    Connections to all hosts. Without `keep_alive` each is closed after one answer: a connection
    kept open may be closed by the other end just as the next request is written to it, and then
    nobody could say whether a paid task was created. Lives on the event loop of its first request.
    """

    def __init__(self, *, keep_alive: bool, connect: timedelta, most_bytes: int) -> None:
        self._keep_alive = keep_alive
        self._connect = connect
        self._most_bytes = most_bytes
        self._session: aiohttp.ClientSession | None = None

    async def send(self, request: Outgoing, timeout: timedelta) -> Reply:
        """
        The answer, read to its end within `timeout`. Raises `Unreachable` if the request surely
        never left, `InDoubt` if it may have (`BrokenOff` once a part of the answer had arrived),
        `UnrecognizedReply` for an answer that is too long.
        """
        url = URL(request.url, encoded=True)
        response: aiohttp.ClientResponse | None = None
        body = bytearray()
        try:
            async with (
                asyncio.timeout(timeout.total_seconds()),
                self._opened().request(
                    request.method,
                    url,
                    headers={"accept-encoding": ACCEPT_ENCODING, **request.headers},
                    data=request.content or None,
                    allow_redirects=False,
                ) as response,
            ):
                await self._read(response, body)
        except NEVER_LEFT as error:
            raise Unreachable(f"{url.host} cannot be reached: {words(error)}") from error
        except TimeoutError as error:
            message = f"{url.host} did not answer within {timeout.total_seconds():g} s"
            raise self._broken(message, response, bytes(body)) from error
        except (aiohttp.ClientError, OSError) as error:
            message = f"the connection to {url.host} broke before it answered: {words(error)}"
            raise self._broken(message, response, bytes(body)) from error
        reply, complete = self._reply(response, bytes(body))
        if not complete:
            raise BrokenOff(f"the compressed answer of {url.host} has no end", reply)
        return reply

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def _read(self, response: aiohttp.ClientResponse, body: bytearray) -> None:
        async for chunk in response.content.iter_any():
            body += chunk
            if len(body) > self._most_bytes:
                response.close()
                raise self._too_long(response.status)

    def _reply(self, response: aiohttp.ClientResponse, raw: bytes) -> tuple[Reply, bool]:
        """What has arrived of an answer, decompressed, and whether nothing of it is missing."""
        headers = {name.lower(): value for name, value in response.headers.items()}
        encoding = headers.get("content-encoding", "")
        body, complete = decompressed(raw, encoding, self._most_bytes)
        if len(body) > self._most_bytes:
            raise self._too_long(response.status)
        return Reply(response.status, body, headers), complete

    def _broken(self, message: str, response: aiohttp.ClientResponse | None, raw: bytes) -> InDoubt:
        """The fault of an answer that did not come to its end."""
        if response is None or not raw:
            return InDoubt(message)
        return BrokenOff(message, self._reply(response, raw)[0])

    def _too_long(self, status: int) -> UnrecognizedReply:
        return UnrecognizedReply(
            f"the answer is larger than {self._most_bytes} bytes", upstream_status=status
        )

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            # Connections are not limited here: whoever looks has caps per station and key.
            connector = (
                aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_ALIVE_SECONDS)
                if self._keep_alive
                else aiohttp.TCPConnector(limit=0, force_close=True)
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                timeout=aiohttp.ClientTimeout(
                    total=None, sock_connect=self._connect.total_seconds()
                ),
            )
        return self._session


def quoted(url: str, params: Mapping[str, str]) -> str:
    """The URL with its parameters, and with nothing in it that a URL cannot have."""
    if not params and PLAIN.fullmatch(url):
        return url
    return str(httpx.URL(url).copy_merge_params(params))


def words(error: Exception) -> str:
    """The error's text where it cannot hold the URL, else its name."""
    match error:
        case aiohttp.ClientResponseError():
            return error.message
        case OSError():
            return str(error)
        case _:
            return type(error).__name__
