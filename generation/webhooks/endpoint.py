"""
A registered endpoint: where a tenant wants to be told of its jobs, of which, and how.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from generation.events import ENDINGS
from generation.webhooks.health import HEALTHY, EndpointHealth
from generation.webhooks.secrets import OldSecret, signing_secrets

ENDPOINT_TEST = "endpoint.test"
ENDPOINT_DISABLED = "endpoint.disabled"
#: What an endpoint is told that asked for nothing in particular.
DEFAULT_EVENTS = (*ENDINGS, ENDPOINT_DISABLED)

#: Requests an endpoint holds at a time, in one worker process.
MAX_ENDPOINT_CONCURRENCY = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredEndpoint:
    """Times are UTC."""

    #: `whe_…`.
    id: str
    tenant: str
    url: str
    description: str = ""
    #: Empty means `DEFAULT_EVENTS`.
    events: tuple[str, ...] = ()
    #: Only of jobs whose metadata has all of these. Events of endpoints come regardless.
    metadata: Mapping[str, str] = field(default_factory=dict[str, str])
    #: Sent with every request. Values may be the receiver's secrets.
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    #: Requests on the wire at once, in one worker process.
    concurrency: int = MAX_ENDPOINT_CONCURRENCY
    #: Requests a second, in one worker process. None is no limit.
    rate: float | None = None
    #: One event after another, in the order they happened; a failing one holds up the rest.
    ordered: bool = False

    enabled: bool = True
    #: Why it was disabled, in words. Empty while it is enabled.
    disabled_reason: str = ""
    disabled_at: datetime | None = None
    secret: str = field(repr=False)
    old_secrets: tuple[OldSecret, ...] = ()
    health: EndpointHealth = HEALTHY
    created_at: datetime
    updated_at: datetime

    def wants(self, event_type: str, metadata: Mapping[str, str]) -> bool:
        """Whether it is told of this event, of a job with this metadata."""
        if event_type not in (self.events or DEFAULT_EVENTS):
            return False
        if event_type == ENDPOINT_DISABLED:
            return True
        return all(metadata.get(name) == value for name, value in self.metadata.items())

    def signing_secrets(self, now: datetime) -> Sequence[str]:
        """The secrets to sign with, the newest first."""
        return signing_secrets(self.secret, self.old_secrets, now)
