"""
Whether one more job is within a key's limits: pure decisions, `(limits, usage, now) -> usage`.

The rate is kept by the generic cell rate algorithm: one moment on disk says when the key will have
used up nothing, and every job moves it on by one interval. A key may save up a whole window's jobs
and send them at once; over any longer time it gets its rate and no more.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

from generation.access.permissions import Limits

#: The limits by the names under which callers are told of them.
RATE, IN_FLIGHT, DAILY = "submit", "concurrent", "daily"
#: When a place will be free nobody knows; asking again this much later is reasonable.
ASK_AGAIN = timedelta(seconds=5)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a key has used up of its limits."""

    #: When the rate will be whole again, had nothing more come. Past or None: it is whole.
    whole_at: datetime | None = None
    #: The day (UTC) that `jobs_today` counts.
    day: date | None = None
    jobs_today: int = 0
    in_flight: int = 0

    def today(self, now: datetime) -> int:
        return self.jobs_today if self.day == now.astimezone(UTC).date() else 0


class OverQuota(Exception):
    """Jobs that a key's limits do not allow now. None of them was stored."""

    def __init__(self, policy: str, detail: str, wait: timedelta | None, usage: Usage) -> None:
        super().__init__(detail)
        #: `RATE`, `IN_FLIGHT` or `DAILY`.
        self.policy = policy
        self.detail = detail
        #: For how long the same order would surely be refused again; for `IN_FLIGHT`, a guess. None
        #: where it is refused for ever.
        self.wait = wait
        self.usage = usage
        #: Several jobs were ordered together; fewer may be allowed sooner.
        self.together = False


def take(limits: Limits, usage: Usage, now: datetime) -> Usage | OverQuota:
    """The usage with one more job in it, or why there can be none now."""
    if limits.daily_jobs is not None and usage.today(now) >= limits.daily_jobs:
        words = f"this key may order {limits.daily_jobs} jobs a day (UTC), and has"
        return OverQuota(DAILY, words, until_midnight(now), usage)
    if limits.max_in_flight is not None and usage.in_flight >= limits.max_in_flight:
        words = f"this key may have {limits.max_in_flight} jobs unfinished at once, and has"
        return OverQuota(IN_FLIGHT, words, ASK_AGAIN, usage)
    whole_at = max(usage.whole_at or now, now)
    if limits.rate is not None:
        whole_at += limits.rate.interval
        early = whole_at - now - limits.rate.window
        if early > timedelta(0):
            words = f"this key may order at a rate of {limits.rate}, and is faster"
            return OverQuota(RATE, words, early, usage)
    return replace(
        usage,
        whole_at=whole_at,
        day=now.astimezone(UTC).date(),
        jobs_today=usage.today(now) + 1,
        in_flight=usage.in_flight + 1,
    )


def take_all(limits: Limits, usage: Usage, moments: Sequence[datetime]) -> Usage | OverQuota:
    """The usage with a job of each moment in it, or why there cannot be all of them now."""
    if too_many := more_than_ever(limits, usage, len(moments)):
        return too_many
    for taken, now in enumerate(moments, start=1):
        outcome = take(limits, usage, now)
        if isinstance(outcome, OverQuota):
            outcome.together = len(moments) > 1
            if outcome.policy == RATE and outcome.wait is not None and limits.rate is not None:
                # Each of those that come after it needs an interval, too.
                outcome.wait += (len(moments) - taken) * limits.rate.interval
            return outcome
        usage = outcome
    return usage


def more_than_ever(limits: Limits, usage: Usage, count: int) -> OverQuota | None:
    """Why so many jobs can never be ordered together; None where they can."""
    most = {
        RATE: limits.rate.count if limits.rate else count,
        IN_FLIGHT: count if limits.max_in_flight is None else limits.max_in_flight,
        DAILY: count if limits.daily_jobs is None else limits.daily_jobs,
    }
    policy = min(most, key=lambda each: most[each])
    if most[policy] >= count:
        return None
    words = f"has {count} jobs, and this key may never order more than {most[policy]} together"
    over = OverQuota(policy, words, None, usage)
    over.together = True
    return over


@dataclass(frozen=True, slots=True)
class Standing:
    """One limit, what is left of it, and when there will be more; None where nobody knows."""

    policy: str
    quota: int
    window: timedelta | None
    remaining: int
    more_in: timedelta | None


def standings(limits: Limits, usage: Usage, now: datetime) -> Iterator[Standing]:
    """How far a key is from each of its limits."""
    if (rate := limits.rate) is not None:
        used = max((usage.whole_at or now) - now, timedelta(0))
        left = max(math.floor((rate.window - used) / rate.interval + 1e-6), 0)
        more = used + (left + 1) * rate.interval - rate.window if used else timedelta(0)
        yield Standing(RATE, rate.count, rate.window, left, max(more, timedelta(0)))
    if (most := limits.max_in_flight) is not None:
        yield Standing(IN_FLIGHT, most, None, max(most - usage.in_flight, 0), None)
    if (daily := limits.daily_jobs) is not None:
        yield Standing(DAILY, daily, DAY, max(daily - usage.today(now), 0), until_midnight(now))


def until_midnight(now: datetime) -> timedelta:
    tomorrow = now.astimezone(UTC).date() + DAY
    return datetime.combine(tomorrow, time(), UTC) - now
