"""
When an endpoint has failed for so long that nobody seems to be there any more.

A single bad moment starts no clock: it starts with a failure 12 to 24 hours after an earlier one
(Svix: docs.svix.com, "Retries", disabling failing endpoints). Any success stops it. After five days
of nothing but failures the endpoint is disabled, and its owner can be warned on the way there.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

FAILING_FOR = timedelta(days=5)
CLOCK_AFTER = timedelta(hours=12)
CLOCK_WITHIN = timedelta(hours=24)
#: Percent of `FAILING_FOR` at which somebody is warned.
ALERTS = (50, 70, 90)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointHealth:
    """What must be remembered of an endpoint's failures."""

    #: The failure that the clock may be started from.
    first_failure_at: datetime | None = None
    #: When the clock started. None while it stands.
    failing_since: datetime | None = None
    #: The last of `ALERTS` that was given.
    alerted: int = 0


HEALTHY = EndpointHealth()


def after_failure(health: EndpointHealth, now: datetime) -> EndpointHealth:
    """The same object where there is nothing new to remember."""
    if health.failing_since is not None:
        alerted = max((each for each in ALERTS if each <= percent(health, now)), default=0)
        return replace(health, alerted=alerted) if alerted > health.alerted else health
    first = health.first_failure_at
    if first is None or now - first > CLOCK_WITHIN:
        return replace(health, first_failure_at=now)
    return replace(health, failing_since=now) if now - first >= CLOCK_AFTER else health


def percent(health: EndpointHealth, now: datetime) -> int:
    """How much of `FAILING_FOR` has passed, at most 100; 0 while the clock stands."""
    if health.failing_since is None:
        return 0
    return min(100, int(100 * (now - health.failing_since) / FAILING_FOR))


def has_failed_too_long(health: EndpointHealth, now: datetime) -> bool:
    """Whether the endpoint is to be disabled at this failure."""
    return percent(health, now) == 100
