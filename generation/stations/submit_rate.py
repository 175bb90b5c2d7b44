"""The submits per minute of a key: a bucket that refills steadily."""

from dataclasses import replace
from datetime import datetime, timedelta

from generation.stations.blocks import APART
from generation.stations.key_health import KeyHealth
from generation.stations.station import Key


def burst(per_minute: int) -> int:
    """Return how many submits may leave at once: those due in a second, at least one."""
    return max(1, round(per_minute / 60))


def spacing(per_minute: int) -> timedelta:
    """Return the time in which one submit's share of the bucket refills.

    A full burst at the beginning of a minute and everything that refills in it are together no more
    than `per_minute`.
    """
    return timedelta(minutes=1) / (per_minute - burst(per_minute) + 1)


def submits_left(health: KeyHealth, key: Key, now: datetime) -> int | None:
    """Return how many submits may leave now; None if the key has no such limit."""
    if key.submits_per_minute is None:
        return None
    missing = refill(health, key.submits_per_minute, now) / spacing(key.submits_per_minute)
    return max(0, int(burst(key.submits_per_minute) - missing + 1e-6))


def submitted(health: KeyHealth, key: Key, now: datetime) -> KeyHealth:
    """Return the key's state after one more submit."""
    if key.submits_per_minute is None:
        return health
    per_minute = key.submits_per_minute
    full_at = now + refill(health, per_minute, now) + spacing(per_minute)
    return replace(health, full_at=full_at)


def refill(health: KeyHealth, per_minute: int, now: datetime) -> timedelta:
    """Return how long the bucket takes to be full again.

    No bucket takes longer than an empty one: a time a little beyond that came from a clock slightly
    ahead, one far beyond it from a wrong clock, which is ignored.
    """
    missing = max((health.full_at or now) - now, timedelta(0))
    longest = burst(per_minute) * spacing(per_minute)
    return min(missing, longest) if missing <= longest + APART else timedelta(0)
