"""
A delivery: one event on its way to one URL, and what is decided after each attempt.

The row is immutable here. Saving, claiming and `version` are the store's business.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from generation.webhooks.outcome import ErrorClass, Outcome
from generation.webhooks.schedule import SCHEDULE, crowded_delay, delay_before_next


class DeliveryState(StrEnum):
    """Where a delivery stands. A crash during an attempt leaves it `queued`: it is sent again."""

    #: To be sent, for the first time or again, at `wake_at`.
    QUEUED = "queued"
    #: The receiver answered 2xx.
    DELIVERED = "delivered"
    #: Given up: the last attempt of the schedule failed, or the receiver is gone.
    FAILED = "failed"
    #: Withdrawn before it arrived, by us or at the receiver's request.
    CANCELED = "canceled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One event for one URL. Times are UTC."""

    #: `dlv_…`, our row.
    id: str
    #: `evt_…`, the same over all attempts and replays, so that a receiver can drop repeats.
    event_id: str
    event_type: str
    job_id: str
    tenant: str
    #: The API key whose webhook secrets sign it.
    api_key_id: str
    url: str
    #: What is sent and signed, byte for byte.
    body: bytes = field(repr=False)

    state: DeliveryState = DeliveryState.QUEUED
    #: Requests made, whatever became of them.
    attempts: int = 0
    #: Rises with every claim and every save; a save that names an older one is dropped.
    version: int = 0
    #: When to send it. None once there is nothing left to do.
    wake_at: datetime | None = None

    #: HTTP status of the latest attempt. None if no answer came.
    last_status: int | None = None
    #: An `ErrorClass`, a colon, and what to change in words. Empty after a success.
    last_error: str = ""
    #: The head of the latest answer, at most 16 KiB of it, without NUL.
    last_response: str = field(default="", repr=False)

    created_at: datetime
    finished_at: datetime | None = None


def after_attempt(
    delivery: Delivery,
    outcome: Outcome,
    now: datetime,
    jitter: float,
    schedule: Sequence[timedelta] = SCHEDULE,
) -> Delivery:
    """
    The delivery after an attempt that ended at `now`. `jitter` is a random number in [0, 1).

    An outcome `crowded` sent nothing and costs no attempt: the delivery only steps aside. Raises
    `ValueError` for a delivery that is not queued, which nobody had a reason to send.
    """
    if delivery.state is not DeliveryState.QUEUED:
        raise ValueError(f"{delivery.id} is {delivery.state}; queue it again before sending it")
    if outcome.error is ErrorClass.CROWDED:
        aside = now + crowded_delay(jitter, schedule)
        return replace(delivery, wake_at=aside, last_error=outcome.complaint)
    tried = replace(
        delivery,
        attempts=delivery.attempts + 1,
        last_status=outcome.status,
        last_error=outcome.complaint,
        last_response=outcome.excerpt,
    )
    if ending := _ending(outcome):
        return _finish(tried, ending, now)
    delay = delay_before_next(tried.attempts, outcome, now, jitter, schedule)
    if delay is None:
        return _finish(tried, DeliveryState.FAILED, now)
    return replace(tried, wake_at=now + delay)


def _ending(outcome: Outcome) -> DeliveryState | None:
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


def _finish(delivery: Delivery, state: DeliveryState, now: datetime) -> Delivery:
    return replace(delivery, state=state, wake_at=None, finished_at=now)
