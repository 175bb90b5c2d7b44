"""
When to try a delivery again.

The attempts go on for about 76 hours, so a receiver broken on Friday evening is told on Monday.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from generation.webhooks.outcome import DeliveryOutcome

#: The wait before each attempt, counted from the end of the one before: eleven attempts.
SCHEDULE: tuple[timedelta, ...] = (
    timedelta(0),
    timedelta(seconds=5),
    timedelta(seconds=30),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
#: A receiver with too much to do is left alone at least this long.
OVERLOAD_DELAY = timedelta(seconds=60)
#: Waits differ by up to a fifth either way, so that what failed together does not return together.
SPREAD = 0.2


def delay_before_next(
    attempts: int,
    outcome: DeliveryOutcome,
    now: datetime,
    jitter: float,
    schedule: Sequence[timedelta] = SCHEDULE,
) -> timedelta | None:
    """
    How long to wait after the latest of `attempts`, or None if it was the last.

    `jitter` is a random number in [0, 1). A `Retry-After` counts between the planned wait and twice
    that: a receiver may ask for patience but can neither hurry us nor put us off for ever. The
    wait after overload never exceeds the longest of the schedule, so a short schedule is short.
    """
    if attempts >= len(schedule):
        return None
    delay = jittered(schedule[attempts], jitter)
    if outcome.is_overload:
        # Spread upwards only: the minimum is a promise.
        delay = max(delay, min(OVERLOAD_DELAY, max(schedule)) * (1 + SPREAD * jitter))
    asked = retry_after(outcome.headers.get("retry-after", ""), now)
    return delay if asked is None else min(max(delay, asked), 2 * delay)


def jittered(delay: timedelta, jitter: float) -> timedelta:
    """Between 80 and 120 % of the delay, for a `jitter` in [0, 1)."""
    return delay * (1 - SPREAD + 2 * SPREAD * jitter)


def retry_after(value: str, now: datetime) -> timedelta | None:
    """
    What a `Retry-After` header asks for: seconds, or an HTTP date. None if it says neither.

    A date in the past is a negative wait.
    """
    value = value.strip()
    if value.isascii() and value.isdigit():
        return timedelta(seconds=int(value[:9]))  # nine digits of seconds are 30 years already
    try:
        date = parsedate_to_datetime(value)
    except ValueError:
        return None
    return (date if date.tzinfo else date.replace(tzinfo=UTC)) - now
