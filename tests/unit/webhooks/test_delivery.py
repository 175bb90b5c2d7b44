"""The decision after an attempt, for each outcome."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from generation.webhooks.delivery import (
    AttemptRecord,
    Delivery,
    DeliveryState,
    after_attempt,
    attempt_record,
    requeued_delivery,
)
from generation.webhooks.outcome import DeliveryOutcome, ErrorClass
from generation.webhooks.schedule import SCHEDULE

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MIDDLE = 0.5
S = DeliveryState

DELIVERY = Delivery(
    id="dlv_1",
    event_id="evt_1",
    event_type="job.succeeded",
    job_id="job_1",
    tenant="acme",
    api_key_id="key_1",
    url="https://hooks.example.com/genq",
    lane="hooks.example.com:443",
    body=b"{}",
    version=4,
    wake_at=NOW,
    created_at=NOW - timedelta(minutes=1),
)


def asked(status: int, what: str) -> DeliveryOutcome:
    return DeliveryOutcome(status=status, headers={"webhook-delivery": what})


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (DeliveryOutcome(status=200), S.DELIVERED),
        (DeliveryOutcome(status=202), S.DELIVERED),
        (DeliveryOutcome(status=204), S.DELIVERED),
        (asked(200, "disable"), S.DELIVERED),
        (asked(200, "abort-message"), S.DELIVERED),
        (DeliveryOutcome(status=410), S.FAILED),
        (asked(503, "disable"), S.CANCELED),
        (asked(400, "abort-message"), S.CANCELED),
    ],
)
def test_outcomes_that_end_a_delivery(outcome: DeliveryOutcome, state: DeliveryState) -> None:
    after = after_attempt(DELIVERY, outcome, NOW, MIDDLE)
    assert after == replace(
        DELIVERY,
        state=state,
        attempts=1,
        tries=1,
        wake_at=None,
        last_status=outcome.status,
        last_error=outcome.error_line,
        finished_at=NOW,
    )
    assert bool(after.last_error) is (state is not S.DELIVERED)


@pytest.mark.parametrize(
    ("outcome", "wait"),
    [
        (DeliveryOutcome(status=500, excerpt="oops"), timedelta(seconds=5)),
        (DeliveryOutcome(status=302), timedelta(seconds=5)),
        (DeliveryOutcome(status=404), timedelta(seconds=5)),
        (DeliveryOutcome(status=429), timedelta(seconds=66)),
        (DeliveryOutcome(error=ErrorClass.TIMEOUT, detail="no answer"), timedelta(seconds=66)),
        (DeliveryOutcome(error=ErrorClass.TLS, detail="self-signed"), timedelta(seconds=5)),
        (DeliveryOutcome(error=ErrorClass.REFUSED_ADDRESS, detail="private"), timedelta(seconds=5)),
    ],
)
def test_outcomes_that_are_retried(outcome: DeliveryOutcome, wait: timedelta) -> None:
    assert after_attempt(DELIVERY, outcome, NOW, MIDDLE) == replace(
        DELIVERY,
        attempts=1,
        tries=1,
        wake_at=NOW + wait,
        last_status=outcome.status,
        last_error=outcome.error_line,
    )


def test_a_delivery_fails_after_eleven_attempts() -> None:
    delivery, now, waited = DELIVERY, NOW, timedelta()
    while delivery.wake_at is not None:
        waited += delivery.wake_at - now
        now = delivery.wake_at
        delivery = after_attempt(delivery, DeliveryOutcome(status=500), now, MIDDLE)
    assert (delivery.state, delivery.attempts) == (S.FAILED, len(SCHEDULE))
    assert delivery.finished_at == now
    assert waited == sum(SCHEDULE, timedelta())


def test_an_outcome_replaces_the_status_and_error_of_the_one_before() -> None:
    failed = after_attempt(DELIVERY, DeliveryOutcome(status=500, excerpt="oops"), NOW, MIDDLE)
    unanswered = after_attempt(failed, DeliveryOutcome(error=ErrorClass.CONNECT), NOW, MIDDLE)
    assert unanswered.last_status is None
    told = after_attempt(unanswered, DeliveryOutcome(status=200, excerpt="thanks"), NOW, MIDDLE)
    assert (told.last_status, told.last_error, told.attempts) == (200, "", 3)


def test_an_attempt_is_logged_with_its_outcome() -> None:
    outcome = DeliveryOutcome(status=503, excerpt="busy", duration=timedelta(seconds=1))
    after = after_attempt(DELIVERY, outcome, NOW, MIDDLE)
    attempt = attempt_record(DELIVERY, after, outcome, NOW - outcome.duration)
    assert attempt == AttemptRecord(
        delivery_id="dlv_1",
        number=1,
        started_at=NOW - timedelta(seconds=1),
        duration=timedelta(seconds=1),
        status=503,
        error=ErrorClass.STATUS,
        detail="answered 503",
        response="busy",
        next_attempt_at=NOW + timedelta(seconds=5),
    )


def test_progress_events_are_sent_at_most_once() -> None:
    fleeting = replace(DELIVERY, event_type="job.progress")
    after = after_attempt(fleeting, DeliveryOutcome(status=503), NOW, MIDDLE)
    assert (after.state, after.wake_at) == (S.FAILED, None)


def test_a_requeued_delivery_starts_the_schedule_again() -> None:
    given_up = DELIVERY
    while given_up.wake_at is not None:
        given_up = after_attempt(given_up, DeliveryOutcome(status=500), NOW, MIDDLE)
    again = requeued_delivery(given_up, NOW)
    assert (again.state, again.wake_at, again.finished_at) == (S.QUEUED, NOW, None)
    after = after_attempt(again, DeliveryOutcome(status=500), NOW, MIDDLE)
    assert (after.attempts, after.tries) == (len(SCHEDULE) + 1, 1)
    assert after.wake_at == NOW + timedelta(seconds=5)


@pytest.mark.parametrize("state", [S.DELIVERED, S.FAILED, S.CANCELED])
def test_a_finished_delivery_is_not_decided_again(state: DeliveryState) -> None:
    with pytest.raises(ValueError, match=f"dlv_1 is {state}"):
        after_attempt(replace(DELIVERY, state=state), DeliveryOutcome(status=200), NOW, MIDDLE)


def test_a_delivery_does_not_show_its_body_in_logs() -> None:
    assert "prompt" not in repr(replace(DELIVERY, body=b'{"prompt":1}'))
