"""Addresses are checked at the moment a connection is opened."""

import asyncio
import socket
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

import aiohttp
import httpx2 as httpx
import pytest
from aiohttp.abc import ResolveResult

from generation.webhooks.client import guarded_client
from generation.webhooks.guard import ForbiddenAddress, GuardPolicy
from generation.webhooks.outcome import DeliveryOutcome, ErrorClass
from generation.webhooks.resolver import GuardedResolver, ThreadedResolver
from generation.webhooks.sender import Sender
from generation.webhooks.transport import guarded_connector
from tests.integration.webhooks.conftest import LOOPBACK, Certificate, MakeSender, delivery
from tests.integration.webhooks.receiver import Names, answering, receiver, saying

NAME = "hooks.example.com"
PUBLIC = "93.184.215.14"
FORBIDDEN = "127.0.0.2"
STRICT = GuardPolicy(allow_http=True, allowed_ports=None)
IPV6 = GuardPolicy(allow_http=True, allowed_networks=(ip_network("::1/128"),), allowed_ports=None)


async def send(sender: Sender, url: str, secret: str) -> DeliveryOutcome:
    return await sender.send(delivery(url), [secret], datetime.now(UTC))


async def test_a_name_with_an_allowed_address_is_connected(
    make_sender: MakeSender, secret: str
) -> None:
    async with receiver(answering()) as there:
        names = Names(["127.0.0.1"])
        outcome = await send(make_sender(names=names), f"http://{NAME}:{there.port}/", secret)
    assert outcome.status == 200
    assert there.requests[0].headers["host"] == f"{NAME}:{there.port}"
    assert names.lookups == 1


@pytest.mark.parametrize(
    "answer",
    [[FORBIDDEN], [PUBLIC, FORBIDDEN], [FORBIDDEN, PUBLIC], [f"::ffff:{FORBIDDEN}"], ["::1"]],
)
async def test_one_forbidden_address_refuses_the_name(
    make_sender: MakeSender, secret: str, answer: list[str]
) -> None:
    async with receiver(answering(), host=FORBIDDEN) as there:
        outcome = await send(
            make_sender(names=Names(answer)), f"http://{NAME}:{there.port}/", secret
        )
    assert outcome.error is ErrorClass.REFUSED_ADDRESS
    assert NAME in outcome.detail
    assert "loopback" in outcome.detail
    assert there.connections == 0


async def test_the_address_that_is_connected_is_the_one_that_was_checked(
    make_sender: MakeSender, secret: str
) -> None:
    """DNS rebinding: harmless when somebody looked, and leading inside when it matters."""
    names = Names([PUBLIC], [FORBIDDEN])
    looked = await GuardedResolver(LOOPBACK, names).resolve(NAME)
    assert [result["host"] for result in looked] == [PUBLIC]
    async with receiver(answering(), host=FORBIDDEN) as there:
        outcome = await send(make_sender(names=names), f"http://{NAME}:{there.port}/", secret)
    assert outcome.error is ErrorClass.REFUSED_ADDRESS
    assert names.lookups == 2
    assert there.connections == 0


async def test_a_name_without_an_address(make_sender: MakeSender, secret: str) -> None:
    outcome = await send(make_sender(names=Names([])), f"http://{NAME}/", secret)
    assert outcome.error is ErrorClass.DNS


async def test_a_dns_without_answers_ends_in_the_connect_timeout(
    make_sender: MakeSender, secret: str
) -> None:
    class Silent(Names):
        async def resolve(
            self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
        ) -> list[ResolveResult]:
            await asyncio.Event().wait()
            return []

    sender = make_sender(names=Silent(), connect=timedelta(seconds=0.2))
    outcome = await send(sender, f"http://{NAME}/", secret)
    assert outcome.error is ErrorClass.TIMEOUT
    assert outcome.duration < timedelta(seconds=8)


SPELLINGS = [
    "127.0.0.2",
    "127.2",
    "2130706434",
    "017700000002",
    "0177.0.0.2",
    "0x7f000002",
    "0x7f.2",
    "127.0.0.2.",
    "127。0。0。2",
    "%31%32%37.0.0.2",
    "[::ffff:127.0.0.2]",
    "[::ffff:7f00:2]",
    "[64:ff9b::7f00:2]",
    "[::127.0.0.2]",
    "[::1]",
    "[::]",
    "0.0.0.0",
    "0",
]


@pytest.mark.parametrize("host", SPELLINGS)
async def test_no_spelling_of_a_forbidden_address_is_sent_to(
    sender: Sender, secret: str, host: str
) -> None:
    async with receiver(answering(), host=FORBIDDEN) as there:
        outcome = await send(sender, f"http://{host}:{there.port}/", secret)
    assert outcome.error is ErrorClass.REFUSED_ADDRESS
    assert there.connections == 0


@pytest.mark.parametrize("host", SPELLINGS)
async def test_the_connector_refuses_them_without_a_check_of_the_url(host: str) -> None:
    """Whoever forgets to check the URL, or parses it otherwise, is still stopped at the socket."""
    # What the system's resolver makes of the spellings that only it understands.
    names = Names([FORBIDDEN])
    connector = guarded_connector(
        LOOPBACK, GuardedResolver(LOOPBACK, names), 10, ssl.create_default_context()
    )
    async with (
        receiver(answering(), host=FORBIDDEN) as there,
        aiohttp.ClientSession(connector=connector) as session,
    ):
        with pytest.raises((ForbiddenAddress, aiohttp.InvalidURL)):
            await session.get(f"http://{host}:{there.port}/")
    assert there.connections == 0


async def test_the_same_addresses_when_allowed(make_sender: MakeSender, secret: str) -> None:
    async with receiver(answering(), host=FORBIDDEN) as there:
        url = f"http://{FORBIDDEN}:{there.port}/"
        assert (await send(make_sender(STRICT), url, secret)).error is ErrorClass.REFUSED_ADDRESS
        assert there.connections == 0
        allowed = GuardPolicy(
            allow_http=True, allowed_networks=(ip_network("127.0.0.0/8"),), allowed_ports=None
        )
        for host in (FORBIDDEN, f"[::ffff:{FORBIDDEN}]"):
            outcome = await send(make_sender(allowed), f"http://{host}:{there.port}/", secret)
            assert outcome.status == 200


async def test_ipv6(make_sender: MakeSender, secret: str) -> None:
    if not socket.has_ipv6 or not _has_ipv6_loopback():
        pytest.skip("this machine has no IPv6 loopback")
    async with receiver(answering(), host="::1") as there:
        url = f"http://[::1]:{there.port}/"
        assert (await send(make_sender(STRICT), url, secret)).error is ErrorClass.REFUSED_ADDRESS
        assert there.connections == 0
        assert (await send(make_sender(IPV6), url, secret)).status == 200


async def test_the_systems_own_resolver(make_sender: MakeSender, secret: str) -> None:
    async with receiver(answering()) as there:
        url = f"http://localhost:{there.port}/"
        wide = GuardPolicy(
            allow_http=True,
            allowed_networks=(ip_network("127.0.0.0/8"), ip_network("::1/128")),
            allowed_ports=None,
        )
        assert (await send(make_sender(wide), url, secret)).status == 200
        resolver = GuardedResolver(STRICT, ThreadedResolver())
        with pytest.raises(ForbiddenAddress, match="localhost leads to"):
            await resolver.resolve("localhost", there.port)
        await resolver.close()


async def test_refused_urls_are_not_resolved(make_sender: MakeSender, secret: str) -> None:
    names = Names(["127.0.0.1"])
    sender = make_sender(GuardPolicy(allowed_networks=(ip_network("127.0.0.0/8"),)), names=names)
    for url in (f"http://{NAME}/", f"https://{NAME}:6379/", f"https://me@{NAME}/", "nonsense"):
        assert (await send(sender, url, secret)).error is ErrorClass.REFUSED_ADDRESS
    assert names.lookups == 0


async def test_every_redirect_that_is_followed_is_checked() -> None:
    async with receiver(answering(), host=FORBIDDEN) as inside:
        moved = answering("302 Found", headers=[f"location: http://{FORBIDDEN}:{inside.port}/"])
        async with receiver(moved) as there, guarded_client(LOOPBACK, httpx.Timeout(3)) as client:
            assert (await client.get(there.url)).status_code == 302
            with pytest.raises(ForbiddenAddress, match="loopback"):
                await client.get(there.url, follow_redirects=True)
    assert inside.connections == 0


async def test_a_proxy_resolves_names_and_gets_no_forbidden_address(
    make_sender: MakeSender, secret: str
) -> None:
    names = Names([FORBIDDEN])
    async with receiver(answering()) as proxy:
        url = f"http://user:hunter2@127.0.0.1:{proxy.port}"
        sender = make_sender(STRICT, proxy=url, names=names)
        assert (await send(sender, f"http://{NAME}/hook?a=%2F", secret)).status == 200
        for inside in ("http://127.0.0.2/", "http://[::1]/", "http://2130706433/"):
            outcome = await send(sender, inside, secret)
            assert outcome.error is ErrorClass.REFUSED_ADDRESS
    (request,) = proxy.requests
    assert request.line == f"POST http://{NAME}/hook?a=%2F HTTP/1.1"
    assert names.lookups == 0


async def test_a_refusal_of_the_proxy_is_a_refused_address(
    make_sender: MakeSender, secret: str
) -> None:
    async with receiver(answering("407 Denied")) as proxy:
        sender = make_sender(STRICT, proxy=f"http://127.0.0.1:{proxy.port}")
        outcome = await send(sender, f"https://{NAME}/hook", secret)
    assert proxy.requests[0].line == f"CONNECT {NAME}:443 HTTP/1.1"
    assert outcome.error is ErrorClass.REFUSED_ADDRESS
    assert "answered 407" in outcome.detail


async def test_tls_keeps_the_name_while_the_address_is_pinned(
    make_sender: MakeSender, secret: str, certificate: Certificate
) -> None:
    names = Names(["127.0.0.1"])
    async with receiver(answering(), tls=certificate.server()) as there:
        sender = make_sender(tls=certificate.trust(), names=names)
        outcome = await send(sender, f"https://{NAME}:{there.port}/hook", secret)
    assert outcome.status == 200
    assert there.server_names == [NAME]
    assert there.requests[0].headers["host"] == f"{NAME}:{there.port}"


@pytest.mark.parametrize(
    ("host", "trusted"), [(NAME, False), ("other.example.com", True), ("127.0.0.1", True)]
)
async def test_an_untrusted_or_wrong_certificate_is_refused(
    make_sender: MakeSender, secret: str, certificate: Certificate, host: str, trusted: bool
) -> None:
    async with receiver(answering(), tls=certificate.server()) as there:
        sender = make_sender(
            tls=certificate.trust() if trusted else None, names=Names(["127.0.0.1"])
        )
        outcome = await send(sender, f"https://{host}:{there.port}/hook", secret)
    assert outcome.error is ErrorClass.TLS
    assert "certificate" in outcome.detail
    assert there.requests == []


async def test_https_to_a_server_that_speaks_plain_http(
    make_sender: MakeSender, secret: str
) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        await saying(b"HTTP/1.1 400 Bad Request\r\n\r\n")(reader, writer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        sender = make_sender(names=Names(["127.0.0.1"]))
        outcome = await send(sender, f"https://{NAME}:{port}/", secret)
    assert outcome.error in {ErrorClass.TLS, ErrorClass.CONNECT}


def _has_ipv6_loopback() -> bool:
    with socket.socket(socket.AF_INET6) as probe:
        try:
            probe.bind(("::1", 0))
        except OSError:
            return False
    return True
