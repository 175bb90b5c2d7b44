"""When an endpoint that keeps failing is disabled.

A failure 12 to 24 hours after an earlier one starts a clock, so a single outage does not (Svix:
docs.svix.com, "Retries", disabling failing endpoints). Any success stops it. After five days of
failures only, the endpoint is disabled. Warnings are logged on the way there.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

DISABLE_AFTER = timedelta(days=5)
CLOCK_STARTS_AFTER = timedelta(hours=12)
CLOCK_STARTS_WITHIN = timedelta(hours=24)
#: Percent of `DISABLE_AFTER` at which a warning is logged.
ALERT_PERCENTS = (50, 70, 90)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointHealth:
    """The stored history of an endpoint's failures."""

    #: The first failure, from which a later one can start the clock.
    first_failure_at: datetime | None = None
    #: When the clock started. None while it does not run.
    failing_since: datetime | None = None
    #: The last of `ALERT_PERCENTS` that was logged.
    alerted: int = 0


HEALTHY = EndpointHealth()


def after_failure(health: EndpointHealth, now: datetime) -> EndpointHealth:
    """Return the health after a failure: the same object if nothing changes."""
    if health.failing_since is not None:
        alerted = max((each for each in ALERT_PERCENTS if each <= percent(health, now)), default=0)
        return replace(health, alerted=alerted) if alerted > health.alerted else health
    first = health.first_failure_at
    if first is None or now - first > CLOCK_STARTS_WITHIN:
        return replace(health, first_failure_at=now)
    return replace(health, failing_since=now) if now - first >= CLOCK_STARTS_AFTER else health


def percent(health: EndpointHealth, now: datetime) -> int:
    """Return how much of `DISABLE_AFTER` has passed, at most 100; 0 while no clock runs."""
    if health.failing_since is None:
        return 0
    return min(100, int(100 * (now - health.failing_since) / DISABLE_AFTER))


def has_failed_too_long(health: EndpointHealth, now: datetime) -> bool:
    """Return whether this failure disables the endpoint."""
    return percent(health, now) == 100
