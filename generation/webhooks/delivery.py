"""A delivery of one event to one receiver, and the decision after each attempt.

Deliveries are immutable. The store saves and claims them, and counts `version`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from generation.webhooks.outcome import DeliveryOutcome, ErrorClass
from generation.webhooks.schedule import SCHEDULE, delay_before_next

#: Events that are sent at most once, because they are outdated a moment later.
SENT_ONCE = frozenset({"job.progress"})


class DeliveryState(StrEnum):
    """The state of a delivery. A crash during an attempt leaves it `queued`: it is sent again."""

    #: Will be sent, for the first time or again, at `wake_at`.
    QUEUED = "queued"
    #: The receiver answered 2xx.
    DELIVERED = "delivered"
    #: The last attempt of the schedule failed, or the receiver answered 410.
    FAILED = "failed"
    #: Canceled by its owner, at the receiver's request, or together with its endpoint.
    CANCELED = "canceled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One event for one receiver. Times are UTC."""

    #: `dlv_…`. Begins with the time of creation, so ids sort by it.
    id: str
    #: `evt_…`, the same in all attempts and replays, so that a receiver can drop duplicates.
    event_id: str
    event_type: str
    #: None for events of endpoints.
    job_id: str | None
    tenant: str
    #: The API key whose webhook secrets sign it. None if an endpoint's secrets do.
    api_key_id: str | None = None
    #: The registered endpoint it goes to. None for the webhook of one job.
    endpoint_id: str | None = None
    url: str
    #: The receiver whose limits apply: the endpoint's id, or the `host:port` of a job's webhook.
    lane: str
    #: Sent and signed byte for byte.
    body: bytes = field(repr=False)

    state: DeliveryState = DeliveryState.QUEUED
    #: Number of requests made, with any outcome.
    attempts: int = 0
    #: Number of requests since it was last queued by hand: its position in the schedule.
    tries: int = 0
    #: Rises with every claim and save; a save with an older version is dropped.
    version: int = 0
    #: When to send it. None once it has ended.
    wake_at: datetime | None = None
    #: Due, and waiting until its receiver's limits allow it.
    aside: bool = False

    #: HTTP status of the latest attempt. None without a response.
    last_status: int | None = None
    #: An `ErrorClass`, a colon and an explanation. Empty after a success.
    last_error: str = ""

    created_at: datetime
    finished_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRecord:
    """The log entry of one request."""

    delivery_id: str
    #: 1, 2, 3 … within the delivery; the request's `webhook-attempt`.
    number: int
    started_at: datetime
    duration: timedelta
    status: int | None = None
    error: ErrorClass | None = None
    #: The explanation of the error. Empty after a success.
    detail: str = ""
    #: The beginning of the response, at most 16 KiB, without NUL.
    response: str = field(default="", repr=False)
    #: None after the last attempt.
    next_attempt_at: datetime | None = None


def after_attempt(
    delivery: Delivery,
    outcome: DeliveryOutcome,
    now: datetime,
    jitter: float,
    schedule: Sequence[timedelta] = SCHEDULE,
) -> Delivery:
    """Return the delivery after an attempt that ended at `now`.

    `jitter` is a random number in [0, 1). Raises `ValueError` for a delivery that is not queued.
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
    if end := _final_state(outcome):
        return finished(tried, end, now)
    if delivery.event_type in SENT_ONCE:
        return finished(tried, DeliveryState.FAILED, now)
    delay = delay_before_next(tried.tries, outcome, now, jitter, schedule)
    if delay is None:
        return finished(tried, DeliveryState.FAILED, now)
    return replace(tried, wake_at=now + delay)


def attempt_record(
    before: Delivery, after: Delivery, outcome: DeliveryOutcome, started: datetime
) -> AttemptRecord:
    """Return the log entry of an attempt, from the delivery before and after it."""
    return AttemptRecord(
        delivery_id=before.id,
        number=after.attempts,
        started_at=started,
        duration=outcome.duration,
        status=outcome.status,
        error=outcome.error_class,
        detail=outcome.explanation,
        response=outcome.excerpt,
        next_attempt_at=after.wake_at,
    )


def requeued_delivery(delivery: Delivery, now: datetime) -> Delivery:
    """Return the delivery queued again, with its event id and from the start of the schedule."""
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
    """Return the delivery in a final state; `why` replaces `last_error`."""
    return replace(
        delivery,
        state=state,
        wake_at=None,
        aside=False,
        finished_at=now,
        last_error=delivery.last_error if why is None else why,
    )


def _final_state(outcome: DeliveryOutcome) -> DeliveryState | None:
    """Return the final state that this outcome leads to; None if the schedule decides."""
    match outcome.error_class:
        case None:
            return DeliveryState.DELIVERED
        case ErrorClass.GONE:
            return DeliveryState.FAILED
        case ErrorClass.DISABLED | ErrorClass.ABORTED:
            return DeliveryState.CANCELED
        case _:
            return None
