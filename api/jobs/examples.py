"""Example jobs for the OpenAPI document, one for each state that it shows."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from generation import providers
from generation.contract.operation import Operation
from generation.contract.status import Asset, AssetType
from generation.explain import (
    AttemptSummary,
    DeliverySummary,
    JobHistory,
    RecordedMove,
    explanation_document,
)
from generation.job import Billed, DoubtResolution, Job, JobState, Result
from generation.lifecycle import request_cancel
from generation.lifecycle.manual_resolution import not_created
from generation.webhooks.delivery import DeliveryState

JOB_ID = "job_01KG9Q2Z6M8T4V7X1Y3A5C7E9G"
BATCH_ID = "batch_01KG9Q2Z6M8T4V7X1Y3A5C7E9G"
CREATED_AT = datetime(2026, 1, 31, 12, 0, 0, tzinfo=UTC)


class ExampleJobs:
    """One job of an operation, in several states."""

    def __init__(self, operation: Operation[Any]) -> None:
        self.queued = Job(
            id=JOB_ID,
            tenant="example",
            api_key_id="example",
            provider=operation.provider,
            operation=operation.name,
            input=operation.example,
            metadata={"customer": "42"},
            created_at=CREATED_AT,
            updated_at=CREATED_AT,
            deadline=CREATED_AT + operation.pace.deadline,
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
            submitted_at=CREATED_AT + timedelta(seconds=1),
            started_at=CREATED_AT + timedelta(seconds=2),
        )
        self.canceling = request_cancel(running, CREATED_AT + timedelta(seconds=9))
        self.canceled = request_cancel(self.queued, CREATED_AT + timedelta(seconds=9))
        asset = Asset(type=AssetType.IMAGE, url="https://cdn.example.com/8423597715.png")
        finished = CREATED_AT + timedelta(seconds=321)
        self.succeeded = running.move(
            JobState.SUCCEEDED,
            finished,
            finished_at=finished,
            progress=100,
            result=Result(assets=(asset,)),
        )
        self.running = running
        in_doubt = replace(
            running,
            state=JobState.IN_DOUBT,
            upstream_id=None,
            started_at=None,
            billed=Billed.UNKNOWN,
        )
        self.resolving = not_created(
            in_doubt, DoubtResolution.REQUEUE, CREATED_AT + timedelta(minutes=9)
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


def explanation(job: Job) -> dict[str, Any]:
    """Return the explanation of a job whose first delivery failed."""
    finished = job.finished_at or CREATED_AT
    moves = (
        move(1, "job.queued", JobState.QUEUED, CREATED_AT, bound=False),
        move(2, "job.submitting", JobState.SUBMITTING, CREATED_AT + timedelta(seconds=1)),
        move(3, "job.started", JobState.RUNNING, CREATED_AT + timedelta(seconds=2)),
        move(4, "job.succeeded", JobState.SUCCEEDED, finished),
    )
    delivery = DeliverySummary(
        id="dlv_01KG9Q2Z6M8T4V7X1Y3A5C7E9G",
        event_id=moves[-1].id,
        event_type="job.succeeded",
        url="https://hooks.example.com/genq",
        state=DeliveryState.QUEUED,
        attempts=1,
        last_status=500,
        last_error="status: answered 500",
        wake_at=finished + timedelta(seconds=5),
        created_at=finished,
        finished_at=None,
        attempt_log=(AttemptSummary(number=1, at=finished, status=500, detail="answered 500"),),
    )
    return explanation_document(JobHistory(job, moves, (delivery,)), finished)


def move(
    number: int, event: str, state: JobState, at: datetime, *, bound: bool = True
) -> RecordedMove:
    return RecordedMove(
        id=f"evt_01KG9Q2Z6M8T4V7X1Y3A5C7E9{number}",
        sequence=number,
        type=event,
        state=state,
        reason="",
        station="relay" if bound else None,
        key="main" if bound else None,
        at=at,
    )


EXPLANATION = explanation(JOBS.succeeded)
