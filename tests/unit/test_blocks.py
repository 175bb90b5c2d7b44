"""
What a refusal holds for: the job, its model at the key, the key.
"""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from pydantic import SecretStr

from generation.contract.errors import (
    AccountBlocked,
    ErrorCode,
    Fault,
    NotAccepted,
    Rejected,
    Scope,
    Throttled,
)
from generation.contract.status import Accepted
from generation.stations.blocks import REMEMBERED, SubmitRef, is_the_job, subject_of
from generation.stations.key_capacity import Capacity
from generation.stations.key_health import KeyHealth, RetryWaits
from generation.stations.key_updates import after_answer, begin_trial
from generation.stations.station import Key
from tests.unit.jobs import NOON, a_job, a_submit

FRESH = KeyHealth(station="relay", key="main")
RETRY_WAITS = RetryWaits(timedelta(seconds=5), timedelta(seconds=300))
UNKNOWN = AccountBlocked("not permitted for your account", scope=Scope.ORDER)
UNVERIFIED = AccountBlocked("verify your organization to use it", scope=Scope.MODEL)
WRONG_KEY = AccountBlocked("incorrect API key")
SLOW = Throttled("slow", scope=Scope.MODEL)
EMPTY_RELAY = NotAccepted("the channel's balance is too low", scope=Scope.MODEL)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def answered(account: KeyHealth, answer: object, sent: SubmitRef) -> KeyHealth:
    """The account after an answer that came half a second after its submit."""
    return after_answer(account, answer, sent, sent.at + timedelta(seconds=0.5), RETRY_WAITS)


def told(*steps: tuple[object, str, str], account: KeyHealth = FRESH) -> KeyHealth:
    """The account after these answers, one a second: answer, job, model."""
    latest = max((block.refused_at for block in account.blocks), default=at(-0.5))
    began = (latest - NOON).total_seconds() + 0.5
    for number, (answer, job_id, model) in enumerate(steps):
        account = answered(account, answer, a_submit(job_id, model, began + number))
    return account


def held(account: KeyHealth, seconds: float = 60) -> list[str]:
    return [block.subject for block in account.blocks.held(at(seconds))]


@pytest.mark.parametrize("fault", [UNKNOWN, UNVERIFIED, EMPTY_RELAY, SLOW])
def test_a_refusal_holds_for_the_job_alone_at_first(fault: Fault) -> None:
    account = told((fault, "job_1", "v1"), (fault, "job_1", "v1"))
    assert (held(account), account.blocked_code) == ([], None)
    assert not account.concerns("kling/v1", at(60))


def test_a_second_different_job_holds_the_model() -> None:
    account = told((UNKNOWN, "job_1", "v1"), (UNKNOWN, "job_2", "v1"))
    assert (held(account), account.blocked_code) == (["kling/v1"], None)
    assert account.concerns("kling/v1", at(60))
    assert not account.concerns("kling/v2", at(60))


def test_a_second_model_refused_for_reasons_unknown_blocks_the_key() -> None:
    one = told((UNKNOWN, "job_1", "v1"), (UNKNOWN, "job_2", "v1"))
    both = told((UNKNOWN, "job_3", "v2"), (UNKNOWN, "job_4", "v2"), account=one)
    assert both.blocked_code == ErrorCode.AUTH


def test_two_models_that_are_named_do_not_block_the_key() -> None:
    account = told((UNVERIFIED, "job_1", "v1"), (UNVERIFIED, "job_2", "v1"))
    account = told((UNVERIFIED, "job_3", "v2"), (UNVERIFIED, "job_4", "v2"), account=account)
    assert (held(account), account.blocked_code) == (["kling/v1", "kling/v2"], None)


def test_models_do_not_add_up_while_others_pass() -> None:
    account = told(
        (UNKNOWN, "job_1", "v1"), (UNKNOWN, "job_2", "v1"), (Accepted("1"), "job_5", "x")
    )
    account = told((UNKNOWN, "job_3", "v2"), (UNKNOWN, "job_4", "v2"), account=account)
    assert account.blocked_code is None


def test_jobs_of_other_models_are_sent_while_one_is_held() -> None:
    account = told((EMPTY_RELAY, "job_1", "v1"), (EMPTY_RELAY, "job_2", "v1"))
    capacity = Capacity(Key(name="main", value=SecretStr("sk")), account)
    assert capacity.obstacle(a_job(model="v2"), at(2)) is None
    reason = capacity.obstacle(a_job(model="v1"), at(2)) or ""
    assert "key main at station relay is refused for kling/v1 since 12:00 UTC" in reason
    assert "the channel's balance is too low" in reason


def test_a_job_refused_again_while_others_of_its_provider_pass_has_failed() -> None:
    again = a_submit("job_1", "v1", 60)
    once = told((UNKNOWN, "job_1", "v1"))
    assert not is_the_job(once.blocks, UNKNOWN, again), "nobody else has passed"
    others = told((Accepted("1"), "job_2", "v2"), account=replace(once))
    older = answered(once, Accepted("1"), a_submit("job_2", "v2", -1))
    assert not is_the_job(older.blocks, UNKNOWN, again), "sent before the refusal"
    passed = answered(others, Accepted("1"), a_submit("job_2", "v2", 20))
    assert is_the_job(passed.blocks, UNKNOWN, again)
    assert is_the_job(passed.blocks, WRONG_KEY, again), "whatever the words are"
    assert not is_the_job(passed.blocks, EMPTY_RELAY, again), "that passes by itself"
    assert not is_the_job(passed.blocks, UNKNOWN, a_submit("job_3", "v1", 60)), "another one"


def test_other_providers_do_not_speak_for_a_job_but_for_the_key() -> None:
    suno = SubmitRef(job_id="job_9", provider="suno", subject="suno.music", at=at(20))
    account = answered(told((WRONG_KEY, "job_1", "v1")), Accepted("1"), suno)
    assert account.blocked_code is None
    again = a_submit("job_1", "v1", 60)
    assert not is_the_job(account.blocks, WRONG_KEY, again)
    account = answered(account, WRONG_KEY, again)
    assert account.blocked_code is None, "others pass with this key"
    assert held(account, 61) == ["kling/v1"]


def test_a_key_that_runs_dry_twice_is_blocked_twice() -> None:
    steps = [(WRONG_KEY, "job_1", "v1"), (Accepted("1"), "job_2", "v1")]
    account = told(*steps)
    assert account.blocked_code is None
    account = answered(account, WRONG_KEY, a_submit("job_3", "v1", 60))
    assert account.blocked_code == ErrorCode.AUTH


def test_what_was_sent_before_a_block_does_not_end_it() -> None:
    account = told((WRONG_KEY, "job_1", "v1"))
    old = answered(account, Accepted("1"), a_submit("job_2", "v1", -5))
    assert old is account
    assert answered(account, Rejected("bad prompt"), a_submit("job_2", "v1", -5)) is account


def test_a_held_model_is_tried_ever_more_slowly_and_freed_by_a_pass() -> None:
    account = told((EMPTY_RELAY, "job_1", "v1"), (EMPTY_RELAY, "job_2", "v1"))
    now, waits = at(1.5), list[float]()
    for number in range(4):
        block = account.blocks.get("kling/v1")
        assert block is not None
        assert block.probe_at is not None
        waits.append((block.probe_at - now).total_seconds())
        now = block.probe_at
        account = begin_trial(account, "kling/v1", f"job_{number}", now, RETRY_WAITS)
        account = after_answer(
            account, EMPTY_RELAY, replace(a_submit(f"job_{number}", "v1"), at=now), now, RETRY_WAITS
        )
    assert waits == [30, 60, 120, 240]
    sent = replace(a_submit("job_8", "v1"), at=now)
    account = after_answer(account, Accepted("1"), sent, now, RETRY_WAITS)
    assert account.blocks.held(now) == []
    assert after_answer(account, Accepted("1"), sent, now, RETRY_WAITS) is account, "no news"


def test_refusals_are_forgotten() -> None:
    account = told((EMPTY_RELAY, "job_1", "v1"), (EMPTY_RELAY, "job_2", "v1"))
    assert held(account, REMEMBERED.total_seconds()) == ["kling/v1"]
    assert held(account, REMEMBERED.total_seconds() + 2) == []
    assert held(account, -3600) == [], "a clock that was an hour ahead"


def test_a_retry_after_holds_a_model_for_as_long() -> None:
    slow = Throttled("slow", scope=Scope.MODEL, retry_after=timedelta(seconds=17))
    block = told((slow, "job_1", "v1"), (slow, "job_2", "v1")).blocks.get("kling/v1")
    assert block is not None
    assert block.probe_at == at(18.5)


def test_a_job_without_a_model_has_its_operation() -> None:
    assert subject_of(a_job(model="v1")) == "kling/v1"
    assert subject_of(a_job()) == "kling.text2video"
