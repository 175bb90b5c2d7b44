"""The record of one job from which its explanation is made."""

from dataclasses import dataclass
from datetime import datetime

from generation.job import Job
from generation.webhooks.delivery import DeliveryState


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedMove:
    """One event of the job, without its payload."""

    id: str
    sequence: int
    type: str
    state: str | None
    #: The recorded cause; may be empty.
    reason: str
    #: The station and key to which the job was bound at that time.
    station: str | None
    key: str | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptSummary:
    """One delivery attempt."""

    number: int
    at: datetime
    status: int | None
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverySummary:
    """One webhook delivery: an event for one receiver."""

    id: str
    event_id: str
    event_type: str
    url: str
    state: DeliveryState
    attempts: int
    last_status: int | None
    last_error: str
    wake_at: datetime | None
    created_at: datetime
    finished_at: datetime | None
    attempt_log: tuple[AttemptSummary, ...] = ()


@dataclass(frozen=True, slots=True)
class JobHistory:
    """A job, its events in order, and its deliveries, oldest first."""

    job: Job
    moves: tuple[RecordedMove, ...]
    deliveries: tuple[DeliverySummary, ...]
