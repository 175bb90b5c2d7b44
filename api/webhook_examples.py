"""
An endpoint and a delivery for the API's description.
"""

from datetime import timedelta

from api.examples import BORN, JOB_ID
from generation.webhooks.delivery import Attempt, Delivery
from generation.webhooks.endpoint import Endpoint
from generation.webhooks.outcome import ErrorClass

ENDPOINT_ID = "whe_01KG9Q2Z6M8T4V7X1Y3A5C7E9G"
DELIVERY_ID = "dlv_01KG9QCT8P2N6R0S4V7X9Z1B3D"
ENDPOINT = Endpoint(
    id=ENDPOINT_ID,
    tenant="example",
    url="https://hooks.example.com/genq",
    description="production",
    metadata={"customer": "42"},
    headers={"X-Tenant": "acme", "Authorization": "Basic Zm9v"},
    rate=50,
    secret="whsec_",
    created_at=BORN,
    updated_at=BORN,
)
DELIVERY = Delivery(
    id=DELIVERY_ID,
    event_id="evt_01KG9QCT8P2N6R0S4V7X9Z1B3D",
    event_type="job.succeeded",
    job_id=JOB_ID,
    tenant="example",
    endpoint_id=ENDPOINT_ID,
    url=ENDPOINT.url,
    lane=ENDPOINT_ID,
    body=b'{"type":"job.succeeded","timestamp":"2026-01-31T12:05:21.000Z"}',
    attempts=1,
    wake_at=BORN + timedelta(seconds=327),
    last_status=503,
    last_error="status: answered 503",
    created_at=BORN + timedelta(seconds=321),
)
ATTEMPT = Attempt(
    delivery_id=DELIVERY_ID,
    number=1,
    started_at=BORN + timedelta(seconds=321),
    duration=timedelta(milliseconds=120),
    status=503,
    error=ErrorClass.STATUS,
    detail="answered 503",
    response="try later",
    next_attempt_at=DELIVERY.wake_at,
)
