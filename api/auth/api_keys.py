"""
Who is calling: the API key a request presents, what it may do, remembered while it is so.
"""

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta
from time import monotonic

import structlog
from starlette.datastructures import Headers

from api.http.problem_types import INSUFFICIENT_SCOPE, UNAUTHENTICATED
from api.http.problems import Problem
from generation.access.permissions import Scope
from generation.store import ApiKey, KeyStore
from generation.store.access.api_keys import SHORTEST, digest

log = structlog.get_logger(__name__)

#: No key is longer; what is longer is not looked up.
LONGEST = 256
#: Keys remembered at once, known and unknown ones each. Beyond it they are all forgotten.
MOST_REMEMBERED = 10_000
#: A key is looked up again after this, whatever the store says of changes: a person may have
#: changed its row by hand.
REMEMBERED_FOR = timedelta(minutes=1)
#: The use of a key is written down no more often than this.
NOTE_EVERY = timedelta(seconds=30)
HOW = "send it as `Authorization: Bearer genq_…` or as `X-API-Key: genq_…`"


class ApiKeyAuth:
    """
    Lets callers in by their keys. Lives on one event loop.

    What was looked up is believed while the store says that no key has changed, and the store is
    asked that at most every `believe_for`: one small query for all keys together, made only while
    somebody calls. So a key that is revoked, by whomever, is let in for no longer than that.
    """

    def __init__(self, keys: KeyStore, believe_for: timedelta) -> None:
        self._keys = keys
        self._believe_for = believe_for.total_seconds()
        # Apart from each other, so that a flood of wrong keys does not push out the right ones.
        self._known: dict[str, tuple[float, ApiKey]] = {}
        self._unknown: dict[str, float] = {}
        self._changes = -1
        self._believed_until = 0.0
        self._asking: asyncio.Task[None] | None = None
        self._used: set[str] = set()
        self._somebody_came = asyncio.Event()
        self._noting: asyncio.Task[None] | None = None

    async def admit(self, headers: Headers, scope: Scope) -> ApiKey:
        """
        The key's row. Raises `Problem`: 401 where there is no key or no valid one, 403 where it may
        not do this.
        """
        key = presented(headers)
        found = await self._find(key)
        if found is None:
            raise refusal("this API key is unknown or was revoked", error="invalid_token")
        if found.access.expires_at is not None and not found.is_valid(datetime.now(UTC)):
            raise refusal("this API key has expired", error="invalid_token")
        if scope not in found.access.scopes:
            raise out_of_scope(scope, found)
        self._used.add(found.id)
        self._somebody_came.set()
        return found

    async def still_valid(self, caller: ApiKey) -> bool:
        """Whether a caller who was let in would be let in now: for answers that take long."""
        fresh = await self._keys.get(caller.id)
        return fresh is not None and fresh.is_valid(datetime.now(UTC))

    def forget(self) -> None:
        """A key was changed in this very process: ask the store before the next is let in."""
        self._believed_until = 0.0

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
        now = monotonic()
        if now >= self._believed_until:
            await self._catch_up()
        name = digest(key)
        until, found = self._known.get(name, (0.0, None))
        if found is not None and now < until:
            return found
        if now < self._unknown.get(name, 0.0):
            return None
        changes = self._changes
        found = await self._keys.find(key)
        if changes == self._changes:  # else it may be older than what was forgotten meanwhile
            self._remember(name, found, now + REMEMBERED_FOR.total_seconds())
        return found

    async def _catch_up(self) -> None:
        """Those who come at once wait for one answer."""
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask())
        await asyncio.shield(self._asking)

    async def _ask(self) -> None:
        began = monotonic()
        try:
            changes = await self._keys.changes()
        finally:
            self._asking = None
        if changes != self._changes:
            self._known.clear()
            self._unknown.clear()
            self._changes = changes
        self._believed_until = began + self._believe_for

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
    authorization, *more = headers.getlist("authorization") or ("",)
    if more:
        raise refusal("there is more than one Authorization header; send one")
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


def out_of_scope(scope: Scope, caller: ApiKey) -> Problem:
    """As RFC 6750 has it."""
    has = ", ".join(sorted(caller.access.scopes)) or "none"
    challenge = f'Bearer realm="genq", error="insufficient_scope", scope="{scope}"'
    words = f"this needs a key with the scope {scope}; the scopes of this one: {has}"
    return Problem(INSUFFICIENT_SCOPE, words, headers={"WWW-Authenticate": challenge})
