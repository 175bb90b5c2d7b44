"""When to try a delivery again.

The attempts go on for about 76 hours, so a receiver that breaks on Friday evening still gets its
webhooks on Monday.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from generation.contract.retry_after import parse_retry_after
from generation.webhooks.outcome import DeliveryOutcome

#: The wait before each of the eleven attempts, from the end of the one before.
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
#: The shortest wait after an overloaded receiver's answer.
OVERLOAD_DELAY = timedelta(seconds=60)
#: Waits vary by up to a fifth, so that deliveries that failed together are not retried together.
SPREAD = 0.2


def delay_before_next(
    attempts: int,
    outcome: DeliveryOutcome,
    now: datetime,
    jitter: float,
    schedule: Sequence[timedelta] = SCHEDULE,
) -> timedelta | None:
    """Return the wait after the latest of `attempts`, or None if it was the last.

    `jitter` is a random number in [0, 1). A `Retry-After` is honored between the planned wait and
    twice that. The wait after an overload never exceeds the longest of the schedule.
    """
    if attempts >= len(schedule):
        return None
    delay = jittered(schedule[attempts], jitter)
    if outcome.is_overload:
        # Jitter only upwards: the minimum is documented.
        delay = max(delay, min(OVERLOAD_DELAY, max(schedule)) * (1 + SPREAD * jitter))
    asked = parse_retry_after(outcome.headers.get("retry-after", ""), now)
    return delay if asked is None else min(max(delay, asked), 2 * delay)


def jittered(delay: timedelta, jitter: float) -> timedelta:
    """Return 80 to 120 % of the delay, for a `jitter` in [0, 1)."""
    return delay * (1 - SPREAD + 2 * SPREAD * jitter)
