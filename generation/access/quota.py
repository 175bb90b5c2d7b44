"""Whether one more job is within a key's limits: pure decisions, `(limits, usage, now) -> usage`.

The rate follows the generic cell rate algorithm: one stored time says when the rate is unused
again, and every job moves it on by one interval. A key may submit the jobs of a whole window at
once; over a longer time the rate holds.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

from generation.access.permissions import Limits

#: The limits, by the names that callers see.
RATE, IN_FLIGHT, DAILY = "submit", "concurrent", "daily"
#: When an unfinished job will end is unknown; this is a reasonable time to ask again.
ASK_AGAIN = timedelta(seconds=5)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyUsage:
    """What a key has used of its limits."""

    #: When the rate will be unused again, if no more jobs come. None or a past time: it is unused.
    whole_at: datetime | None = None
    #: The day (UTC) that `jobs_today` counts.
    day: date | None = None
    jobs_today: int = 0
    in_flight: int = 0

    def today(self, now: datetime) -> int:
        return self.jobs_today if self.day == now.astimezone(UTC).date() else 0


class QuotaExceeded(Exception):
    """Jobs that the limits of a key do not allow now. None of them was stored."""

    def __init__(self, policy: str, detail: str, wait: timedelta | None, usage: KeyUsage) -> None:
        super().__init__(detail)
        #: `RATE`, `IN_FLIGHT` or `DAILY`.
        self.policy = policy
        self.detail = detail
        #: How long the same request would surely be refused again; an estimate for `IN_FLIGHT`.
        #: None if it would always be refused.
        self.wait = wait
        self.usage = usage
        #: Whether several jobs were submitted together. Fewer may be allowed sooner.
        self.together = False


def take(limits: Limits, usage: KeyUsage, now: datetime) -> KeyUsage | QuotaExceeded:
    """Return the usage with one more job, or the reason why there can be none now."""
    if limits.daily_jobs is not None and usage.today(now) >= limits.daily_jobs:
        message = f"this key may order {limits.daily_jobs} jobs a day (UTC), and has"
        return QuotaExceeded(DAILY, message, until_midnight(now), usage)
    if limits.max_in_flight is not None and usage.in_flight >= limits.max_in_flight:
        message = f"this key may have {limits.max_in_flight} jobs unfinished at once, and has"
        return QuotaExceeded(IN_FLIGHT, message, ASK_AGAIN, usage)
    whole_at = max(usage.whole_at or now, now)
    if limits.rate is not None:
        whole_at += limits.rate.interval
        early = whole_at - now - limits.rate.window
        if early > timedelta(0):
            message = f"this key may order at a rate of {limits.rate}, and is faster"
            return QuotaExceeded(RATE, message, early, usage)
    return replace(
        usage,
        whole_at=whole_at,
        day=now.astimezone(UTC).date(),
        jobs_today=usage.today(now) + 1,
        in_flight=usage.in_flight + 1,
    )


def use_all(
    limits: Limits, usage: KeyUsage, moments: Sequence[datetime]
) -> KeyUsage | QuotaExceeded:
    """Return the usage with one more job per time, or why not all of them fit now."""
    if too_many := never_fits(limits, usage, len(moments)):
        return too_many
    for taken, now in enumerate(moments, start=1):
        outcome = take(limits, usage, now)
        if isinstance(outcome, QuotaExceeded):
            outcome.together = len(moments) > 1
            if outcome.policy == RATE and outcome.wait is not None and limits.rate is not None:
                # Each of the jobs after this one needs an interval, too.
                outcome.wait += (len(moments) - taken) * limits.rate.interval
            return outcome
        usage = outcome
    return usage


def never_fits(limits: Limits, usage: KeyUsage, count: int) -> QuotaExceeded | None:
    """Return why so many jobs can never be submitted together; None if they can."""
    most = {
        RATE: limits.rate.count if limits.rate else count,
        IN_FLIGHT: count if limits.max_in_flight is None else limits.max_in_flight,
        DAILY: count if limits.daily_jobs is None else limits.daily_jobs,
    }
    policy = min(most, key=lambda each: most[each])
    if most[policy] >= count:
        return None
    message = f"has {count} jobs, and this key may never order more than {most[policy]} together"
    over = QuotaExceeded(policy, message, None, usage)
    over.together = True
    return over


@dataclass(frozen=True, slots=True)
class LimitStatus:
    """One limit, what is left of it, and when there will be more. None if that time is unknown."""

    policy: str
    quota: int
    window: timedelta | None
    remaining: int
    more_in: timedelta | None


def limit_statuses(limits: Limits, usage: KeyUsage, now: datetime) -> Iterator[LimitStatus]:
    """Yield what is left of each limit."""
    if (rate := limits.rate) is not None:
        used = max((usage.whole_at or now) - now, timedelta(0))
        left = max(math.floor((rate.window - used) / rate.interval + 1e-6), 0)
        more = used + (left + 1) * rate.interval - rate.window if used else timedelta(0)
        yield LimitStatus(RATE, rate.count, rate.window, left, max(more, timedelta(0)))
    if (most := limits.max_in_flight) is not None:
        yield LimitStatus(IN_FLIGHT, most, None, max(most - usage.in_flight, 0), None)
    if (daily := limits.daily_jobs) is not None:
        yield LimitStatus(DAILY, daily, DAY, max(daily - usage.today(now), 0), until_midnight(now))


def until_midnight(now: datetime) -> timedelta:
    tomorrow = now.astimezone(UTC).date() + DAY
    return datetime.combine(tomorrow, time(), UTC) - now
