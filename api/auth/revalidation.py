"""Rechecks the API key while a stream is open."""

from datetime import timedelta
from time import monotonic

import structlog
from sqlalchemy.exc import SQLAlchemyError

from api.auth.api_keys import ApiKeyAuth
from generation.store import ApiKey

log = structlog.get_logger(__name__)

#: The stream of a revoked key ends at its first event after this time.
CHECK_EVERY = timedelta(minutes=1)


class KeyRevalidation:
    """An authenticated key that is checked again from time to time."""

    def __init__(
        self, callers: ApiKeyAuth, caller: ApiKey, check_every: timedelta = CHECK_EVERY
    ) -> None:
        self._callers = callers
        self._caller = caller
        self._check_every = check_every.total_seconds()
        self._checked_at = monotonic()

    @property
    def tenant(self) -> str:
        return self._caller.tenant

    async def holds(self) -> bool:
        """Whether the key is still valid. True while the database does not answer."""
        if monotonic() - self._checked_at < self._check_every:
            return True
        self._checked_at = monotonic()
        try:
            return await self._callers.still_valid(self._caller)
        except (SQLAlchemyError, OSError) as error:
            log.warning("key_not_checked", error=f"{type(error).__name__}: {error}")
            return True
