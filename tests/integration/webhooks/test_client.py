"""The guarded client: URLs, errors and limits."""

import httpx2 as httpx
import pytest

from generation.webhooks.client import guarded_client, read_head
from tests.integration.webhooks.conftest import LOOPBACK
from tests.integration.webhooks.receiver import (
    Behaviour,
    Names,
    answering,
    close,
    hang,
    receiver,
    reset,
    saying,
)

#: Waited out by few tests, and long enough for the others on a busy machine.
TIMEOUTS = httpx.Timeout(1)


@pytest.mark.parametrize(
    "path",
    [
        "/a%2Fb/c%20d?signature=a%2Fb%2B%3D&x=1+2&y=%41",
        "/%E9%9B%AA?%E5%B1%B1",
        "/b?q='(~)!*'",
        "/?empty=",
        "/;v=1?a=b?c",
    ],
)
async def test_a_url_is_requested_as_it_is_written(path: str) -> None:
    async with receiver(answering()) as there, guarded_client(LOOPBACK, TIMEOUTS) as client:
        await client.get(f"http://127.0.0.1:{there.port}{path}")
    assert there.requests[0].line == f"GET {path} HTTP/1.1"


@pytest.mark.parametrize(
    ("behaviour", "error"),
    [
        (hang, httpx.ReadTimeout),
        (close, httpx.ReadError),
        (reset, httpx.ReadError),
        (saying(b"nonsense\r\n\r\n"), httpx.RemoteProtocolError),
        (saying(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc"), httpx.ReadTimeout),
        (
            saying(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nz\r\n"),
            httpx.RemoteProtocolError,
        ),
    ],
)
async def test_a_sent_request_is_never_reported_as_unsent(
    behaviour: Behaviour, error: type[httpx.TransportError]
) -> None:
    async with receiver(behaviour) as there, guarded_client(LOOPBACK, TIMEOUTS) as client:
        with pytest.raises(error) as raised:
            await client.post(there.url, content=b"{}")
    assert type(raised.value) is error
    assert "hunter2" not in str(raised.value)
    assert len(there.requests) == 1


async def test_an_unsent_request_is_a_connect_error() -> None:
    async with receiver(answering()) as there:
        pass
    async with guarded_client(LOOPBACK, TIMEOUTS) as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(there.url)
    async with guarded_client(LOOPBACK, TIMEOUTS, names=Names([])) as client:
        with pytest.raises(httpx.ConnectError):
            await client.get("http://hooks.example.com/")


async def test_a_host_at_its_limit_delays_only_its_own_requests() -> None:
    half = saying(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc")
    async with (
        receiver(half) as there,
        receiver(answering()) as other,
        guarded_client(LOOPBACK, httpx.Timeout(5, pool=0.2), per_host=1) as client,
        client.stream("GET", there.url),
    ):
        with pytest.raises(httpx.ConnectTimeout):
            await client.get(there.url)
        assert (await client.get(other.url)).status_code == 200
    assert len(there.requests) == 1


@pytest.mark.parametrize(("limit", "size"), [(0, 0), (10, 10), (99, 99), (100, 100), (1000, 100)])
async def test_a_body_is_read_up_to_the_limit(limit: int, size: int) -> None:
    async with (
        receiver(answering(body=b"x" * 100)) as there,
        guarded_client(LOOPBACK, TIMEOUTS) as client,
        client.stream("GET", there.url) as response,
    ):
        head = bytearray()
        await read_head(response, head, limit)
    assert head == b"x" * size
