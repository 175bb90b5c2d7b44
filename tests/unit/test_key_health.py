"""What is known of a key: called too fast, blocked, well again; and its submits a minute."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from pydantic import SecretStr

from generation.contract.errors import (
    AccountBlocked,
    ErrorCode,
    InDoubt,
    QueueFull,
    Rejected,
    Throttled,
)
from generation.contract.pauses import LONGEST_SUBMIT_PAUSE
from generation.contract.status import Accepted
from generation.stations.key_health import KeyHealth, RetryWaits
from generation.stations.key_updates import after_answer, begin_probe
from generation.stations.station import Key
from generation.stations.submit_rate import submits_left, submitted
from tests.unit.jobs import NOON, a_submit

FRESH = KeyHealth(station="relay", key="main")
RETRY_WAITS = RetryWaits(timedelta(seconds=5), timedelta(seconds=300))
#: Another job was told that it was sent too fast.
TOLD_ONCE = replace(FRESH, throttled="job_0", cooled_at=NOON)
NO_MONEY = AccountBlocked("balance is 0", code=ErrorCode.OUT_OF_CREDITS)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def test_a_key_called_too_fast_rests_twice_as_long_each_time() -> None:
    account = after_answer(FRESH, Throttled("too fast"), a_submit("job_0"), NOON, RETRY_WAITS)
    assert not account.is_cooling(NOON), "one job alone is no reason"
    now, waits = NOON, list[float]()
    for number in range(8):
        sent = a_submit(f"job_{number % 2 + 1}")
        account = after_answer(account, Throttled("too fast"), sent, now, RETRY_WAITS)
        assert account.cool_until is not None
        waits.append((account.cool_until - now).total_seconds())
        now = account.cool_until
    assert waits == [5, 10, 20, 40, 80, 160, 300, 300]


def test_refusals_of_what_was_sent_together_count_once() -> None:
    account = FRESH
    for number in range(20):
        sent = a_submit(f"job_{number}")
        account = after_answer(account, Throttled("too fast"), sent, NOON, RETRY_WAITS)
    assert (account.cooled, account.cool_until) == (1, at(5))


def test_a_station_that_says_how_long_is_obeyed() -> None:
    asked = Throttled("too fast", retry_after=timedelta(seconds=17))
    assert after_answer(TOLD_ONCE, asked, a_submit(), NOON, RETRY_WAITS).cool_until == at(17)


def test_a_job_that_is_told_so_again_and_again_pauses_nobody_else() -> None:
    account, asked = FRESH, Throttled("too fast", retry_after=timedelta(hours=1))
    for number in range(5):
        account = after_answer(account, asked, a_submit(), at(number), RETRY_WAITS)
    assert not account.concerns("kling/text2video", at(5))
    account = after_answer(account, Accepted("1"), a_submit("job_2", seconds=5), at(6), RETRY_WAITS)
    account = after_answer(account, asked, a_submit("job_3"), at(7), RETRY_WAITS)
    assert not account.is_cooling(at(7)), "others pass in between"


def test_a_blocked_key_is_tried_ever_more_slowly() -> None:
    account = after_answer(FRESH, NO_MONEY, a_submit(), NOON, RETRY_WAITS)
    assert (account.blocked_code, account.blocked_since) == ("out_of_credits", NOON)
    now, waits = NOON, list[float]()
    for _ in range(7):
        assert account.is_blocked(now)
        assert account.probe_at is not None
        waits.append((account.probe_at - now).total_seconds())
        now = account.probe_at
        assert not account.is_blocked(now), "a trial is due"
        account = begin_probe(account, now, RETRY_WAITS)
        account = after_answer(account, NO_MONEY, a_submit(), now, RETRY_WAITS)
    assert waits == [30, 60, 120, 240, 480, 600, 600]
    assert account.blocked_since == NOON


@pytest.mark.parametrize("answer", [Accepted("1"), Rejected("bad prompt")])
def test_a_key_that_is_let_in_is_well_again(answer: object) -> None:
    troubled = after_answer(FRESH, NO_MONEY, a_submit(), NOON, RETRY_WAITS)
    troubled = after_answer(troubled, Throttled("too fast"), a_submit(), NOON, RETRY_WAITS)
    well = after_answer(troubled, answer, a_submit(seconds=6), at(7), RETRY_WAITS)
    assert replace(well, blocks=FRESH.blocks) == FRESH
    assert not well.concerns("kling/text2video", at(7))


def test_an_older_call_that_is_answered_does_not_end_a_pause() -> None:
    asked = Throttled("too fast", retry_after=timedelta(seconds=7))
    paused = after_answer(TOLD_ONCE, asked, a_submit(seconds=1), at(2), RETRY_WAITS)
    for sent, answered in ((0, 3), (1.9, 8), (1, 30)):
        after = after_answer(
            paused, Accepted("1"), a_submit(seconds=sent), at(answered), RETRY_WAITS
        )
        assert after is paused, f"sent {sent}, answered {answered}"
    early = after_answer(paused, Accepted("1"), a_submit(seconds=3), at(4), RETRY_WAITS)
    assert early is paused, "nothing ends it before Retry-After"
    after = after_answer(paused, Accepted("1"), a_submit(seconds=9.5), at(10), RETRY_WAITS)
    assert (after.cooled, after.cool_until) == (0, None)


def test_no_pause_is_longer_than_an_hour() -> None:
    absurd = Throttled("too fast", retry_after=timedelta(days=1))
    paused = after_answer(TOLD_ONCE, absurd, a_submit(), NOON, RETRY_WAITS)
    assert paused.cool_until == NOON + LONGEST_SUBMIT_PAUSE
    assert not replace(FRESH, cool_until=NOON + timedelta(days=1)).is_cooling(NOON)


def test_a_key_is_not_bought_from_while_it_may_not_be_looked_at() -> None:
    unwatched = replace(FRESH, look_after=at(60))
    assert unwatched.concerns("kling/any", at(59))
    assert not unwatched.concerns("kling/any", at(60))
    absurd = replace(FRESH, look_after=NOON + timedelta(days=1))
    assert not absurd.is_unwatched(NOON), "longer than any pause of looks"


@pytest.mark.parametrize("answer", [InDoubt("no answer"), QueueFull("full")])
def test_what_says_nothing_of_the_key_changes_nothing(answer: object) -> None:
    troubled = after_answer(FRESH, NO_MONEY, a_submit(), NOON, RETRY_WAITS)
    assert after_answer(troubled, answer, a_submit(seconds=1), at(2), RETRY_WAITS) is troubled
    assert after_answer(FRESH, answer, a_submit(seconds=1), at(2), RETRY_WAITS) is FRESH


@pytest.mark.parametrize("per_minute", [1, 6, 59, 60, 61, 90, 600, 5000])
def test_no_minute_sees_more_than_its_submits(per_minute: int) -> None:
    key = Key(name="main", value=SecretStr("sk"), submits_per_minute=per_minute)
    account, sent = FRESH, list[datetime]()
    for tenth in range(1300):  # whoever can, sends, ten times a second, for more than two minutes
        now = at(tenth / 10)
        left = submits_left(account, key, now)
        assert left is not None
        for _ in range(left):
            sent.append(now)
            account = submitted(account, key, now)
    minute = timedelta(minutes=1)
    most = max(sum(start <= each < start + minute for each in sent) for start in set(sent))
    assert most <= per_minute
    assert len(sent) >= 2 * per_minute, "and the key's whole allowance can be used"


def test_a_clock_that_was_wrong_does_not_close_a_key() -> None:
    key = Key(name="main", value=SecretStr("sk"), submits_per_minute=60)
    ahead = submitted(FRESH, key, at(3600))
    assert submits_left(ahead, key, NOON) == 1
    assert submitted(ahead, key, NOON).full_at == at(1)


def test_clocks_that_differ_a_little_open_no_key() -> None:
    key = Key(name="main", value=SecretStr("sk"), submits_per_minute=60)
    elsewhere = submitted(FRESH, key, at(0.2))
    assert submits_left(elsewhere, key, NOON) == 0, "sent by a machine that is a moment ahead"


def test_a_key_without_such_a_limit_keeps_no_count() -> None:
    key = Key(name="main", value=SecretStr("sk"))
    assert submits_left(FRESH, key, NOON) is None
    assert submitted(FRESH, key, NOON) is FRESH
