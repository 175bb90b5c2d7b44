"""The HTTP client of everything that is paid or sent: httpx over `AiohttpTransport`."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import httpx2 as httpx

from generation.transport import FRESH_CONNECTION, AiohttpTransport

#: Parsed URLs that are remembered.
KNOWN_URLS = 4096


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
        """Send a request.

        A streamed one skips the steps for auth, redirects, hooks and cookies.

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
