"""Responses with jobs and batches."""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from api.http.schemas import Document, ProblemEntry
from api.jobs.examples import BATCH_ID, EXPLANATION, JOB_ID, JOBS
from generation.contract.errors import ErrorCode
from generation.contract.status import AssetType
from generation.job import Billed, JobState
from generation.job_document import job_document
from generation.webhooks.delivery import DeliveryState


class Asset(Document):
    """One finished file."""

    type: AssetType
    url: str
    role: str = Field(description="Its part in the job: `result`, `grid`, `cover` …")
    upstream_id: str | None = Field(description="The upstream's id of the file.")
    duration: float | None = Field(description="Play time in seconds.")
    width: int | None
    height: int | None
    title: str | None
    expires_at: datetime | None = Field(description="When the URL stops working, if known.")


class UpstreamError(Document):
    """The upstream's own status and code."""

    status: int | None
    code: str | None


class JobError(Document):
    """Why a job ended without a result."""

    code: ErrorCode
    message: str = Field(description="The upstream's own message, if it sent one.")
    retryable: bool = Field(description="Whether an equal job may succeed later.")
    billed: Billed
    upstream: UpstreamError | None


class UpstreamTask(Document):
    """Where the job was submitted."""

    station: str | None
    key: str | None = Field(description="The name of the station's key, not the key.")
    dialect: str | None
    id: str | None


class JobWebhook(Document):
    """The receiver of the job's events."""

    url: str
    events: list[str]


class JobUrls(Document):
    """URLs of the job."""

    self: str
    cancel: str
    events: str
    stream: str


class Job(Document):
    """A job."""

    EXAMPLE: ClassVar[object] = job_document(JOBS.succeeded)

    id: str
    object: Literal["job"]
    provider: str
    operation: str
    state: JobState
    reason: str | None = Field(description="Why it waits.")
    position: int | None = Field(
        description="Its position in the queue of a station's key; 1 is next. Only in the response"
        " of one job, and an estimate: tenants take turns."
    )
    progress: Annotated[int, Field(ge=0, le=100)] | None
    priority: int
    input: dict[str, Any] = Field(description="As submitted; very long strings are cut.")
    metadata: dict[str, str]
    assets: list[Asset]
    texts: list[str]
    actions: list[str] = Field(description="Follow-ups the upstream offers.")
    details: dict[str, Any]
    error: JobError | None
    billed: Billed = Field(description="Whether the upstream charged for it, as far as is known.")
    attempts: int = Field(description="Number of submits to an upstream.")
    parent: str | None = Field(description="The finished job this one follows.")
    client_id: str | None = Field(description="Your own name for it, if it was `PUT`.")
    batch: str | None = Field(description="The batch it was submitted in.")
    canceling: bool = Field(description="A cancel was requested and is not finished.")
    expired_before_start: bool = Field(
        description="Its deadline passed before it was submitted to an upstream."
    )
    upstream: UpstreamTask
    webhook: JobWebhook | None
    created_at: datetime
    updated_at: datetime
    submitted_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    deadline: datetime
    erased_at: datetime | None = Field(
        description="When its content was erased; its billing is kept."
    )
    urls: JobUrls


class JobPage(Document):
    """Jobs, newest first."""

    EXAMPLE: ClassVar[object] = {
        "data": [job_document(JOBS.succeeded)],
        "next_cursor": "YmpvYl8wMUtHOVEyWjZNOFQ0VjdYMVkzQTVDN0U5Rw",
        "prev_cursor": None,
        "has_more": True,
    }

    data: list[Job]
    next_cursor: str | None = Field(description="The `cursor` of the page with older jobs.")
    prev_cursor: str | None = Field(description="The `cursor` of the page with newer jobs.")
    has_more: bool = Field(description="Whether there are older jobs.")


class BatchUrls(Document):
    """URLs of the batch."""

    self: str
    cancel: str
    jobs: str


_BATCH: dict[str, Any] = {
    "id": BATCH_ID,
    "object": "batch",
    "total": 1,
    "counts": {"queued": 1},
    "done": False,
    "created_at": "2026-01-31T12:00:00.000Z",
    "urls": {
        "self": f"/v1/batches/{BATCH_ID}",
        "cancel": f"/v1/batches/{BATCH_ID}/cancel",
        "jobs": f"/v1/jobs?batch={BATCH_ID}",
    },
}


class Batch(Document):
    """Jobs that were submitted together."""

    EXAMPLE: ClassVar[object] = _BATCH
    CANCELED: ClassVar[object] = _BATCH | {"counts": {"canceled": 1}, "done": True}

    id: str
    object: Literal["batch"]
    total: int
    counts: dict[JobState, int] = Field(description="Number of its jobs by state.")
    done: bool = Field(description="Whether all of them have ended.")
    created_at: datetime
    urls: BatchUrls


class Rejection(Document):
    """A job of a batch that was not accepted."""

    index: int = Field(description="Its index in `jobs` of the request, from 0.")
    code: str
    status: int
    title: str
    detail: str
    errors: list["ProblemEntry"] | None = None


class SubmittedBatch(Batch):
    """The batch and its jobs, which are stored."""

    EXAMPLE: ClassVar[object] = _BATCH | {
        "jobs": [job_document(JOBS.of_batch)],
        "rejected": [
            {
                "index": 1,
                "code": "invalid_request",
                "status": 422,
                "title": "The order cannot be used as written",
                "detail": "#/input/prompt: is required",
                "errors": [
                    {"pointer": "#/input/prompt", "detail": "is required", "code": "required"}
                ],
            }
        ],
    }

    jobs: list[Job] = Field(description="In the order of the request.")
    rejected: list[Rejection]


class Reply(Document):
    """An upstream's reply."""

    EXAMPLE: ClassVar[object] = {
        "object": "reply",
        "job": JOB_ID,
        "reply": 'HTTP 200\n{"code":1}',
    }

    object: Literal["reply"]
    job: str
    reply: str | None = Field(description="Its HTTP status and its body, cut.")


class ExplainedMove(Document):
    """One change of the job."""

    sequence: int
    at: datetime
    event: str
    event_id: str
    state: str | None
    words: str
    reason: str | None = Field(description="The cause that was recorded then.")
    attempt: int | None = Field(description="Number of the submit it belongs to, from 1.")
    station: str | None
    key: str | None


class ExplainedAttempt(Document):
    """One submit."""

    number: int
    at: datetime
    station: str | None
    key: str | None
    led_to: str | None = Field(description="The state that followed; null if not known yet.")
    reason: str | None


class Expectation(Document):
    """A future step."""

    what: str
    at: datetime | None = Field(description="null if it depends on others.")


class ExplainedBill(Document):
    """Whether the job was billed."""

    billed: Billed
    words: str


class ExplainedUpstream(Document):
    """The upstream task."""

    station: str | None
    key: str | None = Field(description="The name of the station's key, not the key.")
    dialect: str | None
    id: str | None
    words: str | None = Field(description="Its reply when the job last changed.")


class ExplainedTry(Document):
    """One attempt of a delivery."""

    number: int
    at: datetime
    status: int | None
    detail: str | None


class ExplainedDelivery(Document):
    """One event that is delivered to a webhook."""

    id: str
    event: str
    event_id: str
    url: str
    state: DeliveryState
    words: str
    attempts: int
    last_status: int | None
    last_error: str | None
    next_attempt_at: datetime | None
    created_at: datetime
    finished_at: datetime | None
    tries: list[ExplainedTry]


class Explanation(Document):
    """The history of a job."""

    EXAMPLE: ClassVar[object] = EXPLANATION

    object: Literal["explanation"]
    job: str
    type: str
    state: JobState
    summary: str = Field(description="The current state, in one sentence.")
    waits_because: str | None
    next: list[Expectation] = Field(description="Future steps, the next one first.")
    billed: ExplainedBill
    story: list[ExplainedMove] = Field(description="Every change with its time and cause.")
    attempts: list[ExplainedAttempt]
    upstream: ExplainedUpstream
    deliveries: list[ExplainedDelivery]
    deadline: datetime
