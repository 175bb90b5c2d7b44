"""
A delivery: one event on its way to one receiver, and what is decided after each attempt.

The row is immutable here. Saving, claiming and `version` are the store's business.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from generation.webhooks.outcome import DeliveryOutcome, ErrorClass
from generation.webhooks.schedule import SCHEDULE, delay_before_next

#: Events that are worth nothing a moment later: told once, never again.
FLEETING = frozenset({"job.progress"})


class DeliveryState(StrEnum):
    """Where a delivery stands. A crash during an attempt leaves it `queued`: it is sent again."""

    #: To be sent, for the first time or again, at `wake_at`.
    QUEUED = "queued"
    #: The receiver answered 2xx.
    DELIVERED = "delivered"
    #: Given up: the last attempt of the schedule failed, or the receiver is gone.
    FAILED = "failed"
    #: Withdrawn before it arrived: by its owner, at the receiver's request, or with its endpoint.
    CANCELED = "canceled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One event for one receiver. Times are UTC."""

    #: `dlv_…`, our row. Begins with its time of birth, so the order of ids is that of creation.
    id: str
    #: `evt_…`, the same over all attempts and replays, so that a receiver can drop repeats.
    event_id: str
    event_type: str
    #: None for events of endpoints.
    job_id: str | None
    tenant: str
    #: The API key whose webhook secrets sign it. None where an endpoint's do.
    api_key_id: str | None = None
    #: The registered endpoint it goes to. None for the webhook of one job.
    endpoint_id: str | None = None
    url: str
    #: Whose requests wait for each other: the endpoint's id, or the `host:port` of a job's webhook.
    lane: str
    #: What is sent and signed, byte for byte.
    body: bytes = field(repr=False)

    state: DeliveryState = DeliveryState.QUEUED
    #: Requests made, whatever became of them.
    attempts: int = 0
    #: Those since it was last queued by hand: its place in the schedule.
    tries: int = 0
    #: Rises with every claim and every save; a save that names an older one is dropped.
    version: int = 0
    #: When to send it. None once there is nothing left to do.
    wake_at: datetime | None = None
    #: Due, and waiting for its lane to have room.
    aside: bool = False

    #: HTTP status of the latest attempt. None if no answer came.
    last_status: int | None = None
    #: An `ErrorClass`, a colon, and what to change in words. Empty after a success.
    last_error: str = ""

    created_at: datetime
    finished_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRecord:
    """One request really made, and what came of it."""

    delivery_id: str
    #: 1, 2, 3 … within the delivery; the request's `webhook-attempt`.
    number: int
    started_at: datetime
    duration: timedelta
    status: int | None = None
    error: ErrorClass | None = None
    #: What to change, in words. Empty after a success.
    detail: str = ""
    #: The head of the answer, at most 16 KiB of it, without NUL.
    response: str = field(default="", repr=False)
    #: None where it was the last.
    next_attempt_at: datetime | None = None


def after_attempt(
    delivery: Delivery,
    outcome: DeliveryOutcome,
    now: datetime,
    jitter: float,
    schedule: Sequence[timedelta] = SCHEDULE,
) -> Delivery:
    """
    The delivery after an attempt that ended at `now`. `jitter` is a random number in [0, 1).

    Raises `ValueError` for a delivery that is not queued, which nobody had a reason to send.
    """
    if delivery.state is not DeliveryState.QUEUED:
        raise ValueError(f"{delivery.id} is {delivery.state}; queue it again before sending it")
    tried = replace(
        delivery,
        attempts=delivery.attempts + 1,
        tries=delivery.tries + 1,
        last_status=outcome.status,
        last_error=outcome.error_line,
    )
    if ending := _ending(outcome):
        return finished(tried, ending, now)
    if delivery.event_type in FLEETING:
        return finished(tried, DeliveryState.FAILED, now)
    delay = delay_before_next(tried.tries, outcome, now, jitter, schedule)
    if delay is None:
        return finished(tried, DeliveryState.FAILED, now)
    return replace(tried, wake_at=now + delay)


def attempt_record(
    before: Delivery, after: Delivery, outcome: DeliveryOutcome, started: datetime
) -> AttemptRecord:
    """The log's entry for what `after_attempt` made of an outcome."""
    return AttemptRecord(
        delivery_id=before.id,
        number=after.attempts,
        started_at=started,
        duration=outcome.duration,
        status=outcome.status,
        error=outcome.error_class,
        detail=outcome.words,
        response=outcome.excerpt,
        next_attempt_at=after.wake_at,
    )


def requeued_delivery(delivery: Delivery, now: datetime) -> Delivery:
    """To be sent at once under its old event id, with the whole schedule before it again."""
    return replace(
        delivery,
        state=DeliveryState.QUEUED,
        tries=0,
        wake_at=now,
        aside=False,
        finished_at=None,
    )


def finished(
    delivery: Delivery, state: DeliveryState, now: datetime, why: str | None = None
) -> Delivery:
    """The delivery at its end; `why` replaces `last_error`."""
    return replace(
        delivery,
        state=state,
        wake_at=None,
        aside=False,
        finished_at=now,
        last_error=delivery.last_error if why is None else why,
    )


def _ending(outcome: DeliveryOutcome) -> DeliveryState | None:
    """The state that this outcome alone decides; None if the schedule decides."""
    match outcome.error_class:
        case None:
            return DeliveryState.DELIVERED
        case ErrorClass.GONE:
            return DeliveryState.FAILED
        case ErrorClass.DISABLED | ErrorClass.ABORTED:
            return DeliveryState.CANCELED
        case _:
            return None
