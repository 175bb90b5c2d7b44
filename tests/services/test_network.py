"""No test leaves this machine."""

import asyncio
import socket

import pytest

from tests.services.network import NetworkRefused, is_local

# From a block that is reserved for documentation: nobody answers there, should the guard fail.
OUTSIDE = "192.0.2.1"


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("0.0.0.0", True),
        ("localhost", True),
        ("api.localhost", True),
        ("", True),
        (OUTSIDE, False),
        ("::ffff:192.0.2.1", False),
        ("169.254.169.254", False),
        ("10.0.0.1", False),
        ("fe80::1%eth0", False),
        ("example.com", False),
        ("localhost.example.com", False),
    ],
)
def test_local_means_this_machine(host: str, local: bool) -> None:
    assert is_local(host) is local


def test_a_connection_is_refused_with_a_hint() -> None:
    with socket.socket() as outside, pytest.raises(NetworkRefused, match=r"start a server on 127"):
        outside.connect((OUTSIDE, 443))


def test_a_datagram_is_refused() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as outside, pytest.raises(NetworkRefused):
        outside.sendto(b"?", (OUTSIDE, 53))


def test_a_name_is_not_looked_up() -> None:
    with pytest.raises(NetworkRefused, match="example"):
        socket.getaddrinfo("example.com", 443)


async def test_asyncio_is_refused() -> None:
    with pytest.raises(NetworkRefused):
        await asyncio.open_connection(OUTSIDE, 443)


async def test_loopback_and_unix_sockets_are_open() -> None:
    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello")
        writer.close()

    server = await asyncio.start_server(greet, "localhost", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("localhost", port)
        assert await reader.read() == b"hello"
        writer.close()
        await writer.wait_closed()
    left, right = socket.socketpair()
    with left, right:
        left.sendmsg([b"hello"])
        assert right.recv(5) == b"hello"
