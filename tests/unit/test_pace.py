"""When to look."""

from datetime import timedelta

import pytest

from generation.operation import Durations, Pace
from generation.pace import faster, next_late_look, next_look
from tests.unit.jobs import PACE


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


@pytest.mark.parametrize(
    ("age", "wait"),
    [
        (0, 30),  # one in ten is done after 30 s: no look before
        (20, 10),
        (29.5, 2),  # never below the floor
        (30, 6),  # a tenth of the typical 60 s
        (119, 6),
        (120, 12),  # late: a tenth of its age
        (200, 20),
        (1000, 30),  # never above the ceiling
    ],
)
def test_the_wait_by_age(age: float, wait: float) -> None:
    assert next_look(PACE, seconds(age), dice=0.5) == seconds(wait)


def test_tasks_born_together_drift_apart() -> None:
    waits = [next_look(PACE, seconds(0), dice).total_seconds() for dice in (0, 0.25, 0.5, 0.999)]
    assert waits[0] == 24
    assert waits == sorted(waits)
    assert 35.9 < waits[-1] < 36


def test_the_floor_holds_whatever_the_dice_say() -> None:
    assert next_look(PACE, seconds(29.9), dice=0) == seconds(2)


def test_a_quick_station_is_looked_at_quickly() -> None:
    quick = faster(PACE, 20)
    assert quick.durations == Durations(seconds(1.5), seconds(3), seconds(6))
    assert next_look(quick, seconds(0), 0.5) == seconds(1.5)
    assert faster(PACE, 1) is PACE


def test_expired_jobs_are_looked_at_ever_more_rarely() -> None:
    waits = [next_late_look(seconds(s), 0.5).total_seconds() for s in (0, 600, 1200, 7200, 80000)]
    assert waits == [300, 300, 600, 3600, 3600]


def test_the_deadline_is_not_hurried() -> None:
    pace = Pace(PACE.durations, deadline=timedelta(hours=2))
    assert faster(pace, 10).deadline == timedelta(hours=2)
