"""Authentication by API key, with a cache of keys."""

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta
from time import monotonic

import structlog
from starlette.datastructures import Headers

from api.http.problem_types import INSUFFICIENT_SCOPE, UNAUTHENTICATED
from api.http.problems import Problem
from generation.access.permissions import Scope
from generation.store import ApiKey, ApiKeyStore
from generation.store.access.api_keys import SHORTEST, digest

log = structlog.get_logger(__name__)

#: A longer key is refused without a lookup.
MAX_KEY_LENGTH = 256
#: Entries of each cache, of valid and of unknown keys. A full cache is cleared.
MAX_CACHED = 10_000
#: A key is read again after this time even without a recorded change: its row may have been
#: changed by hand.
CACHED_FOR = timedelta(minutes=1)
#: The last use of keys is stored at most this often.
RECORD_USES_EVERY = timedelta(seconds=30)
HOW_TO_SEND = "send it as `Authorization: Bearer genq_…` or as `X-API-Key: genq_…`"


class ApiKeyAuth:
    """Authenticates callers by their keys.

    Belongs to one event loop.

    A cached key is valid while no key has changed. The store is asked for changes at most every
    `max_staleness`, by one small query for all keys, and only while requests arrive. A key that was
    revoked, by any process, is accepted for at most that time.
    """

    def __init__(self, keys: ApiKeyStore, max_staleness: timedelta) -> None:
        self._keys = keys
        self._max_staleness = max_staleness.total_seconds()
        # Two caches, so that a flood of wrong keys does not evict the right ones.
        self._known: dict[str, tuple[float, ApiKey]] = {}
        self._unknown: dict[str, float] = {}
        self._changes = -1
        self._fresh_until = 0.0
        self._refreshing: asyncio.Task[None] | None = None
        self._used: set[str] = set()
        self._key_used = asyncio.Event()
        self._recorder: asyncio.Task[None] | None = None

    async def admit(self, headers: Headers, scope: Scope) -> ApiKey:
        """Return the key. Raises `Problem`: 401 without a valid key, 403 without the scope."""
        key = presented(headers)
        found = await self._find(key)
        if found is None:
            raise refusal("this API key is unknown or was revoked", error="invalid_token")
        if found.access.expires_at is not None and not found.is_valid(datetime.now(UTC)):
            raise refusal("this API key has expired", error="invalid_token")
        if scope not in found.access.scopes:
            raise out_of_scope(scope, found)
        self._used.add(found.id)
        self._key_used.set()
        return found

    async def still_valid(self, caller: ApiKey) -> bool:
        """Whether an authenticated key is still valid; for long responses."""
        fresh = await self._keys.get(caller.id)
        return fresh is not None and fresh.is_valid(datetime.now(UTC))

    def forget(self) -> None:
        """Ask the store for changes before the next request; a key was changed in this process."""
        self._fresh_until = 0.0

    def start(self) -> None:
        """Start to store regularly which keys were used."""
        self._recorder = asyncio.create_task(self._record_uses())

    async def stop(self) -> None:
        """Store the last uses."""
        if self._recorder is not None:
            self._recorder.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._recorder
        await self._store_uses()

    async def _find(self, key: str) -> ApiKey | None:
        now = monotonic()
        if now >= self._fresh_until:
            await self._refresh()
        name = digest(key)
        until, found = self._known.get(name, (0.0, None))
        if found is not None and now < until:
            return found
        if now < self._unknown.get(name, 0.0):
            return None
        changes = self._changes
        found = await self._keys.find(key)
        if changes == self._changes:  # else it may be older than a change that was seen meanwhile
            self._cache(name, found, now + CACHED_FOR.total_seconds())
        return found

    async def _refresh(self) -> None:
        """Read the changes once for all requests that wait."""
        if self._refreshing is None:
            self._refreshing = asyncio.create_task(self._read_changes())
        await asyncio.shield(self._refreshing)

    async def _read_changes(self) -> None:
        started = monotonic()
        try:
            changes = await self._keys.changes()
        finally:
            self._refreshing = None
        if changes != self._changes:
            self._known.clear()
            self._unknown.clear()
            self._changes = changes
        self._fresh_until = started + self._max_staleness

    def _cache(self, name: str, found: ApiKey | None, until: float) -> None:
        for cache in (self._known, self._unknown):
            cache.pop(name, None)
            if len(cache) >= MAX_CACHED:
                cache.clear()
        if found is None:
            self._unknown[name] = until
        else:
            self._known[name] = (until, found)

    async def _record_uses(self) -> None:
        while True:
            await self._key_used.wait()
            await self._store_uses()
            await asyncio.sleep(RECORD_USES_EVERY.total_seconds())

    async def _store_uses(self) -> None:
        used, self._used = self._used, set()
        self._key_used.clear()
        if not used:
            return
        try:
            await self._keys.touch(sorted(used), datetime.now(UTC))
        except Exception as error:  # the next use is stored again
            log.warning("key_uses_not_stored", count=len(used), error=type(error).__name__)


def presented(headers: Headers) -> str:
    """Return the key of the headers. Raises `Problem` (401) without one of a possible form."""
    authorization, *more = headers.getlist("authorization") or ("",)
    if more:
        raise refusal("there is more than one Authorization header; send one")
    scheme, _, value = authorization.partition(" ")
    key = value.strip() if scheme.lower() == "bearer" else headers.get("x-api-key", "").strip()
    if not key and authorization:
        raise refusal(f"the Authorization header carries no Bearer key; {HOW_TO_SEND}")
    if not key:
        raise refusal(f"this path needs an API key; {HOW_TO_SEND}")
    if not SHORTEST <= len(key) <= MAX_KEY_LENGTH:
        raise refusal("this is not an API key of genq", error="invalid_token")
    return key


def refusal(detail: str, *, error: str | None = None) -> Problem:
    challenge = 'Bearer realm="genq"' + (f', error="{error}"' if error else "")
    return Problem(UNAUTHENTICATED, detail, headers={"WWW-Authenticate": challenge})


def out_of_scope(scope: Scope, caller: ApiKey) -> Problem:
    """Return the 403 of RFC 6750."""
    has = ", ".join(sorted(caller.access.scopes)) or "none"
    challenge = f'Bearer realm="genq", error="insufficient_scope", scope="{scope}"'
    detail = f"this needs a key with the scope {scope}; the scopes of this one: {has}"
    return Problem(INSUFFICIENT_SCOPE, detail, headers={"WWW-Authenticate": challenge})
