"""
Who is calling: the API key a request presents, looked up and remembered for a few seconds.
"""

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta
from time import monotonic

import structlog
from starlette.datastructures import Headers

from api.problems import UNAUTHENTICATED, Problem
from generation.store import ApiKey, KeyStore
from generation.store.keys import SHORTEST, digest

log = structlog.get_logger(__name__)

#: No key is longer; what is longer is not looked up.
LONGEST = 256
#: Keys remembered at once, known and unknown ones each. Beyond it they are all forgotten.
MOST_REMEMBERED = 10_000
#: The use of a key is written down no more often than this.
NOTE_EVERY = timedelta(seconds=30)
HOW = "send it as `Authorization: Bearer genq_…` or as `X-API-Key: genq_…`"


class Callers:
    """Lets callers in by their keys. Lives on one event loop."""

    def __init__(self, keys: KeyStore, trust_for: timedelta) -> None:
        self._keys = keys
        self._trust_for = trust_for.total_seconds()
        # Apart from each other, so that a flood of wrong keys does not push out the right ones.
        self._known: dict[str, tuple[float, ApiKey]] = {}
        self._unknown: dict[str, float] = {}
        self._used: set[str] = set()
        self._somebody_came = asyncio.Event()
        self._noting: asyncio.Task[None] | None = None

    async def admit(self, headers: Headers) -> ApiKey:
        """
        The key's row. Raises `Problem` (401) where there is no key or no valid one. A key that was
        revoked is let in for as long as a process trusts what it has looked up.
        """
        key = presented(headers)
        found = await self._find(key)
        if found is None:
            raise refusal("this API key is unknown or was revoked", error="invalid_token")
        self._used.add(found.id)
        self._somebody_came.set()
        return found

    def start(self) -> None:
        """Begin to write down, now and then, which keys were used."""
        self._noting = asyncio.create_task(self._note_uses())

    async def stop(self) -> None:
        """Write down the last uses."""
        if self._noting is not None:
            self._noting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._noting
        await self._note()

    async def _find(self, key: str) -> ApiKey | None:
        name = digest(key)
        now = monotonic()
        until, found = self._known.get(name, (0.0, None))
        if found is not None and now < until:
            return found
        if now < self._unknown.get(name, 0.0):
            return None
        found = await self._keys.find(key)
        self._remember(name, found, now + self._trust_for)
        return found

    def _remember(self, name: str, found: ApiKey | None, until: float) -> None:
        for remembered in (self._known, self._unknown):
            remembered.pop(name, None)
            if len(remembered) >= MOST_REMEMBERED:
                remembered.clear()
        if found is None:
            self._unknown[name] = until
        else:
            self._known[name] = (until, found)

    async def _note_uses(self) -> None:
        while True:
            await self._somebody_came.wait()
            await self._note()
            await asyncio.sleep(NOTE_EVERY.total_seconds())

    async def _note(self) -> None:
        used, self._used = self._used, set()
        self._somebody_came.clear()
        if not used:
            return
        try:
            await self._keys.touch(sorted(used), datetime.now(UTC))
        except Exception as error:  # news, not a record: the next use is noted again
            log.warning("key_uses_not_noted", count=len(used), error=type(error).__name__)


def presented(headers: Headers) -> str:
    """The key as it came. Raises `Problem` (401) where none did, or nothing that could be one."""
    authorization = headers.get("authorization", "")
    scheme, _, value = authorization.partition(" ")
    key = value.strip() if scheme.lower() == "bearer" else headers.get("x-api-key", "").strip()
    if not key and authorization:
        raise refusal(f"the Authorization header carries no Bearer key; {HOW}")
    if not key:
        raise refusal(f"this path needs an API key; {HOW}")
    if not SHORTEST <= len(key) <= LONGEST:
        raise refusal("this is not an API key of genq", error="invalid_token")
    return key


def refusal(detail: str, *, error: str | None = None) -> Problem:
    challenge = 'Bearer realm="genq"' + (f', error="{error}"' if error else "")
    return Problem(UNAUTHENTICATED, detail, headers={"WWW-Authenticate": challenge})
