"""A clock that is set."""

from datetime import datetime, timedelta

import pytest

from tests.unit.jobs import NOON
from worker import clock
from worker.clock import Clock, is_recent


@pytest.mark.parametrize(
    ("steps", "noticed"),
    [
        ((0, 3600), False),  # forward: nobody sleeps too long
        ((0, -3600), True),
        ((0, 3600, 0), True),
        ((0, -20), False),  # a correction
        ((0, 0), False),
    ],
)
def test_only_a_clock_that_goes_back_is_noticed(
    monkeypatch: pytest.MonkeyPatch, steps: tuple[float, ...], noticed: bool
) -> None:
    assert shown(monkeypatch, 0, *steps).went_back is noticed


@pytest.mark.parametrize(
    ("steps", "since", "until", "measured"),
    [
        ((0,), 0, 20, True),
        ((0,), -5, 20, False),  # from before this process began to watch
        ((0, 20), 0, 20, True),  # a correction
        ((0, 3600), 0, 3620, False),  # it began before the step forward
        ((0, 3600), 3600, 3620, True),
        ((0, -3600), -3600, -3580, False),  # it may have begun before the step back
        ((0, -3600), 1, 20, True),
        ((0, -3600), 100, 20, False),  # it has not begun yet
        ((0, -9e8), -9e8 + 86400, -9e8 + 86420, True),  # not for thirty years
    ],
)
def test_no_time_is_taken_by_a_clock_that_was_set(
    monkeypatch: pytest.MonkeyPatch,
    steps: tuple[float, ...],
    since: float,
    until: float,
    measured: bool,
) -> None:
    watched = shown(monkeypatch, 0, *steps)
    moments = (NOON + timedelta(seconds=seconds) for seconds in (since, until))
    assert watched.measures(*moments) is measured


def test_what_happened_in_the_future_is_not_recent() -> None:
    second, minute = timedelta(seconds=1), timedelta(minutes=1)
    assert is_recent(NOON - second, NOON, minute)
    assert not is_recent(None, NOON, minute)
    assert not is_recent(NOON - minute, NOON, minute)
    assert not is_recent(NOON + minute, NOON, minute), "or a chore would wait for it to pass"


def shown(monkeypatch: pytest.MonkeyPatch, *steps: float) -> Clock:
    """A clock that has been looked at once for each of these times, which the machine's showed."""
    times = iter(steps)

    def wall() -> datetime:
        return NOON + timedelta(seconds=next(times))

    monkeypatch.setattr(clock, "wall", wall)
    watched = Clock()
    for _ in steps[1:]:
        watched.now()
    return watched
