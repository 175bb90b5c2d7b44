"""
When to look at a running task: a pure function of its operation, its age and a roll of the dice.

There is no schedule to keep or to lose. The first look comes when one task in ten is done; from
then on a look every tenth of the typical duration, so that the lag stays small against the wait; a
task that is late already is looked at ever more rarely, up to the ceiling.
"""

from dataclasses import replace
from datetime import timedelta

from generation.operation import Durations, Pace

#: Each interval is drawn from ±20 % around its value, so that tasks born together drift apart.
JITTER = 0.2


def next_look(pace: Pace, age: timedelta, dice: float) -> timedelta:
    """How long to wait before the next look. `dice` is in [0, 1)."""
    durations = pace.durations
    if age < durations.early:
        wait = max(durations.early - age, pace.floor)
        return max(pace.floor, jittered(wait, dice))
    wait = durations.typical / 10 if age < durations.late else age / 10
    return jittered(min(max(wait, pace.floor), pace.ceiling), dice)


def next_late_look(since_expiry: timedelta, dice: float) -> timedelta:
    """
    How long to wait before looking again at a job that has expired, in case it ends after all.
    """
    return jittered(min(max(since_expiry / 2, timedelta(minutes=5)), timedelta(hours=1)), dice)


def jittered(wait: timedelta, dice: float) -> timedelta:
    return wait * (1 - JITTER + 2 * JITTER * dice)


def faster(pace: Pace, speed: float) -> Pace:
    """The pace at a station whose tasks run `speed` times as fast as usual."""
    if speed == 1:
        return pace
    durations = pace.durations
    return replace(
        pace,
        durations=Durations(
            early=durations.early / speed,
            typical=durations.typical / speed,
            late=durations.late / speed,
        ),
        floor=pace.floor / speed,
        ceiling=pace.ceiling / speed,
    )
