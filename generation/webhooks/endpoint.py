"""Registered webhook endpoints: which events a tenant wants, where, and how they are sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from generation.events import ENDINGS
from generation.webhooks.health import HEALTHY, EndpointHealth
from generation.webhooks.secrets import OldSecret, signing_secrets

ENDPOINT_TEST = "endpoint.test"
ENDPOINT_DISABLED = "endpoint.disabled"
#: The events of an endpoint that names none.
DEFAULT_EVENTS = (*ENDINGS, ENDPOINT_DISABLED)

#: Concurrent requests to one endpoint, from one worker process.
MAX_ENDPOINT_CONCURRENCY = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredEndpoint:
    """A tenant's webhook endpoint. Times are UTC."""

    #: `whe_…`.
    id: str
    tenant: str
    url: str
    description: str = ""
    #: Empty means `DEFAULT_EVENTS`.
    events: tuple[str, ...] = ()
    #: Only events of jobs whose metadata has all of these. `endpoint.disabled` always matches.
    metadata: Mapping[str, str] = field(default_factory=dict[str, str])
    #: Sent with every request. The values may be secret.
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    #: Concurrent requests, from one worker process.
    concurrency: int = MAX_ENDPOINT_CONCURRENCY
    #: Requests per second, from one worker process. None is no limit.
    rate: float | None = None
    #: Events are sent one after another, in order; a failing one holds up the rest.
    ordered: bool = False

    enabled: bool = True
    #: Why it was disabled, as a sentence. Empty while it is enabled.
    disabled_reason: str = ""
    disabled_at: datetime | None = None
    secret: str = field(repr=False)
    old_secrets: tuple[OldSecret, ...] = ()
    health: EndpointHealth = HEALTHY
    created_at: datetime
    updated_at: datetime

    def wants(self, event_type: str, metadata: Mapping[str, str]) -> bool:
        """Return whether this event, of a job with this metadata, is sent to the endpoint."""
        if event_type not in (self.events or DEFAULT_EVENTS):
            return False
        if event_type == ENDPOINT_DISABLED:
            return True
        return all(metadata.get(name) == value for name, value in self.metadata.items())

    def signing_secrets(self, now: datetime) -> Sequence[str]:
        """Return the secrets to sign with, the newest first."""
        return signing_secrets(self.secret, self.old_secrets, now)
