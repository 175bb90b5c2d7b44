"""Resolves names that somebody else chose, and refuses those with a forbidden address."""

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from ipaddress import ip_address

from aiohttp.abc import AbstractResolver, ResolveResult

from generation.webhooks.guard import ForbiddenAddress, GuardPolicy, forbidden

#: Concurrent lookups. Each blocks a thread, for long if the name's servers do not answer, so
#: lookups have threads of their own.
LOOKUP_THREADS = 32


class ThreadedResolver(AbstractResolver):
    """The system's resolver, in threads of its own."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(LOOKUP_THREADS, thread_name_prefix="lookup")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        lookup = partial(
            socket.getaddrinfo,
            host,
            port,
            family=family,
            type=socket.SOCK_STREAM,
            flags=socket.AI_ADDRCONFIG,
        )
        infos = await asyncio.get_running_loop().run_in_executor(self._threads, lookup)
        return [
            ResolveResult(
                hostname=host,
                host=str(address[0]),
                port=port,
                family=found,
                proto=proto,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for found, _, proto, _, address in infos
        ]

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


class GuardedResolver(AbstractResolver):
    """Raises `ForbiddenAddress` for a name if any of its addresses is forbidden."""

    def __init__(self, policy: GuardPolicy, names: AbstractResolver) -> None:
        self._policy = policy
        self._names = names

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        results = await self._names.resolve(host, port, family)
        for result in results:
            if reason := refusal_of(result["host"], self._policy):
                raise ForbiddenAddress(
                    f"{host} leads to a forbidden address: {reason}; "
                    "give a name whose every address is on the public internet"
                )
        return results

    async def close(self) -> None:
        await self._names.close()


def refusal_of(address: str, policy: GuardPolicy) -> str | None:
    """Return why nothing may be sent to this address, or None. An invalid address is refused."""
    try:
        return forbidden(ip_address(address), policy.allowed_networks)
    except ValueError:
        return f"{address!r} is no address"
