"""
One request and what may come back: above all, whether it may have arrived.
"""

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import pytest

from generation.contract.errors import Fault, InDoubt, Unreachable, UnrecognizedReply
from generation.upstream.http import BrokenOff, Exchanges, Outgoing, quoted
from ops.stack.ports import free_port
from tests.integration.upstream.servers import acting, answer

SHORT = timedelta(seconds=0.3)
LONG = timedelta(seconds=30)


@pytest.fixture
async def exchanges() -> AsyncIterator[Exchanges]:
    made = Exchanges(keep_alive=True, connect=LONG, most_bytes=1000)
    yield made
    await made.close()


def raw_deflate(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(body) + packer.flush()


def get(url: str) -> Outgoing:
    return Outgoing("GET", url, {"authorization": "Bearer sk-secret"}, b"")


async def test_a_request_arrives_as_it_was_written(exchanges: Exchanges) -> None:
    heads: list[bytes] = []
    bodies: list[bytes] = []

    async def act(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        heads.append(head)
        bodies.append(body)
        writer.write(answer(b'{"a": 1}', "201 Created", "X-Thing: 1", "Set-Cookie: a=b"))

    async with acting(act) as url:
        posted = Outgoing("POST", f"{url}/a%2Fb?token=c%2Fd", {"x-key": "k"}, b'{"p": 1}')
        await exchanges.send(posted, LONG)
        reply = await exchanges.send(posted, LONG)
    assert (reply.status, reply.json(), reply.headers["x-thing"]) == (201, {"a": 1}, "1")
    assert heads[0].startswith(b"POST /a%2Fb?token=c%2Fd HTTP/1.1\r\n")
    assert b"x-key: k" in heads[0]
    assert bodies == [b'{"p": 1}'] * 2
    assert b"cookie" not in heads[1].lower()


async def test_a_redirect_is_an_answer_and_gzip_is_read(exchanges: Exchanges) -> None:
    async def act(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        del body
        if b"/moved" in head:
            writer.write(answer(b"", "302 Found", "location: http://127.0.0.1:9/"))
        else:
            writer.write(answer(gzip.compress(b"{}"), "200 OK", "content-encoding: gzip"))

    async with acting(act) as url:
        assert (await exchanges.send(get(f"{url}/moved"), LONG)).status == 302
        assert (await exchanges.send(get(f"{url}/packed"), LONG)).json() == {}


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br"])
async def test_a_body_that_is_not_in_the_encoding_it_claims_is_read_as_it_is(
    exchanges: Exchanges, encoding: str
) -> None:
    async def act(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        del head, body
        writer.write(answer(b'{"id": 1}', "200 OK", f"content-encoding: {encoding}"))

    async with acting(act) as url:
        assert (await exchanges.send(get(url), LONG)).json() == {"id": 1}


@pytest.mark.parametrize("pack", [zlib.compress, raw_deflate], ids=["zlib", "raw"])
async def test_both_forms_of_deflate_are_read(
    exchanges: Exchanges, pack: Callable[[bytes], bytes]
) -> None:
    async def act(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        del head, body
        writer.write(answer(pack(b'{"id": 1}'), "200 OK", "content-encoding: deflate"))

    async with acting(act) as url:
        assert (await exchanges.send(get(url), LONG)).json() == {"id": 1}


async def test_a_compressed_answer_is_bounded_by_its_plain_length(exchanges: Exchanges) -> None:
    async def act(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        del body
        packed = gzip.compress(b"x" * 1001 if b"/long" in head else b"x" * 500)
        writer.write(answer(packed[:-4], "200 OK", "content-encoding: gzip"))

    async with acting(act) as url:
        with pytest.raises(UnrecognizedReply, match="larger than 1000 bytes"):
            await exchanges.send(get(f"{url}/long"), LONG)
        with pytest.raises(BrokenOff, match="has no end") as caught:
            await exchanges.send(get(url), LONG)
    assert caught.value.reply.body == b"x" * 500


async def test_a_broken_answer_keeps_what_had_arrived(exchanges: Exchanges) -> None:
    async def act(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        del head, body
        writer.write(answer(b"x" * 500)[:100])
        await writer.drain()
        writer.close()

    async with acting(act) as url:
        with pytest.raises(BrokenOff) as caught:
            await exchanges.send(get(url), LONG)
    assert caught.value.reply.status == 200
    assert set(caught.value.reply.body) == {ord("x")}


async def test_what_never_left_is_told_from_what_may_have_arrived(exchanges: Exchanges) -> None:
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
        await exchanges.send(get(f"http://127.0.0.1:{free_port()}/"), LONG)
    for act, patience, words in (
        (hang_up, LONG, "broke"),
        (break_off, LONG, "broke"),
        (hang, SHORT, "did not answer within"),
    ):
        async with acting(act) as url:
            with pytest.raises(InDoubt, match=words) as caught:
                await exchanges.send(get(f"{url}/?token=sk-secret"), patience)
            assert "sk-secret" not in str(caught.value)


async def test_an_answer_without_end_is_not_read_to_it(exchanges: Exchanges) -> None:
    async def act(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        del head, body
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"x" * 100)
            await writer.drain()

    async with acting(act) as url:
        with pytest.raises(UnrecognizedReply, match="larger than 1000 bytes"):
            await exchanges.send(get(url), LONG)


@pytest.mark.parametrize(
    "said", [b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n"]
)
async def test_what_is_not_http_is_a_fault(exchanges: Exchanges, said: bytes) -> None:
    async def act(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        del head, body
        writer.write(said)

    async with acting(act) as url:
        with pytest.raises(Fault):
            await exchanges.send(get(url), LONG)


async def test_a_submit_has_a_connection_of_its_own() -> None:
    heads: list[bytes] = []

    async def act(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        del body
        heads.append(head + str(writer.get_extra_info("peername")).encode())
        writer.write(answer(b"{}"))

    submitting = Exchanges(keep_alive=False, connect=LONG, most_bytes=1000)
    try:
        async with acting(act) as url:
            for _ in range(2):
                await submitting.send(get(url), LONG)
    finally:
        await submitting.close()
    assert len(set(heads)) == 2
    assert b"connection: close" in heads[0].lower()


def test_what_a_url_cannot_have_is_quoted_and_the_rest_left_alone() -> None:
    assert quoted("https://h/a%2Fb?x=%2F", {}) == "https://h/a%2Fb?x=%2F"
    assert quoted("https://h/画 1", {}) == "https://h/%E7%94%BB%201"
    assert quoted("https://h/a", {"id": "a/b c"}).startswith("https://h/a?id=a")
