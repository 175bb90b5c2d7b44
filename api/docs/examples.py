"""
Jobs for the API's description: what an order looks like at each turn.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from generation import providers
from generation.contract.operation import Operation
from generation.contract.status import Asset, AssetType
from generation.job import Billed, Job, JobState, Result
from generation.lifecycle import request_cancel

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


_IMAGINE = providers.find("midjourney", "imagine", "midjourney.station")
assert _IMAGINE is not None
JOBS = ExampleJobs(_IMAGINE)
