"""A clock that is set."""

from datetime import datetime, timedelta

import pytest

from tests.unit.jobs import NOON
from worker import clock
from worker.clock import Clock


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
    watched, times = Clock(), iter(steps)

    def wall() -> datetime:
        return NOON + timedelta(seconds=next(times))

    monkeypatch.setattr(clock, "wall", wall)
    for _ in steps:
        watched.now()
    assert watched.went_back is noticed
