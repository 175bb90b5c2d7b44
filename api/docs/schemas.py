"""
The answers of the API as models: for its description, and for the tests that hold it to that.

Answers are written by `generation.job_document` and by the endpoints; nothing is validated on the
way out.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from api.http.schemas import Document, Problem, ProblemEntry
from api.jobs.explanation_schemas import Explanation
from generation.contract.errors import ErrorCode
from generation.contract.status import AssetType
from generation.job import Billed, JobState


class Asset(Document):
    """One finished file."""

    type: AssetType
    url: str
    role: str = Field(description="What it is among the job's files: `result`, `grid`, `cover` …")
    upstream_id: str | None = Field(description="The upstream's id of the file.")
    duration: float | None = Field(description="Play time in seconds.")
    width: int | None
    height: int | None
    title: str | None
    expires_at: datetime | None = Field(description="When the URL stops working, where known.")


class UpstreamError(Document):
    status: int | None
    code: str | None


class JobError(Document):
    """Why a job ended without a result."""

    code: ErrorCode
    message: str = Field(description="In the upstream's own words where there are any.")
    retryable: bool = Field(description="Whether the same order may succeed later.")
    billed: Billed
    upstream: UpstreamError | None


class UpstreamTask(Document):
    """Where the job was bought."""

    station: str | None
    key: str | None = Field(description="The name of the station's key, not the key.")
    dialect: str | None
    id: str | None


class JobWebhook(Document):
    url: str
    events: list[str]


class JobUrls(Document):
    self: str
    cancel: str
    events: str
    stream: str


class Job(Document):
    """An order and what came of it."""

    id: str
    object: Literal["job"]
    provider: str
    operation: str
    state: JobState
    reason: str | None = Field(description="Why it waits, in words.")
    position: int | None = Field(
        description="Its place in line while it waits for a station's key, 1 being next. Only where"
        " one job is looked at, and an estimate: tenants take turns."
    )
    progress: Annotated[int, Field(ge=0, le=100)] | None
    priority: int
    input: dict[str, Any] = Field(description="As ordered; very long strings are cut.")
    metadata: dict[str, str]
    assets: list[Asset]
    texts: list[str]
    actions: list[str] = Field(description="Follow-ups the upstream offers.")
    details: dict[str, Any]
    error: JobError | None
    billed: Billed = Field(description="Whether the upstream charged for it, as far as is known.")
    attempts: int = Field(description="How often it was sent upstream.")
    parent: str | None = Field(description="The finished job this one follows.")
    client_id: str | None = Field(description="Your own name for it, where it was `PUT`.")
    batch: str | None = Field(description="The batch it was ordered in.")
    canceling: bool = Field(description="A cancel was asked for and has not come through yet.")
    expired_before_start: bool = Field(
        description="Its deadline passed before anything was sent upstream."
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
        description="When its content was erased; what it cost is kept."
    )
    urls: JobUrls


class JobPage(Document):
    """Jobs, newest first."""

    data: list[Job]
    next_cursor: str | None = Field(description="Give it back as `cursor` for older jobs.")
    prev_cursor: str | None = Field(description="Give it back as `cursor` for newer jobs.")
    has_more: bool = Field(description="Whether there are older jobs.")


class BatchUrls(Document):
    self: str
    cancel: str
    jobs: str


class Batch(Document):
    """Jobs that were ordered together."""

    id: str
    object: Literal["batch"]
    total: int
    counts: dict[JobState, int] = Field(
        description="How many of its jobs are in each state that any of them is in."
    )
    done: bool = Field(description="Whether all of them have ended.")
    created_at: datetime
    urls: BatchUrls


class Rejection(Document):
    """An order of a batch that was not taken."""

    index: int = Field(description="Its place in `jobs` as sent, from 0.")
    code: str
    status: int
    title: str
    detail: str
    errors: list["ProblemEntry"] | None = None


class PlacedBatch(Batch):
    """A batch as it was taken."""

    jobs: list[Job] = Field(description="In the order of their orders.")
    rejected: list[Rejection]


class Reply(Document):
    """What an upstream literally said."""

    object: Literal["reply"]
    job: str
    reply: str | None = Field(description="Its HTTP status and its body, cut.")


#: Every model an answer may be described by.
MODELS: tuple[type[Document], ...] = (
    Job,
    JobPage,
    Batch,
    PlacedBatch,
    Reply,
    Explanation,
    Problem,
)
