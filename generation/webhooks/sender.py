"""
The one place that sends webhooks.

A send makes one request and says what came of it. Whether and when to try again is decided by
`delivery.after_attempt`, and how many may be on the wire at once by whoever sends.
"""

import asyncio
import hashlib
import ssl
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from secrets import token_hex
from time import perf_counter

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from generation.transport import words
from generation.webhooks.asymmetric import SigningKey
from generation.webhooks.delivery import Delivery
from generation.webhooks.guard import ForbiddenAddress, GuardPolicy, check_url
from generation.webhooks.outcome import (
    EXCERPT_BYTES,
    KEPT_HEADERS,
    ErrorClass,
    Outcome,
    readable,
)
from generation.webhooks.resolver import GuardedResolver, ThreadedNames
from generation.webhooks.signature import sign
from generation.webhooks.transport import guarded_connector

USER_AGENT = "genq-webhooks/1.0"
TOTAL_TIMEOUT = timedelta(seconds=15)
CONNECT_TIMEOUT = timedelta(seconds=5)
#: Connections to one host are not limited here: whoever sends limits the requests.
UNLIMITED = 0


class Sender:
    """
    Sends from one process, over guarded connections, on the event loop of the first send.

    Safe to use from many tasks of that loop. With `keys`, every request is signed by them too. A
    `proxy` resolves names itself: where they lead is then its to judge, and only what a URL says is
    judged here.
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
        self._policy = policy
        self._total = total
        self._keys = keys
        self._proxy = proxy
        self._timeout = aiohttp.ClientTimeout(
            total=None, connect=connect.total_seconds(), sock_connect=connect.total_seconds()
        )
        self._tls = tls or ssl.create_default_context()
        self._resolver = GuardedResolver(policy, names or ThreadedNames())
        self._session: aiohttp.ClientSession | None = None

    async def aclose(self) -> None:
        """Close every connection. Let sends end first; one under way is cut off."""
        if self._session is not None:
            await self._session.close()
        await self._resolver.close()

    async def send(
        self,
        delivery: Delivery,
        secrets: Sequence[str],
        now: datetime,
        extra: Mapping[str, str] | None = None,
    ) -> Outcome:
        """
        Make one attempt, signed with every one of `secrets` and stamped with `now`. `extra` are
        headers of the receiver's own; none of them replaces one of ours.

        Trouble with the network, the receiver or its URL is an outcome, never an exception. Once
        the receiver has answered with a status, that is the outcome, even if the rest of its answer
        never comes. Raises `ValueError` for secrets that cannot sign.
        """
        headers = {**(extra or {}), **self._headers(delivery, secrets, now)}
        try:
            check_url(delivery.url, self._policy)
            return await self._attempt(delivery, headers)
        except ForbiddenAddress as refusal:
            return Outcome(error=ErrorClass.REFUSED_ADDRESS, detail=str(refusal))

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

    async def _attempt(self, delivery: Delivery, headers: dict[str, str]) -> Outcome:
        started = perf_counter()
        answer = _Answer()
        error: ErrorClass | None = None
        detail = ""
        try:
            async with asyncio.timeout(self._total.total_seconds()):
                await self._exchange(delivery, headers, answer)
        except (TimeoutError, OSError, aiohttp.ClientError) as trouble:
            error, detail = _explain(trouble)
        duration = timedelta(seconds=perf_counter() - started)
        if answer.status is None:
            return Outcome(error=error, detail=detail, duration=duration)
        return Outcome(
            status=answer.status,
            headers=answer.headers,
            excerpt=readable(bytes(answer.head)),
            duration=duration,
        )

    async def _exchange(
        self, delivery: Delivery, headers: dict[str, str], answer: "_Answer"
    ) -> None:
        async with self._opened().post(
            URL(delivery.url, encoded=True),
            data=delivery.body,
            headers=headers,
            allow_redirects=False,
            timeout=self._timeout,
            proxy=self._proxy,
        ) as response:
            answer.status = response.status
            answer.headers = {
                name: readable(response.headers[name].encode("utf-8", "surrogateescape"))
                for name in KEPT_HEADERS
                if name in response.headers
            }
            # What is left unread at the end of the block closes the connection.
            async for chunk in response.content.iter_any():
                answer.head += chunk[: EXCERPT_BYTES - len(answer.head)]
                if len(answer.head) >= EXCERPT_BYTES:
                    return

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=self._connector(),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
            )
        return self._session

    def _connector(self) -> aiohttp.TCPConnector:
        if self._proxy is None:
            return guarded_connector(self._policy, self._resolver, UNLIMITED, self._tls)
        return aiohttp.TCPConnector(ssl=self._tls, limit=0, limit_per_host=UNLIMITED)


class _Answer:
    """Filled as it arrives, so that what came before a break-off is kept."""

    def __init__(self) -> None:
        self.status: int | None = None
        self.headers: dict[str, str] = {}
        self.head = bytearray()


def traceparent(delivery: Delivery) -> str:
    """
    W3C Trace Context: one trace for all attempts of all deliveries of an event.
    """
    trace = hashlib.blake2b(delivery.event_id.encode(), digest_size=16).hexdigest()
    return f"00-{trace}-{token_hex(8)}-00"


def _explain(trouble: Exception) -> tuple[ErrorClass, str]:
    """The class of a failed exchange, and what it was in words."""
    match trouble:
        case TimeoutError():
            return ErrorClass.TIMEOUT, "no answer in time; answer first and work afterwards"
        case aiohttp.ClientHttpProxyError():
            refusal = f"the proxy that webhooks go through answered {trouble.status}"
            return ErrorClass.REFUSED_ADDRESS, refusal
        case aiohttp.ClientConnectorDNSError():
            return ErrorClass.DNS, "the host name has no address; check its spelling and its DNS"
        case aiohttp.ClientSSLError():
            return ErrorClass.TLS, f"TLS failed: {_brief(trouble)}"
        case aiohttp.ClientConnectorError():
            return ErrorClass.CONNECT, f"no connection: {_brief(trouble)}"
        case OSError() | aiohttp.ClientConnectionError():
            return ErrorClass.DISCONNECTED, f"closed before an answer: {_brief(trouble)}"
        case _:
            return ErrorClass.PROTOCOL, f"the answer is not HTTP: {_brief(trouble)}"


def _brief(trouble: Exception) -> str:
    """One printable line: parts of it may be the receiver's."""
    said = words(trouble) if isinstance(trouble, aiohttp.ClientError) else str(trouble)
    text = "".join(char if char.isprintable() else " " for char in said)
    return " ".join(text.split())[:200] or type(trouble).__name__
