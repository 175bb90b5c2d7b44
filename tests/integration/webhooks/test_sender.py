"""The requests of the sender, and the outcome of each kind of response."""

import asyncio
import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from generation.webhooks.outcome import EXCERPT_BYTES, DeliveryOutcome, ErrorClass
from generation.webhooks.sender import Sender
from generation.webhooks.signature import new_secret
from tests.integration.webhooks.conftest import BODY, MakeSender, delivery
from tests.integration.webhooks.receiver import (
    Behaviour,
    answering,
    close,
    hang,
    receiver,
    reset,
    saying,
)

LONG = timedelta(seconds=30)


async def send(sender: Sender, url: str, secret: str) -> DeliveryOutcome:
    return await sender.send(delivery(url), [secret], datetime.now(UTC))


async def test_a_delivery_arrives_unchanged_and_its_signature_verifies(
    sender: Sender, secret: str
) -> None:
    old = new_secret()
    async with receiver(answering(body=b"thanks")) as there:
        outcome = await sender.send(
            delivery(there.url, attempts=2), [secret, old], datetime.now(UTC), OWN_HEADERS
        )
    assert (outcome.status, outcome.error_class, outcome.excerpt) == (200, None, "thanks")
    assert timedelta(0) < outcome.duration < LONG
    [request] = there.requests
    assert request.line == "POST /hook?token=hunter2%2F HTTP/1.1"
    assert request.body == BODY
    assert {name: value for name, value in request.headers.items() if name in EXPECTED} == EXPECTED
    assert request.headers["host"] == f"127.0.0.1:{there.port}"
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-00", request.headers["traceparent"])
    for key in (secret, old):
        assert Webhook(key).verify(request.body, request.headers) == json.loads(BODY)
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret()).verify(request.body, request.headers)


#: Of a receiver's own: none of them replaces one of ours.
OWN_HEADERS = {"x-tenant": "acme", "webhook-id": "evt_forged", "user-agent": "somebody/1"}
EXPECTED = {
    "content-type": "application/json",
    "user-agent": "genq-webhooks/1.0",
    "webhook-id": "evt_1",
    "webhook-attempt": "3",
    "x-tenant": "acme",
    "accept-encoding": "identity",
    "content-length": str(len(BODY)),
}


async def test_a_body_that_is_not_json_is_sent_byte_for_byte(sender: Sender, secret: str) -> None:
    body = bytes(range(256)) * 80
    async with receiver(answering()) as there:
        outcome = await sender.send(delivery(there.url, body=body), [secret], datetime.now(UTC))
    assert outcome.status == 200
    assert there.requests[0].body == body


@pytest.mark.parametrize(
    ("behaviour", "outcome"),
    [
        (answering("204 No Content"), DeliveryOutcome(status=204)),
        (
            answering("500 Internal Server Error", b"it broke\x00 \xff"),
            DeliveryOutcome(status=500, excerpt="it broke\ufffd \ufffd"),
        ),
        (
            answering("503 Busy", headers=["Retry-After: 120", "X-Other: 1"]),
            DeliveryOutcome(status=503, headers={"retry-after": "120"}),
        ),
        (
            answering("500 Oops", headers=["webhook-delivery: disable"]),
            DeliveryOutcome(status=500, headers={"webhook-delivery": "disable"}),
        ),
        (answering("410 Gone"), DeliveryOutcome(status=410)),
        (saying(b"HTTP/1.1 103 Hints\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"), DeliveryOutcome(status=200)),
        (
            saying(b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 3\r\n\r\nabc"),
            DeliveryOutcome(status=200, excerpt="abc"),
        ),
        (
            saying(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\nconnection: close\r\n\r\nabc"),
            DeliveryOutcome(status=200, excerpt="abc"),
        ),
    ],
)
async def test_answers(
    make_sender: MakeSender, secret: str, behaviour: Behaviour, outcome: DeliveryOutcome
) -> None:
    sender = make_sender(total=timedelta(seconds=1))
    async with receiver(behaviour) as there:
        found = await send(sender, there.url, secret)
    assert (found.status, found.error) == (outcome.status, None)
    assert (found.headers, found.excerpt) == (outcome.headers, outcome.excerpt)


async def test_a_redirect_is_not_followed(sender: Sender, secret: str) -> None:
    async with receiver(answering()) as target:
        moved = answering("302 Found", headers=[f"location: {target.url}"])
        async with receiver(moved) as there:
            outcome = await send(sender, there.url, secret)
    assert outcome.error_class is ErrorClass.REDIRECT
    assert target.url in outcome.error_line
    assert (len(there.requests), target.connections) == (1, 0)


@pytest.mark.parametrize(
    ("behaviour", "error"),
    [
        (hang, ErrorClass.TIMEOUT),
        (close, ErrorClass.DISCONNECTED),
        (reset, ErrorClass.DISCONNECTED),
        (saying(b"SSH-2.0-OpenSSH_9.6\r\n"), ErrorClass.PROTOCOL),
        (saying(b"\x00\xff\x00\xff" * 100), ErrorClass.PROTOCOL),
        (saying(b"HTTP/1.1 two hundred\r\n\r\n"), ErrorClass.PROTOCOL),
        (saying(b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n"), ErrorClass.PROTOCOL),
        (saying(b"HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n"), ErrorClass.PROTOCOL),
        (saying(b"HTTP/1.1 200 OK\r\na: " + b"b" * 100_000 + b"\r\n\r\n"), ErrorClass.PROTOCOL),
        (saying(b"HTTP/1.1 100 Continue\r\n\r\n" * 100), ErrorClass.TIMEOUT),
        (saying(b"HTTP/1.1 200"), ErrorClass.TIMEOUT),
    ],
)
async def test_failures_are_outcomes(
    make_sender: MakeSender, secret: str, behaviour: Behaviour, error: ErrorClass
) -> None:
    sender = make_sender(total=timedelta(seconds=1))
    async with receiver(behaviour) as there:
        outcome = await send(sender, there.url, secret)
    assert (outcome.status, outcome.error) == (None, error)
    assert outcome.detail
    assert outcome.detail.isprintable()
    assert "hunter2" not in outcome.detail
    assert outcome.duration < LONG
    assert len(there.requests) == 1


async def test_a_refused_connection_is_an_outcome(sender: Sender, secret: str) -> None:
    async with receiver(answering()) as there:
        pass
    assert (await send(sender, there.url, secret)).error is ErrorClass.CONNECT


async def test_a_status_counts_even_if_the_body_never_ends(
    make_sender: MakeSender, secret: str
) -> None:
    async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"1\r\n.\r\n")
            await writer.drain()
            await asyncio.sleep(0.05)

    sender = make_sender(total=timedelta(seconds=0.4))
    async with receiver(drip) as there:
        outcome = await send(sender, there.url, secret)
    assert (outcome.status, outcome.error_class) == (200, None)
    assert set(outcome.excerpt) == {"."}
    assert timedelta(seconds=0.3) < outcome.duration < timedelta(seconds=10)


async def test_only_the_beginning_of_a_huge_response_is_read(sender: Sender, secret: str) -> None:
    written = 0
    cut = asyncio.Event()

    async def flood(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal written
        writer.write(b"HTTP/1.1 500 Oops\r\ncontent-length: 1000000000\r\n\r\n")
        try:
            while True:
                writer.write(b"x" * 65536)
                written += 65536
                await writer.drain()
        finally:
            cut.set()

    async with receiver(flood) as there:
        outcome = await send(sender, there.url, secret)
        await asyncio.wait_for(cut.wait(), 30)
    assert (outcome.status, outcome.excerpt) == (500, "x" * EXCERPT_BYTES)
    assert written < 30_000_000  # what the buffers of two kernels' ends hold, not the gigabyte


async def test_a_connection_is_reused_and_cookies_are_not_returned(
    sender: Sender, secret: str
) -> None:
    async with receiver(answering(headers=["set-cookie: session=1; path=/"])) as there:
        for _ in range(2):
            assert (await send(sender, there.url, secret)).status == 200
    assert there.connections == 1
    assert ["cookie" in request.headers for request in there.requests] == [False, False]


async def test_proxies_of_the_environment_are_ignored(
    make_sender: MakeSender, secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with receiver(answering("418 Proxy")) as proxy, receiver(answering()) as there:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        outcome = await send(make_sender(), there.url, secret)
    assert outcome.status == 200
    assert proxy.connections == 0


async def test_sending_without_secrets_raises(sender: Sender) -> None:
    async with receiver(answering()) as there:
        with pytest.raises(ValueError, match="at least one secret"):
            await sender.send(delivery(there.url), [], datetime.now(UTC))
    assert there.connections == 0
