"""When to look."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from generation.polling.duration_histogram import EMPTY_HISTOGRAM, ObservedDuration
from generation.polling.pace import Pace, UsualDurations
from generation.polling.schedule import faster, next_late_look, next_look
from tests.unit.jobs import PACE


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


def looks(pace: Pace, until: float, jitter: float = 0.5) -> list[float]:
    """The ages at which a task is looked at."""
    ages = [0.0]
    while ages[-1] < until:
        ages.append(ages[-1] + next_look(pace, seconds(ages[-1]), jitter).total_seconds())
    return ages[1:]


def seen(pace: Pace, *endings: ObservedDuration) -> Pace:
    return replace(pace, seen=(pace.seen or EMPTY_HISTOGRAM).with_durations(endings))


def test_the_first_look_comes_when_endings_begin() -> None:
    """One in ten is done after 30 s, half after 60."""
    assert 15 < looks(PACE, 60)[0] < 30


def test_looks_are_close_where_most_endings_are_and_rare_where_few() -> None:
    ages = looks(PACE, 600)
    waits = {age: later - age for age, later in pairwise(ages)}
    bulk = [wait for age, wait in waits.items() if 40 < age < 120]
    late = [wait for age, wait in waits.items() if age > 400]
    assert max(bulk) < 8
    assert min(late) > 2 * max(bulk)
    assert len([age for age in ages if age < 60]) <= 8, "against 12 at fixed 5 s"


def test_neither_the_floor_nor_the_ceiling_is_crossed() -> None:
    narrow = replace(PACE, floor=seconds(15), ceiling=seconds(20))
    ages = looks(narrow, 2000)
    waits = [later - age for age, later in pairwise(ages)]
    assert min(waits) > 14.999
    assert max(waits) <= 20.001
    assert next_look(PACE, seconds(100_000), 0.5) <= seconds(30.001)
    assert next_look(PACE, seconds(3_000_000), 0.5) <= seconds(30.001)
    assert next_look(narrow, seconds(60), jitter=0) == seconds(15), "whatever the dice say"


def test_a_clock_set_back_does_no_harm() -> None:
    assert next_look(PACE, seconds(-5), 0.5) == next_look(PACE, seconds(0), 0.5)


def test_tasks_born_together_drift_apart() -> None:
    waits = [
        next_look(PACE, seconds(60), jitter).total_seconds() for jitter in (0, 0.25, 0.5, 0.999)
    ]
    assert waits == sorted(waits)
    assert waits[-1] / waits[0] == pytest.approx(1.5, rel=0.05)


def test_what_has_been_seen_outweighs_what_is_usual() -> None:
    """Tasks that usually take a minute take five seconds here, or ten minutes."""
    quick = seen(PACE, *[ObservedDuration(4, 5)] * 100)
    assert looks(quick, 60)[0] < 7
    slow = seen(PACE, *[ObservedDuration(600, 605)] * 100)
    assert len([age for age in looks(slow, 610) if age < 500]) < len(looks(PACE, 500))
    assert next_look(slow, seconds(600), 0.5) < seconds(15)


def test_a_few_endings_change_little() -> None:
    usual = looks(PACE, 120)
    hardly = looks(seen(PACE, ObservedDuration(1, 2)), 120)
    assert abs(len(hardly) - len(usual)) <= 2


def test_a_first_look_that_always_comes_too_late_comes_sooner_the_next_time() -> None:
    """Nobody sees an ending before the first look; it must be found that tasks take 3 s."""
    pace = PACE
    for _ in range(10):
        first = looks(pace, 1)[0]
        pace = seen(pace, *[ObservedDuration(0, first)] * 20)
    assert looks(pace, 1)[0] < 6


def test_a_quick_station_is_looked_at_quickly() -> None:
    quick = faster(PACE, 16)
    assert quick.durations == UsualDurations(seconds(1.875), seconds(3.75), seconds(7.5))
    usually, quickly = looks(PACE, 160), looks(quick, 10)
    assert quickly[0] == pytest.approx(usually[0] / 16, rel=0.1)
    assert len(quickly) == pytest.approx(len(usually), abs=2)
    assert faster(PACE, 1) is PACE


def test_expired_jobs_are_looked_at_ever_more_rarely() -> None:
    waits = [next_late_look(seconds(s), 0.5).total_seconds() for s in (0, 600, 1200, 7200, 80000)]
    assert waits == [300, 300, 600, 3600, 3600]


def test_the_deadline_is_not_hurried() -> None:
    pace = Pace(PACE.durations, deadline=timedelta(hours=2))
    assert faster(pace, 10).deadline == timedelta(hours=2)
