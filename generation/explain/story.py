"""
What is on record of one job: all that its explanation is made of.
"""

from dataclasses import dataclass
from datetime import datetime

from generation.job import Job
from generation.webhooks.delivery import DeliveryState


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One event of the job, without its payload."""

    id: str
    sequence: int
    type: str
    state: str | None
    #: What caused it, as it was written down; may be empty.
    reason: str
    #: Where the job stood then, as far as it was bound.
    station: str | None
    key: str | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """One attempt to deliver."""

    number: int
    at: datetime
    status: int | None
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """One delivery: an event on its way to somebody."""

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
    tries: tuple[Try, ...] = ()


@dataclass(frozen=True, slots=True)
class Story:
    """A job, its events by their numbers, its deliveries oldest first."""

    job: Job
    moves: tuple[Move, ...]
    tellings: tuple[Telling, ...]
