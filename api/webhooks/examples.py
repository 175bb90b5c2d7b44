"""An endpoint and a delivery, for the OpenAPI document."""

from datetime import UTC, datetime, timedelta

from generation.webhooks.asymmetric import SigningKey
from generation.webhooks.delivery import AttemptRecord, Delivery
from generation.webhooks.endpoint import RegisteredEndpoint
from generation.webhooks.outcome import ErrorClass

CREATED_AT = datetime(2026, 1, 31, 12, 0, 0, tzinfo=UTC)
ENDPOINT_ID = "whe_01KG9Q2Z6M8T4V7X1Y3A5C7E9G"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SIGNING_KEY = SigningKey("whsk_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
ENDPOINT = RegisteredEndpoint(
    id=ENDPOINT_ID,
    tenant="example",
    url="https://hooks.example.com/genq",
    description="production",
    metadata={"customer": "42"},
    headers={"X-Tenant": "acme", "Authorization": "Basic Zm9v"},
    rate=50,
    secret=SECRET,
    created_at=CREATED_AT,
    updated_at=CREATED_AT,
)
DELIVERY = Delivery(
    id="dlv_01KG9QCT8P2N6R0S4V7X9Z1B3D",
    event_id="evt_01KG9QCT8P2N6R0S4V7X9Z1B3D",
    event_type="job.succeeded",
    job_id="job_01KG9Q2Z6M8T4V7X1Y3A5C7E9G",
    tenant="example",
    endpoint_id=ENDPOINT_ID,
    url=ENDPOINT.url,
    lane=ENDPOINT_ID,
    body=b'{"type":"job.succeeded","timestamp":"2026-01-31T12:05:21.000Z"}',
    attempts=1,
    wake_at=CREATED_AT + timedelta(seconds=327),
    last_status=503,
    last_error="status: answered 503",
    created_at=CREATED_AT + timedelta(seconds=321),
)
ATTEMPT = AttemptRecord(
    delivery_id=DELIVERY.id,
    number=1,
    started_at=DELIVERY.created_at,
    duration=timedelta(milliseconds=120),
    status=503,
    error=ErrorClass.STATUS,
    detail="answered 503",
    response="try later",
    next_attempt_at=DELIVERY.wake_at,
)
