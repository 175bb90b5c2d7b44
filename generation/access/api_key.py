"""An API key, as the API and the store know it."""

from dataclasses import dataclass, field
from datetime import datetime

from generation.access.permissions import Access


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """An API key, without its secret."""

    id: str
    tenant: str
    prefix: str
    webhook_secret: str = field(repr=False)
    access: Access = field(default_factory=Access)
    created_at: datetime
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None

    def is_valid(self, now: datetime) -> bool:
        """Return whether the key is neither revoked nor expired."""
        expiry = self.access.expires_at
        return self.revoked_at is None and (expiry is None or now < expiry)

    @property
    def quota_key(self) -> str | None:
        """The id under which jobs of the key are counted; None if the key has no limits."""
        return self.id if self.access.limits else None
