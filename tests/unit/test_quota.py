"""What a key's limits allow, as tables."""

from datetime import date, timedelta

import pytest

from generation.access.permissions import Access, Limits, Rate, read_rate
from generation.access.quota import (
    DAILY,
    IN_FLIGHT,
    RATE,
    KeyUsage,
    QuotaExceeded,
    limit_statuses,
    take,
    use_all,
)
from tests.unit.jobs import NOON

MINUTE = timedelta(minutes=1)


def after(limits: Limits, moments: list[float]) -> list[bool]:
    """Which jobs are taken that come so many seconds after noon."""
    usage, taken = KeyUsage(), list[bool]()
    for seconds in moments:
        outcome = take(limits, usage, NOON + timedelta(seconds=seconds))
        taken.append(isinstance(outcome, KeyUsage))
        if isinstance(outcome, KeyUsage):
            usage = outcome
    return taken


class TestRate:
    @pytest.mark.parametrize(
        ("text", "rate"),
        [
            ("10/s", Rate(10, timedelta(seconds=1))),
            (" 60/m", Rate(60, MINUTE)),
            ("500/h", Rate(500, timedelta(hours=1))),
        ],
    )
    def test_it_is_read_as_it_is_written(self, text: str, rate: Rate) -> None:
        assert read_rate(text) == rate
        assert str(rate) == text.strip()

    @pytest.mark.parametrize("text", ["", "0/s", "-1/m", "10", "10/d", "1.5/s", "ten/s", "1/s/s"])
    def test_what_is_no_rate_is_refused(self, text: str) -> None:
        with pytest.raises(ValueError, match="as in 10/s"):
            read_rate(text)

    def test_a_window_full_may_come_at_once_and_no_more(self) -> None:
        limits = Limits(rate=Rate(3, MINUTE))
        assert after(limits, [0, 0, 0, 0, 1]) == [True, True, True, False, False]

    def test_then_one_an_interval(self) -> None:
        limits = Limits(rate=Rate(3, MINUTE))
        moments = [0, 0, 0, 19, 20, 20.1, 40, 60, 61]
        assert after(limits, moments) == [True] * 3 + [False, True, False, True, True, False]

    def test_over_a_long_time_it_is_the_rate(self) -> None:
        limits = Limits(rate=Rate(60, MINUTE))
        taken = after(limits, [n / 10 for n in range(6000)])
        assert sum(taken) == 60 + 599

    def test_a_refusal_says_exactly_when(self) -> None:
        limits = Limits(rate=Rate(2, MINUTE))
        usage = KeyUsage()
        for _ in range(2):
            outcome = take(limits, usage, NOON)
            assert isinstance(outcome, KeyUsage)
            usage = outcome
        refused = take(limits, usage, NOON + timedelta(seconds=10))
        assert isinstance(refused, QuotaExceeded)
        assert (refused.policy, refused.wait) == (RATE, timedelta(seconds=20))
        assert isinstance(take(limits, usage, NOON + timedelta(seconds=30)), KeyUsage)

    def test_a_clock_that_went_back_gives_nothing_away(self) -> None:
        limits = Limits(rate=Rate(1, MINUTE))
        assert after(limits, [0, -3600, -1]) == [True, False, False]


class TestTogether:
    FOUR = Limits(rate=Rate(4, MINUTE))

    def test_a_refusal_says_when_all_of_them_may_come(self) -> None:
        usage = use_all(self.FOUR, KeyUsage(), [NOON] * 2)
        assert isinstance(usage, KeyUsage)
        refused = use_all(self.FOUR, usage, [NOON] * 4)
        assert isinstance(refused, QuotaExceeded)
        assert (refused.policy, refused.wait, refused.together) == (RATE, MINUTE / 2, True)
        early = NOON + MINUTE / 2 - timedelta(milliseconds=1)
        assert isinstance(use_all(self.FOUR, usage, [early] * 4), QuotaExceeded)
        assert isinstance(use_all(self.FOUR, usage, [NOON + MINUTE / 2] * 4), KeyUsage)

    @pytest.mark.parametrize(
        ("limits", "policy"),
        [
            (Limits(rate=Rate(4, MINUTE)), RATE),
            (Limits(max_in_flight=4), IN_FLIGHT),
            (Limits(daily_jobs=4), DAILY),
        ],
    )
    def test_more_than_is_ever_allowed_is_told_as_that(self, limits: Limits, policy: str) -> None:
        assert isinstance(use_all(limits, KeyUsage(), [NOON] * 4), KeyUsage)
        refused = use_all(limits, KeyUsage(), [NOON] * 5)
        assert isinstance(refused, QuotaExceeded)
        assert (refused.policy, refused.wait) == (policy, None)
        assert "more than 4 together" in refused.detail


class TestOtherLimits:
    def test_in_flight(self) -> None:
        limits = Limits(max_in_flight=2)
        assert isinstance(take(limits, KeyUsage(in_flight=1), NOON), KeyUsage)
        refused = take(limits, KeyUsage(in_flight=2), NOON)
        assert isinstance(refused, QuotaExceeded)
        assert refused.policy == IN_FLIGHT
        assert "2 jobs unfinished at once" in refused.detail

    def test_a_day_ends_at_midnight_utc(self) -> None:
        limits = Limits(daily_jobs=1)
        used = KeyUsage(day=NOON.date(), jobs_today=1)
        refused = take(limits, used, NOON)
        assert isinstance(refused, QuotaExceeded)
        assert (refused.policy, refused.wait) == (DAILY, timedelta(hours=12))
        tomorrow = take(limits, used, NOON + timedelta(hours=12))
        assert isinstance(tomorrow, KeyUsage)
        assert (tomorrow.day, tomorrow.jobs_today) == (date(2026, 2, 1), 1)

    def test_a_refusal_uses_up_nothing(self) -> None:
        limits = Limits(rate=Rate(5, MINUTE), max_in_flight=1, daily_jobs=5)
        usage = KeyUsage(in_flight=1)
        refused = take(limits, usage, NOON)
        assert isinstance(refused, QuotaExceeded)
        assert refused.usage is usage

    def test_no_limits_allow_everything(self) -> None:
        assert not Limits()
        assert isinstance(
            take(Limits(), KeyUsage(in_flight=10**6, jobs_today=10**6), NOON), KeyUsage
        )


class TestStandings:
    def test_each_limit_says_what_is_left(self) -> None:
        limits = Limits(rate=Rate(60, MINUTE), max_in_flight=20, daily_jobs=100)
        whole_at = NOON + timedelta(seconds=3.5)
        usage = KeyUsage(whole_at=whole_at, day=NOON.date(), jobs_today=40, in_flight=5)
        rate, in_flight, daily = limit_statuses(limits, usage, NOON)
        assert (rate.policy, rate.quota, rate.window, rate.remaining) == (RATE, 60, MINUTE, 56)
        assert rate.more_in == timedelta(seconds=0.5)
        assert (in_flight.policy, in_flight.remaining, in_flight.more_in) == (IN_FLIGHT, 15, None)
        assert (daily.remaining, daily.more_in) == (60, timedelta(hours=12))

    def test_nothing_left(self) -> None:
        usage = KeyUsage(whole_at=NOON + MINUTE, day=NOON.date(), jobs_today=9, in_flight=9)
        limits = Limits(rate=Rate(60, MINUTE), max_in_flight=3, daily_jobs=4)
        assert [each.remaining for each in limit_statuses(limits, usage, NOON)] == [0, 0, 0]

    def test_nothing_used(self) -> None:
        (rate,) = limit_statuses(Limits(rate=Rate(60, MINUTE)), KeyUsage(), NOON)
        assert (rate.remaining, rate.more_in) == (60, timedelta(0))


def test_a_key_permits_its_providers() -> None:
    assert Access().permits("kling")
    assert Access(providers=frozenset({"kling"})).permits("kling")
    assert not Access(providers=frozenset({"kling"})).permits("suno")
