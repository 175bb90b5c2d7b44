"""
The answers about webhook endpoints and deliveries as models.
"""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from api.http.schemas import Document
from generation.webhooks.delivery import DeliveryState
from generation.webhooks.outcome import ErrorClass


class WebhookEndpoint(Document):
    """Where a tenant is told of its jobs."""

    id: str
    object: Literal["webhook_endpoint"]
    url: str
    description: str
    events: list[str]
    metadata: dict[str, str] = Field(description="Only of jobs whose `metadata` has all of these.")
    headers: dict[str, str] = Field(description="What looks like a secret is `********`.")
    concurrency: int
    rate: float | None
    ordered: bool
    enabled: bool
    disabled_reason: str | None
    disabled_at: datetime | None
    failing_since: datetime | None = Field(
        description="When the clock of five days began, after which it is disabled."
    )
    created_at: datetime
    updated_at: datetime


class NewWebhookEndpoint(WebhookEndpoint):
    """An endpoint with its secret, which is shown this once."""

    secret: str


class WebhookEndpointList(Document):
    """Endpoints, oldest first."""

    data: list[WebhookEndpoint]


class WebhookEndpointStats(Document):
    """How an endpoint fares."""

    object: Literal["webhook_endpoint_stats"]
    endpoint: str
    since: datetime
    queued: int
    delivered: int
    failed: int
    canceled: int
    success_rate: float | None = Field(
        description="Delivered, of those that were delivered or given up."
    )
    oldest_pending_at: datetime | None = Field(
        description="Of all that is still to be sent, however old."
    )
    failing_since: datetime | None
    failing_percent: Annotated[int, Field(ge=0, le=100)] = Field(
        description="How far it is on the way to being disabled; at 50, 70 and 90 the log warns."
    )


class WebhookDelivery(Document):
    """One event on its way to one receiver."""

    id: str
    object: Literal["webhook_delivery"]
    event_id: str = Field(description="The request's `webhook-id`.")
    type: str
    job: str | None
    endpoint: str | None = Field(description="null for the webhook of the job itself.")
    url: str
    state: DeliveryState
    attempts: int
    next_attempt_at: datetime | None
    last_status: int | None
    last_error: str | None = Field(description="A class, a colon, and what to change.")
    created_at: datetime
    finished_at: datetime | None


class DeliveryAttempt(Document):
    """One request, and what came of it."""

    number: int
    started_at: datetime
    duration_ms: int
    status: int | None
    error: ErrorClass | None
    detail: str | None
    response: str = Field(description="The head of the answer, at most 16 KiB.")
    next_attempt_at: datetime | None


class WebhookDeliveryLog(WebhookDelivery):
    """A delivery with its payload and its attempts."""

    payload: str = Field(description="What is signed and sent, byte for byte.")
    log: list[DeliveryAttempt]


class WebhookDeliveryPage(Document):
    """Deliveries, newest first."""

    data: list[WebhookDelivery]
    next_cursor: str | None = Field(description="Give it back as `cursor` for the next page.")
    has_more: bool


class Queued(Document):
    queued: int
    more: bool = Field(description="There may be more: ask again.")


class Withdrawn(Document):
    canceled: int
    more: bool = Field(description="There may be more: ask again.")


class WebhookKey(Document):
    """An Ed25519 key as a JSON Web Key (RFC 8037), and as webhook libraries want it."""

    kid: str
    kty: Literal["OKP"]
    crv: Literal["Ed25519"]
    alg: Literal["EdDSA"]
    use: Literal["sig"]
    x: str
    webhook_key: str = Field(description="`whpk_` and base64.")


class WebhookKeys(Document):
    keys: list[WebhookKey]
