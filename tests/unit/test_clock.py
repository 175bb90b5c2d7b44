"""A clock that is set."""

from datetime import timedelta

from tests.unit.jobs import NOON
from worker.clock import ClockWatch


def test_only_a_clock_that_goes_back_is_noticed() -> None:
    watch = ClockWatch()
    hour = timedelta(hours=1)
    assert watch.went_back(NOON, 100) is None
    assert watch.went_back(NOON + timedelta(seconds=5), 105) is None
    assert watch.went_back(NOON + hour, 106) is None, "forward: nobody sleeps too long"
    assert watch.went_back(NOON + timedelta(seconds=7), 107) == hour - timedelta(seconds=6)
    assert watch.went_back(NOON + timedelta(seconds=8), 108) is None, "once"
    assert watch.went_back(NOON - timedelta(seconds=20), 109) is None, "a correction"
