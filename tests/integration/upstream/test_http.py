"""HTTP to stations: what is sent, what is read, and whether a failed request may have arrived.

Every test runs both ways: through httpx, as submits do, and below it, as looks do.
"""

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

import pytest

from generation.contract.errors import Fault, InDoubt, Unreachable, UnrecognizedReply
from generation.contract.reply import Reply
from generation.upstream.http import HttpRequest, IncompleteReply, StationHttp, quoted
from ops.stack.ports import free_port
from tests.integration.upstream.servers import acting, answer

SHORT = timedelta(seconds=0.3)
LONG = timedelta(seconds=30)


Send = Callable[[HttpRequest, timedelta], Awaitable[Reply]]


@pytest.fixture
async def http() -> AsyncIterator[StationHttp]:
    made = StationHttp(connect_timeout=LONG, max_bytes=1000)
    yield made
    await made.close()


@pytest.fixture(params=["httpx", "below httpx"])
def send(http: StationHttp, request: pytest.FixtureRequest) -> Send:
    return http.send if request.param == "httpx" else http.look


def raw_deflate(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(body) + packer.flush()


def get(url: str) -> HttpRequest:
    return HttpRequest("GET", url, {"authorization": "Bearer sk-secret"}, b"")


async def test_a_request_is_sent_as_it_is_written(send: Send) -> None:
    heads: list[bytes] = []
    bodies: list[bytes] = []

    async def act(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        heads.append(head)
        bodies.append(body)
        writer.write(answer(b'{"a": 1}', "201 Created", "X-Thing: 1", "Set-Cookie: a=b"))

    async with acting(act) as url:
        posted = HttpRequest("POST", f"{url}/a%2Fb?token=c%2Fd", {"x-key": "k"}, b'{"p": 1}')
        await send(posted, LONG)
        reply = await send(posted, LONG)
    assert (reply.status, reply.json(), reply.headers["x-thing"]) == (201, {"a": 1}, "1")
    assert heads[0].startswith(b"POST /a%2Fb?token=c%2Fd HTTP/1.1\r\n")
    assert b"x-key: k" in heads[0]
    assert bodies == [b'{"p": 1}'] * 2
    assert b"cookie" not in heads[1].lower()


async def test_a_redirect_is_not_followed_and_gzip_is_decoded(send: Send) -> None:
    async def act(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        del body
        if b"/moved" in head:
            writer.write(answer(b"", "302 Found", "location: http://127.0.0.1:9/"))
        else:
            writer.write(answer(gzip.compress(b"{}"), "200 OK", "content-encoding: gzip"))

    async with acting(act) as url:
        assert (await send(get(f"{url}/moved"), LONG)).status == 302
        assert (await send(get(f"{url}/packed"), LONG)).json() == {}


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br"])
async def test_a_body_that_is_not_in_its_declared_encoding_is_read_unchanged(
    send: Send, encoding: str
) -> None:
    async def act(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        del head, body
        writer.write(answer(b'{"id": 1}', "200 OK", f"content-encoding: {encoding}"))

    async with acting(act) as url:
        assert (await send(get(url), LONG)).json() == {"id": 1}


@pytest.mark.parametrize("pack", [zlib.compress, raw_deflate], ids=["zlib", "raw"])
async def test_both_forms_of_deflate_are_decoded(
    send: Send, pack: Callable[[bytes], bytes]
) -> None:
    async def act(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        del head, body
        writer.write(answer(pack(b'{"id": 1}'), "200 OK", "content-encoding: deflate"))

    async with acting(act) as url:
        assert (await send(get(url), LONG)).json() == {"id": 1}


async def test_the_limit_applies_to_the_decompressed_length(send: Send) -> None:
    async def act(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        del body
        packed = gzip.compress(b"x" * 1001 if b"/long" in head else b"x" * 500)
        writer.write(answer(packed[:-4], "200 OK", "content-encoding: gzip"))

    async with acting(act) as url:
        with pytest.raises(UnrecognizedReply, match="larger than 1000 bytes"):
            await send(get(f"{url}/long"), LONG)
        with pytest.raises(IncompleteReply, match="has no end") as caught:
            await send(get(url), LONG)
    assert caught.value.reply.body == b"x" * 500


async def test_a_broken_response_keeps_what_had_arrived(send: Send) -> None:
    async def act(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        del head, body
        writer.write(answer(b"x" * 500)[:100])
        await writer.drain()
        writer.close()

    async with acting(act) as url:
        with pytest.raises(IncompleteReply) as caught:
            await send(get(url), LONG)
    assert caught.value.reply.status == 200
    assert set(caught.value.reply.body) == {ord("x")}


async def test_an_unsent_request_is_told_from_one_that_may_have_arrived(
    send: Send,
) -> None:
    async def hang_up(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        del head, body
        writer.close()

    async def break_off(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        del head, body
        writer.write(answer(b"x" * 500)[:100])
        await writer.drain()
        writer.close()

    async def hang(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        del head, body, writer
        await asyncio.sleep(60)

    with pytest.raises(Unreachable, match="cannot be reached"):
        await send(get(f"http://127.0.0.1:{free_port()}/"), LONG)
    for act, patience, words in (
        (hang_up, LONG, "broke"),
        (break_off, LONG, "broke"),
        (hang, SHORT, "did not answer within"),
    ):
        async with acting(act) as url:
            with pytest.raises(InDoubt, match=words) as caught:
                await send(get(f"{url}/?token=sk-secret"), patience)
            assert "sk-secret" not in str(caught.value)


async def test_an_endless_response_is_cut_off(send: Send) -> None:
    async def act(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        del head, body
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"x" * 100)
            await writer.drain()

    async with acting(act) as url:
        with pytest.raises(UnrecognizedReply, match="larger than 1000 bytes"):
            await send(get(url), LONG)


@pytest.mark.parametrize(
    "said", [b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n"]
)
async def test_a_response_that_is_not_http_is_a_fault(send: Send, said: bytes) -> None:
    async def act(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        del head, body
        writer.write(said)

    async with acting(act) as url:
        with pytest.raises(Fault):
            await send(get(url), LONG)


async def test_a_fresh_connection_is_not_reused(http: StationHttp) -> None:
    peers: list[str] = []
    heads: list[bytes] = []

    async def act(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        del body
        heads.append(head)
        peers.append(str(writer.get_extra_info("peername")))
        writer.write(answer(b"{}"))

    async with acting(act) as url:
        for fresh_connection in (False, True, True, False):
            await http.send(get(url), LONG, fresh_connection=fresh_connection)
    assert len(set(peers)) == 3
    assert peers[0] == peers[3], "the kept-alive connection is still there, and nobody used it"
    assert [b"connection: close" in head.lower() for head in heads] == [False, True, True, False]


async def test_trailers_are_not_headers(send: Send) -> None:
    async def act(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        del head, body
        writer.write(
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: retry-after\r\n\r\n"
        )
        writer.write(b"2\r\n{}\r\n0\r\nretry-after: 3600\r\n\r\n")

    async with acting(act) as url:
        reply = await send(get(url), LONG)
    assert reply.json() == {}
    assert "retry-after" not in reply.headers


@pytest.mark.parametrize("url", ["http://127.0.0.1:99999999/", "http://[::1/", "/v1/videos"])
async def test_a_request_with_an_invalid_url_is_never_sent(send: Send, url: str) -> None:
    with pytest.raises(Unreachable):
        await send(get(url), LONG)


def test_only_invalid_characters_of_a_url_are_quoted() -> None:
    assert quoted("https://h/a%2Fb?x=%2F", {}) == "https://h/a%2Fb?x=%2F"
    assert quoted("https://h/画 1", {}) == "https://h/%E7%94%BB%201"
    assert quoted("https://h/a", {"id": "a/b c"}).startswith("https://h/a?id=a")
