"""
The answer of `/v1/jobs/{id}/explain` as models.
"""

from datetime import datetime
from typing import Literal

from pydantic import Field

from api.http.schemas import Document
from generation.job import Billed, JobState
from generation.webhooks.delivery import DeliveryState


class ExplainedMove(Document):
    """One thing that happened to a job."""

    sequence: int
    at: datetime
    event: str
    event_id: str
    state: str | None
    words: str
    reason: str | None = Field(description="What caused it, as it was written down then.")
    attempt: int | None = Field(description="The submit it belongs to: the first, the second …")
    station: str | None
    key: str | None


class ExplainedAttempt(Document):
    """One submit that was sent."""

    number: int
    at: datetime
    station: str | None
    key: str | None
    led_to: str | None = Field(description="The state the job came to by it; null: not known yet.")
    reason: str | None


class Expectation(Document):
    what: str
    at: datetime | None = Field(description="null where it depends on somebody else.")


class ExplainedBill(Document):
    billed: Billed
    words: str


class ExplainedUpstream(Document):
    station: str | None
    key: str | None = Field(description="The name of the station's key, not the key.")
    dialect: str | None
    id: str | None
    words: str | None = Field(description="What it literally said when the job last changed.")


class ExplainedTry(Document):
    number: int
    at: datetime
    status: int | None
    detail: str | None


class ExplainedDelivery(Document):
    """One event on its way to a webhook."""

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
    """A job's whole story."""

    object: Literal["explanation"]
    job: str
    type: str
    state: JobState
    summary: str = Field(description="Where it stands, in one sentence.")
    waits_because: str | None
    next: list[Expectation] = Field(description="What happens next, the soonest first.")
    billed: ExplainedBill
    story: list[ExplainedMove] = Field(description="Each move with its time and cause.")
    attempts: list[ExplainedAttempt]
    upstream: ExplainedUpstream
    deliveries: list[ExplainedDelivery]
    deadline: datetime
