"""Sends webhooks: one signed request per attempt, and its outcome.

`delivery.after_attempt` decides whether and when to try again; the caller limits the number of
concurrent requests.
"""

import asyncio
import hashlib
import ssl
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from secrets import token_hex
from time import perf_counter

import httpx2 as httpx
from aiohttp.abc import AbstractResolver

from generation.transport import NameNotResolved, TlsFailed
from generation.webhooks.asymmetric import SigningKey
from generation.webhooks.client import guarded_client, read_head
from generation.webhooks.delivery import Delivery
from generation.webhooks.guard import NOT_A_URL, ForbiddenAddress, GuardPolicy
from generation.webhooks.outcome import (
    EXCERPT_BYTES,
    KEPT_HEADERS,
    DeliveryOutcome,
    ErrorClass,
    storable_text,
)
from generation.webhooks.signature import sign

USER_AGENT = "genq-webhooks/1.0"
TOTAL_TIMEOUT = timedelta(seconds=15)
CONNECT_TIMEOUT = timedelta(seconds=5)
#: The caller limits requests, so connections to one host are not limited here.
UNLIMITED = 0
MAX_ERROR_CHARACTERS = 200
_KEPT_BY_BYTES = {name.encode(): name for name in KEPT_HEADERS}


class Sender:
    """Sends from one process, over guarded connections, on the event loop of the first send.

    Safe to use from many tasks of that loop. With `keys`, every request is signed by them too. A
    `proxy` (a URL with its credentials) resolves names itself, so only the URL of a delivery is
    checked, not the addresses of its name.
    """

    def __init__(
        self,
        policy: GuardPolicy,
        *,
        total: timedelta = TOTAL_TIMEOUT,
        connect: timedelta = CONNECT_TIMEOUT,
        keys: Sequence[SigningKey] = (),
        proxy: str | None = None,
        tls: ssl.SSLContext | None = None,
        names: AbstractResolver | None = None,
    ) -> None:
        self._total = total
        self._keys = keys
        seconds = connect.total_seconds()
        timeouts = httpx.Timeout(None, pool=seconds, connect=seconds)
        self._client = guarded_client(
            policy, timeouts, per_host=UNLIMITED, tls=tls, names=names, proxy=proxy
        )

    async def aclose(self) -> None:
        """Close every connection. A send that is under way is cut off."""
        await self._client.aclose()

    async def send(
        self,
        delivery: Delivery,
        secrets: Sequence[str],
        now: datetime,
        extra: Mapping[str, str] | None = None,
    ) -> DeliveryOutcome:
        """Make one attempt, signed with each of `secrets` and stamped with `now`.

        `extra` are headers of the receiver's own; none of them replaces one of ours. A failure of
        the network, the receiver or its URL is an outcome, not an exception. Once the receiver has
        answered with a status, that is the outcome, even if the rest of its response never comes.
        Raises `ValueError` for secrets that cannot sign.
        """
        headers = {**(extra or {}), **self._headers(delivery, secrets, now)}
        try:
            return await self._attempt(delivery, headers)
        except ForbiddenAddress as refusal:
            return DeliveryOutcome(error=ErrorClass.REFUSED_ADDRESS, detail=str(refusal))
        except httpx.InvalidURL:
            # Its text may quote a password.
            return DeliveryOutcome(error=ErrorClass.REFUSED_ADDRESS, detail=NOT_A_URL)

    def _headers(self, delivery: Delivery, secrets: Sequence[str], now: datetime) -> dict[str, str]:
        timestamp = int(now.timestamp())
        signature = sign(secrets, delivery.event_id, timestamp, delivery.body, self._keys)
        return {
            "content-type": "application/json",
            "user-agent": USER_AGENT,
            "accept-encoding": "identity",
            "webhook-id": delivery.event_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signature,
            "webhook-attempt": str(delivery.attempts + 1),
            "traceparent": traceparent(delivery),
        }

    async def _attempt(self, delivery: Delivery, headers: dict[str, str]) -> DeliveryOutcome:
        started = perf_counter()
        received = _ReceivedResponse()
        error: ErrorClass | None = None
        detail = ""
        try:
            async with asyncio.timeout(self._total.total_seconds()):
                await self._exchange(delivery, headers, received)
        except (TimeoutError, httpx.TransportError) as failure:
            error, detail = _classified(failure)
        duration = timedelta(seconds=perf_counter() - started)
        if received.status is None:
            return DeliveryOutcome(error=error, detail=detail, duration=duration)
        return DeliveryOutcome(
            status=received.status,
            headers=received.headers,
            excerpt=storable_text(bytes(received.head)),
            duration=duration,
        )

    async def _exchange(
        self, delivery: Delivery, headers: dict[str, str], into: "_ReceivedResponse"
    ) -> None:
        response = await self._client.start(
            "POST", delivery.url, headers, delivery.body, fresh=False
        )
        try:
            into.start(response)
            await read_head(response, into.head, EXCERPT_BYTES)
        finally:
            await response.aclose()


class _ReceivedResponse:
    """Filled as the response arrives, so that a broken transfer keeps what had arrived."""

    def __init__(self) -> None:
        self.status: int | None = None
        self.headers: dict[str, str] = {}
        self.head = bytearray()

    def start(self, response: httpx.Response) -> None:
        self.status = response.status_code
        for name, value in reversed(response.headers.raw):
            if kept := _KEPT_BY_BYTES.get(name.lower()):
                self.headers[kept] = storable_text(value)


def traceparent(delivery: Delivery) -> str:
    """Return a W3C Trace Context header: one trace for all attempts to deliver an event."""
    trace = hashlib.blake2b(delivery.event_id.encode(), digest_size=16).hexdigest()
    return f"00-{trace}-{token_hex(8)}-00"


def _classified(failure: Exception) -> tuple[ErrorClass, str]:
    """Return the class of a failed exchange, and a sentence for the owner of the URL."""
    match failure:
        case TimeoutError() | httpx.TimeoutException():
            return ErrorClass.TIMEOUT, "no answer in time; answer first and work afterwards"
        case httpx.ProxyError():
            refusal = f"the proxy that webhooks go through {_line(failure)}"
            return ErrorClass.REFUSED_ADDRESS, refusal
        case NameNotResolved():
            return ErrorClass.DNS, "the host name has no address; check its spelling and its DNS"
        case TlsFailed():
            return ErrorClass.TLS, f"TLS failed: {_line(failure)}"
        case httpx.ConnectError():
            return ErrorClass.CONNECT, f"no connection: {_line(failure)}"
        case httpx.NetworkError():
            return ErrorClass.DISCONNECTED, f"closed before an answer: {_line(failure)}"
        case _:
            return ErrorClass.PROTOCOL, f"the answer is not HTTP: {_line(failure)}"


def _line(failure: Exception) -> str:
    """Return one printable line: parts of the text may be the receiver's."""
    text = "".join(char if char.isprintable() else " " for char in str(failure))
    return " ".join(text.split())[:MAX_ERROR_CHARACTERS] or type(failure).__name__
