"""A clock that is set."""

from datetime import datetime, timedelta

import pytest

from generation.contract.errors import ErrorCode, InDoubt, Rejected
from generation.contract.status import Running
from tests.unit.jobs import NOON
from worker.polling.not_found import NotFoundTracker
from worker.runtime import clock
from worker.runtime.clock import Clock, is_recent


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


@pytest.mark.parametrize(
    ("steps", "believed"),
    [
        ((0, 0), 0),
        ((0, 20), 20),  # a correction
        ((0, 3600, 3600), 0),
        ((0, 3600, 0), 0),  # and right again
        ((0, 3600, 7200, 400 * 86400), 0),
        ((0, -3600), -3600),
        ((0, -3600, 0), 0),  # and right again
        ((0, -3600, 0, 3600), 0),
        ((0, 3600, 0, 3600), 0),
        ((0, 3600, -60), -60),
    ],
)
def test_what_cannot_be_taken_back_waits_for_a_clock_to_be_believed(
    monkeypatch: pytest.MonkeyPatch, steps: tuple[float, ...], believed: float
) -> None:
    watched = shown(monkeypatch, 0, *steps)
    certain_now = watched.certain_now() - NOON
    assert abs(certain_now - timedelta(seconds=believed)) < timedelta(seconds=10)


def test_a_clock_that_stays_set_is_believed_at_last(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = shown(monkeypatch, 0, 0, 3600, 3600)
    began = clock.monotonic()
    assert watched.even_for() < timedelta(seconds=10)
    monkeypatch.setattr(clock, "wall", lambda: NOON + timedelta(seconds=3600 + 601))
    monkeypatch.setattr(clock, "monotonic", lambda: began + 601)
    assert watched.certain_now() == NOON + timedelta(seconds=3600 + 601)
    assert watched.even_for() >= timedelta(seconds=600)


def test_a_task_is_missing_for_as_long_as_one_process_has_heard_so() -> None:
    unknown = Rejected("no such task", code=ErrorCode.NOT_FOUND)
    heard = [
        (0, unknown, 0),
        (30, InDoubt("no answer"), 0),
        (40, unknown, 40),
        (50, Running(), 0),
        (60, unknown, 0),
        (125, unknown, 65),
    ]
    missing = NotFoundTracker()
    for at, answer, long in heard:
        found = missing.heard("job_1", answer, NOON + timedelta(seconds=at))
        assert found == timedelta(seconds=long), at
    assert missing.heard("job_2", unknown, NOON) == timedelta(0)


def shown(monkeypatch: pytest.MonkeyPatch, *steps: float) -> Clock:
    """A clock that has been looked at once for each of these times, which the machine's showed."""
    times = iter(steps)

    def wall() -> datetime:
        return NOON + timedelta(seconds=next(times, steps[-1]))

    monkeypatch.setattr(clock, "wall", wall)
    watched = Clock()
    for _ in steps[1:]:
        watched.now()
    return watched
