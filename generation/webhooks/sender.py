"""
The one place that sends webhooks.

A send makes one request and says what came of it. Whether and when to try again is decided by
`delivery.after_attempt`.
"""

import asyncio
import ssl
from collections.abc import Sequence
from datetime import datetime, timedelta
from time import perf_counter

import aiohttp
import httpx
from aiohttp.abc import AbstractResolver

from generation.webhooks.client import guarded_client, read_head
from generation.webhooks.delivery import Delivery
from generation.webhooks.guard import ForbiddenAddress, GuardPolicy, check_url, receiver
from generation.webhooks.outcome import (
    EXCERPT_BYTES,
    KEPT_HEADERS,
    ErrorClass,
    Outcome,
    readable,
)
from generation.webhooks.signature import sign
from generation.webhooks.slots import Crowded, Slots

USER_AGENT = "genq-webhooks/1.0"
TOTAL_TIMEOUT = timedelta(seconds=15)
CONNECT_TIMEOUT = timedelta(seconds=5)
#: Requests one receiver may hold at a time.
PER_RECEIVER = 10
#: How long a delivery waits for one of them before it steps aside.
PATIENCE = timedelta(seconds=1)


class Sender:
    """
    Sends deliveries from one process: one guarded client, on the event loop of the first send.

    Safe to use from many tasks of that loop. A receiver that hangs holds `per_receiver` requests
    for `total` and no more; a delivery that finds them all taken ends as `crowded`.
    """

    def __init__(
        self,
        policy: GuardPolicy,
        *,
        total: timedelta = TOTAL_TIMEOUT,
        connect: timedelta = CONNECT_TIMEOUT,
        per_receiver: int = PER_RECEIVER,
        patience: timedelta = PATIENCE,
        tls: ssl.SSLContext | None = None,
        names: AbstractResolver | None = None,
    ) -> None:
        self._policy = policy
        self._total = total
        self._slots = Slots(per_receiver, patience)
        connect_seconds = connect.total_seconds()
        self._client = guarded_client(
            policy,
            httpx.Timeout(total.total_seconds(), connect=connect_seconds, pool=connect_seconds),
            per_host=per_receiver,
            tls=tls,
            names=names,
        )

    async def aclose(self) -> None:
        """Close every connection. Let sends end first; one under way is cut off."""
        await self._client.aclose()

    async def send(self, delivery: Delivery, secrets: Sequence[str], now: datetime) -> Outcome:
        """
        Make one attempt, signed with every one of `secrets` and stamped with `now`.

        Trouble with the network, the receiver or its URL is an outcome, never an exception. Once
        the receiver has answered with a status, that is the outcome, even if the rest of its answer
        never comes. Raises `ValueError` for secrets that cannot sign.
        """
        headers = _headers(delivery, secrets, now)
        try:
            check_url(delivery.url, self._policy)
            async with self._slots.hold(receiver(delivery.url)):
                return await self._attempt(delivery, headers)
        except ForbiddenAddress as refusal:
            return Outcome(error=ErrorClass.REFUSED_ADDRESS, detail=str(refusal))
        except Crowded:
            return Outcome(
                error=ErrorClass.CROWDED,
                detail="the receiver has not answered the requests sent before this one yet",
            )

    async def _attempt(self, delivery: Delivery, headers: dict[str, str]) -> Outcome:
        started = perf_counter()
        answer = _Answer()
        error: ErrorClass | None = None
        detail = ""
        try:
            async with asyncio.timeout(self._total.total_seconds()):
                await self._exchange(delivery, headers, answer)
        except (TimeoutError, OSError, httpx.HTTPError) as trouble:
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
        async with self._client.stream(
            "POST", delivery.url, content=delivery.body, headers=headers
        ) as response:
            answer.status = response.status_code
            answer.headers = {
                name: readable(response.headers[name].encode("utf-8", "replace"))
                for name in KEPT_HEADERS
                if name in response.headers
            }
            await read_head(response, answer.head, EXCERPT_BYTES)


class _Answer:
    """Filled as it arrives, so that what came before a break-off is kept."""

    def __init__(self) -> None:
        self.status: int | None = None
        self.headers: dict[str, str] = {}
        self.head = bytearray()


def _headers(delivery: Delivery, secrets: Sequence[str], now: datetime) -> dict[str, str]:
    timestamp = int(now.timestamp())
    return {
        "content-type": "application/json",
        "user-agent": USER_AGENT,
        "webhook-id": delivery.event_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": sign(secrets, delivery.event_id, timestamp, delivery.body),
        "webhook-attempt": str(delivery.attempts + 1),
    }


def _explain(trouble: Exception) -> tuple[ErrorClass, str]:
    """The class of a failed exchange, and what it was in words."""
    match trouble.__cause__ if isinstance(trouble, httpx.HTTPError) else trouble:
        case TimeoutError():
            return ErrorClass.TIMEOUT, "no answer in time; answer first and work afterwards"
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
    text = "".join(char if char.isprintable() else " " for char in str(trouble))
    return " ".join(text.split())[:200] or type(trouble).__name__
