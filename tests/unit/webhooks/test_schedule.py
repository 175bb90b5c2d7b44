"""The waits between attempts."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generation.contract.retry_after import parse_retry_after
from generation.webhooks.outcome import DeliveryOutcome, ErrorClass
from generation.webhooks.schedule import SCHEDULE, delay_before_next, jittered

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
FAILED = DeliveryOutcome(status=500)
MIDDLE = 0.5


def seconds(value: float) -> timedelta:
    return timedelta(seconds=value)


def test_the_schedule_takes_76_hours() -> None:
    assert len(SCHEDULE) == 11
    assert sum(SCHEDULE, timedelta()) // timedelta(hours=1) == 75
    assert sorted(SCHEDULE) == list(SCHEDULE)


@pytest.mark.parametrize("attempts", range(1, 11))
def test_each_wait_follows_the_schedule(attempts: int) -> None:
    assert delay_before_next(attempts, FAILED, NOW, MIDDLE) == SCHEDULE[attempts]


def test_the_last_attempt_is_the_last() -> None:
    assert delay_before_next(11, FAILED, NOW, MIDDLE) is None
    assert delay_before_next(1, FAILED, NOW, MIDDLE, [timedelta(0)]) is None


@pytest.mark.parametrize(
    ("jitter", "expected"), [(0.0, 80), (0.25, 90), (0.5, 100), (0.75, 110), (1 - 1e-9, 120)]
)
def test_jitter(jitter: float, expected: float) -> None:
    assert jittered(seconds(100), jitter) == pytest.approx(seconds(expected), abs=seconds(0.001))


@pytest.mark.parametrize(
    "outcome",
    [
        DeliveryOutcome(status=429),
        DeliveryOutcome(status=502),
        DeliveryOutcome(status=504),
        DeliveryOutcome(error=ErrorClass.TIMEOUT),
    ],
)
@pytest.mark.parametrize("jitter", [0.0, 0.5, 0.999])
def test_overload_waits_at_least_a_minute(outcome: DeliveryOutcome, jitter: float) -> None:
    early = delay_before_next(1, outcome, NOW, jitter)
    assert early is not None
    assert seconds(60) <= early <= seconds(72)
    assert delay_before_next(5, outcome, NOW, jitter) == jittered(SCHEDULE[5], jitter)


def test_a_short_schedule_stays_short_under_overload() -> None:
    short = [seconds(0), seconds(0.1), seconds(0.2)]
    delay = delay_before_next(1, DeliveryOutcome(status=429), NOW, 0.0, short)
    assert delay == seconds(0.2)


@pytest.mark.parametrize(
    ("status", "asked", "expected"),
    [
        (503, "0", 300),
        (503, "299", 300),
        (503, "400", 400),
        (503, "601", 600),
        (503, "9" * 4000, 600),
        (503, "Sun, 01 Mar 2026 12:08:00 GMT", 480),
        (503, "Sun, 01 Mar 2026 11:00:00 GMT", 300),
        (503, "Mon, 02 Mar 2026 12:00:00 GMT", 600),
        (503, "soon", 300),
        (503, "-5", 300),
        (503, "", 300),
        (429, "400", 400),
    ],
)
def test_retry_after_is_honored_up_to_twice_the_wait(
    status: int, asked: str, expected: float
) -> None:
    outcome = DeliveryOutcome(status=status, headers={"retry-after": asked})
    assert delay_before_next(3, outcome, NOW, MIDDLE) == seconds(expected)


def test_overload_and_retry_after_together() -> None:
    outcome = DeliveryOutcome(status=429, headers={"retry-after": "3600"})
    assert delay_before_next(1, outcome, NOW, 0.0) == seconds(120)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("30", 30),
        (" 30 ", 30),
        ("Sun, 01 Mar 2026 12:00:30 GMT", 30),
        ("Sunday, 01-Mar-26 12:00:30 GMT", 30),
        ("Sun, 01 Mar 2026 13:00:30 +0100", 30),
        ("Sun, 01 Mar 2026 12:00:30 -0000", 30),
    ],
)
def test_forms_of_retry_after(value: str, expected: float) -> None:
    assert parse_retry_after(value, NOW) == seconds(expected)


@given(st.text(max_size=40) | st.from_regex(r"[A-Z][a-z]{2}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d \S+"))
def test_any_retry_after_is_harmless(value: str) -> None:
    outcome = DeliveryOutcome(status=503, headers={"retry-after": value})
    delay = delay_before_next(3, outcome, NOW, MIDDLE)
    assert delay is not None
    assert seconds(300) <= delay <= seconds(600)
