"""
Jobs for the API's description: what an order looks like at each turn.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from generation.contract.operation import Operation
from generation.contract.status import Asset, AssetType
from generation.job import Billed, Job, JobState, Result
from generation.lifecycle import request_cancel
from generation.webhooks.delivery import AttemptRecord, Delivery
from generation.webhooks.endpoint import RegisteredEndpoint
from generation.webhooks.outcome import ErrorClass

JOB_ID = "job_01KG9Q2Z6M8T4V7X1Y3A5C7E9G"
BATCH_ID = "batch_01KG9Q2Z6M8T4V7X1Y3A5C7E9G"
BORN = datetime(2026, 1, 31, 12, 0, 0, tzinfo=UTC)


class ExampleJobs:
    """One job of this operation, as it may be met."""

    def __init__(self, operation: Operation[Any]) -> None:
        self.queued = Job(
            id=JOB_ID,
            tenant="example",
            api_key_id="example",
            provider=operation.provider,
            operation=operation.name,
            input=operation.example,
            metadata={"customer": "42"},
            created_at=BORN,
            updated_at=BORN,
            deadline=BORN + operation.pace.deadline,
        )
        self.of_batch = replace(self.queued, batch_id=BATCH_ID)
        running = replace(
            self.queued,
            state=JobState.RUNNING,
            attempts=1,
            billed=Billed.YES,
            station="relay",
            key="main",
            dialect=operation.dialect,
            upstream_id="8423597715",
            submitted_at=BORN + timedelta(seconds=1),
            started_at=BORN + timedelta(seconds=2),
        )
        self.canceling = request_cancel(running, BORN + timedelta(seconds=9))
        self.canceled = request_cancel(self.queued, BORN + timedelta(seconds=9))
        asset = Asset(type=AssetType.IMAGE, url="https://cdn.example.com/8423597715.png")
        finished = BORN + timedelta(seconds=321)
        self.succeeded = running.move(
            JobState.SUCCEEDED,
            finished,
            finished_at=finished,
            progress=100,
            result=Result(assets=(asset,)),
        )
        self.erased = replace(
            self.succeeded,
            input={},
            metadata={},
            result=None,
            erased_at=finished + timedelta(days=1),
        )


ENDPOINT_ID = "whe_01KG9Q2Z6M8T4V7X1Y3A5C7E9G"
DELIVERY_ID = "dlv_01KG9QCT8P2N6R0S4V7X9Z1B3D"
ENDPOINT = RegisteredEndpoint(
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
ATTEMPT = AttemptRecord(
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
