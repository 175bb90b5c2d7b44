"""Responses about webhook endpoints and deliveries."""

from datetime import datetime, timedelta
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from api.http.cursors import encode_cursor
from api.http.schemas import Document
from api.webhooks.examples import ATTEMPT, CREATED_AT, DELIVERY, ENDPOINT, SECRET, SIGNING_KEY
from generation.webhooks.delivery import DeliveryState
from generation.webhooks.documents import delivery_document, endpoint_document, stats_document
from generation.webhooks.outcome import ErrorClass


class WebhookEndpoint(Document):
    """A receiver of events of a tenant's jobs."""

    EXAMPLE: ClassVar[object] = endpoint_document(ENDPOINT)

    id: str
    object: Literal["webhook_endpoint"]
    url: str
    description: str
    events: list[str]
    metadata: dict[str, str] = Field(
        description="Only events of jobs whose `metadata` has all of these."
    )
    headers: dict[str, str] = Field(description="Values that look like secrets are `********`.")
    concurrency: int
    rate: float | None
    ordered: bool
    enabled: bool
    disabled_reason: str | None
    disabled_at: datetime | None
    failing_since: datetime | None = Field(
        description="Since when all requests fail. After five days it is disabled."
    )
    created_at: datetime
    updated_at: datetime


class NewWebhookEndpoint(WebhookEndpoint):
    """An endpoint with its secret, which is returned once, in this response."""

    EXAMPLE: ClassVar[object] = endpoint_document(ENDPOINT) | {"secret": SECRET}

    secret: str


class WebhookEndpointList(Document):
    """All endpoints, oldest first."""

    EXAMPLE: ClassVar[object] = {"data": [WebhookEndpoint.EXAMPLE]}

    data: list[WebhookEndpoint]


class WebhookEndpointStats(Document):
    """Counts of an endpoint's deliveries."""

    EXAMPLE: ClassVar[object] = stats_document(
        ENDPOINT,
        dict.fromkeys(DeliveryState, 0) | {DeliveryState.DELIVERED: 1200},
        None,
        CREATED_AT,
        CREATED_AT + timedelta(days=1),
    )

    object: Literal["webhook_endpoint_stats"]
    endpoint: str
    since: datetime
    queued: int
    delivered: int
    failed: int
    canceled: int
    success_rate: float | None = Field(description="Delivered, of those delivered or failed.")
    oldest_pending_at: datetime | None = Field(
        description="Creation time of the oldest pending delivery, whatever `since` is."
    )
    failing_since: datetime | None
    failing_percent: Annotated[int, Field(ge=0, le=100)] = Field(
        description="Share of the five days after which it is disabled. The log warns at 50, 70"
        " and 90."
    )


class WebhookDelivery(Document):
    """One event for one receiver."""

    EXAMPLE: ClassVar[object] = delivery_document(DELIVERY)

    id: str
    object: Literal["webhook_delivery"]
    event_id: str = Field(description="The `webhook-id` of its requests.")
    type: str
    job: str | None
    endpoint: str | None = Field(description="null for the job's own webhook.")
    url: str
    state: DeliveryState
    attempts: int
    next_attempt_at: datetime | None
    last_status: int | None
    last_error: str | None = Field(description="A class, a colon, and what to change.")
    created_at: datetime
    finished_at: datetime | None


class DeliveryAttempt(Document):
    """One request to the receiver and its outcome."""

    number: int
    started_at: datetime
    duration_ms: int
    status: int | None
    error: ErrorClass | None
    detail: str | None
    response: str = Field(description="The first 16 KiB of the response.")
    next_attempt_at: datetime | None


class WebhookDeliveryLog(WebhookDelivery):
    """A delivery with its payload and its attempts."""

    EXAMPLE: ClassVar[object] = delivery_document(DELIVERY, [ATTEMPT])

    payload: str = Field(description="The signed body, byte for byte.")
    log: list[DeliveryAttempt]


class WebhookDeliveryPage(Document):
    """One page of deliveries, newest first."""

    EXAMPLE: ClassVar[object] = {
        "data": [WebhookDelivery.EXAMPLE],
        "next_cursor": encode_cursor(DELIVERY.id),
        "has_more": True,
    }

    data: list[WebhookDelivery]
    next_cursor: str | None = Field(description="The `cursor` of the next page.")
    has_more: bool


class Queued(Document):
    """Number of deliveries queued."""

    EXAMPLE: ClassVar[object] = {"queued": 42, "more": False}

    queued: int
    more: bool = Field(description="There may be more: repeat the request.")


class Withdrawn(Document):
    """Number of deliveries canceled."""

    EXAMPLE: ClassVar[object] = {"canceled": 17, "more": False}

    canceled: int
    more: bool = Field(description="There may be more: repeat the request.")


class WebhookKey(Document):
    """An Ed25519 key as a JSON Web Key (RFC 8037) and in the form of webhook libraries."""

    kid: str
    kty: Literal["OKP"]
    crv: Literal["Ed25519"]
    alg: Literal["EdDSA"]
    use: Literal["sig"]
    x: str
    webhook_key: str = Field(description="`whpk_` and base64.")


class WebhookKeys(Document):
    """The public keys."""

    EXAMPLE: ClassVar[object] = {"keys": [SIGNING_KEY.document()]}

    keys: list[WebhookKey]
