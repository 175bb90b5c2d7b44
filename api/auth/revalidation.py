"""
Whether somebody who was let in is still welcome, for answers that take long.
"""

from datetime import timedelta
from time import monotonic

import structlog
from sqlalchemy.exc import SQLAlchemyError

from api.auth.api_keys import ApiKeyAuth
from generation.store import ApiKey

log = structlog.get_logger(__name__)

#: The stream of a key that was revoked ends within this, and what its next piece takes.
CHECK_EVERY = timedelta(minutes=1)


class KeyRevalidation:
    """A key that was let in, and is looked at again now and then: it may have been revoked."""

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
        """A database that does not answer throws nobody out."""
        if monotonic() - self._checked_at < self._check_every:
            return True
        self._checked_at = monotonic()
        try:
            return await self._callers.still_valid(self._caller)
        except (SQLAlchemyError, OSError) as error:
            log.warning("key_not_checked", error=f"{type(error).__name__}: {error}")
            return True
