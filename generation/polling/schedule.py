"""When to look at a running task: a pure function of usual durations, age and a random number.

No schedule is stored. If tasks of an age end at a rate of h per second, looks every sqrt(2 c / h)
seconds cost the least, where one look costs as much as c seconds of an unnoticed finished task (the
classical inspection problem). So the first look comes when tasks begin to end, looks are close
together where most tasks end, and a late task is looked at less and less often, between the floor
and the ceiling of the operation.
"""

from bisect import bisect_right
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import lru_cache
from math import log, sqrt

from generation.polling.duration_histogram import BUCKETS, EDGES, EMPTY_HISTOGRAM, usual_shares
from generation.polling.pace import Pace, UsualDurations

#: Each interval varies by ±20 %, so that jobs created together drift apart.
JITTER = 0.2
#: The usual durations weigh as much as this many measured ones.
USUAL_WEIGHT = 10.0
#: The share of tasks that may end at any age, whatever was measured.
STRAY = 0.02


@dataclass(frozen=True, slots=True)
class LookRate:
    """The number of looks due up to an age, as sums over the buckets of the histogram."""

    rates: tuple[float, ...]
    sums: tuple[float, ...]

    def looks_by(self, age: float) -> float:
        bucket = bisect_right(EDGES, age)
        if bucket >= BUCKETS:
            return self.sums[-1] + (age - EDGES[-1]) * self.rates[-1]
        return self.sums[bucket] - (EDGES[bucket] - age) * self.rates[bucket]

    def age_of(self, look: float) -> float:
        """Return the age at which so many looks are due."""
        bucket = bisect_right(self.sums, look)
        if bucket >= BUCKETS:
            return EDGES[-1] + (look - self.sums[-1]) / self.rates[-1]
        return EDGES[bucket] - (self.sums[bucket] - look) / self.rates[bucket]


@lru_cache(maxsize=10_000)
def look_rate(pace: Pace) -> LookRate:
    """Return how often tasks of this pace are looked at, by age."""
    floor, ceiling = pace.floor.total_seconds(), pace.ceiling.total_seconds()
    cost = pace.look_cost.total_seconds()
    shares = blended(pace)
    left, begin, total = 1.0, 0.0, 0.0
    rates: list[float] = []
    sums: list[float] = []
    for end, share in zip(EDGES, shares, strict=True):
        after = max(left - share, 1e-9)
        hazard = log(left / after) / (end - begin)
        rate = min(sqrt(hazard / (2 * cost)), 1 / floor)
        if left < 0.9:
            rate = max(rate, 1 / ceiling)
        rates.append(max(rate, 1e-9))
        total += rates[-1] * (end - begin)
        sums.append(total)
        left, begin = after, end
    return LookRate(tuple(rates), tuple(sums))


def blended(pace: Pace) -> list[float]:
    """Return the share of tasks that end in each bucket, from usual and measured durations."""
    durations = pace.durations
    known = usual_shares(
        durations.early.total_seconds(),
        durations.typical.total_seconds(),
        durations.late.total_seconds(),
    )
    seen = (pace.seen or EMPTY_HISTOGRAM).weights
    weight = USUAL_WEIGHT + sum(seen)
    return [
        (1 - STRAY) * (USUAL_WEIGHT * share + count) / weight + STRAY / BUCKETS
        for share, count in zip(known, seen, strict=True)
    ]


def next_look(pace: Pace, age: timedelta, jitter: float) -> timedelta:
    """Return the wait before the next look. `jitter` is a random number in [0, 1)."""
    beats, now = look_rate(pace), max(age.total_seconds(), 0.0)
    step = 1 - JITTER + 2 * JITTER * jitter
    wait = timedelta(seconds=beats.age_of(beats.looks_by(now) + step) - now)
    return max(wait, pace.floor)


def next_late_look(since_expiry: timedelta, jitter: float) -> timedelta:
    """Return the wait before the next look at an expired job, in case it succeeds late."""
    return jittered(min(max(since_expiry / 2, timedelta(minutes=5)), timedelta(hours=1)), jitter)


def jittered(wait: timedelta, jitter: float) -> timedelta:
    return wait * (1 - JITTER + 2 * JITTER * jitter)


def faster(pace: Pace, speed: float) -> Pace:
    """Return the pace at a station whose tasks run `speed` times as fast as usual."""
    if speed == 1:
        return pace
    durations = pace.durations
    return replace(
        pace,
        durations=UsualDurations(
            early=durations.early / speed,
            typical=durations.typical / speed,
            late=durations.late / speed,
        ),
        floor=pace.floor / speed,
        ceiling=pace.ceiling / speed,
        look_cost=pace.look_cost / speed,
    )
