"""What is left in an account: how it is asked for, read, and what comes of it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generation.contract.errors import AccountBlocked, ErrorCode, Fault, UnrecognizedReply
from generation.contract.reply import Reply
from generation.providers import BALANCES, known_dialects
from generation.providers.kit.balance import Balance, BalanceQuery
from generation.stations.binding import balance_query_of
from generation.stations.key_health import KeyHealth, RetryWaits
from generation.stations.key_updates import after_answer, after_balance, begin_balance
from generation.stations.station import Stations
from tests.unit.jobs import NOON, a_submit
from tests.unit.test_lanes import stations

RETRY_WAITS = RetryWaits(timedelta(seconds=5), timedelta(seconds=300))
EVERY = RETRY_WAITS.between_balances
EMPTY = AccountBlocked("no money", code=ErrorCode.OUT_OF_CREDITS)
BLOCKED = after_answer(KeyHealth.of(("relay", "main")), EMPTY, a_submit(), NOON, RETRY_WAITS)

SUBSCRIPTION = {"object": "billing_subscription", "hard_limit_usd": 100, "access_until": 0}
PACK = {"resource_pack_type": "decreasing_total", "total_quantity": 100, "status": "online"}


def packs(*packs: Mapping[str, Any]) -> Mapping[str, Any]:
    found = {"code": 0, "msg": "success", "resource_pack_subscribe_infos": packs}
    return {"code": 0, "message": "SUCCEED", "request_id": "req-1", "data": found}


@pytest.mark.parametrize(
    ("dialect", "answers", "balance"),
    [
        ("luma.dream_machine", [{"credit_balance": 1250}], Balance(12.5, "USD")),
        ("flux.bfl", [{"credits": 0}], Balance(0, "credits")),
        (
            "kling.v1",
            [packs({**PACK, "remaining_quantity": 3}, {**PACK, "remaining_quantity": 4.5})],
            Balance(7.5, "units", is_all=False),
        ),
        (
            "kling.v2",
            [packs({**PACK, "remaining_quantity": 9, "status": "expired"})],
            Balance(0, "units", is_all=False),
        ),
        (
            "kling.relay",
            [SUBSCRIPTION, {"total_usage": 2500}],
            Balance(75, "USD"),
        ),
        ("suno.newapi", [SUBSCRIPTION, {"total_usage": 10000}], Balance(0, "USD")),
    ],
)
def test_it_is_read_as_the_contracts_have_it(
    dialect: str, answers: Sequence[Mapping[str, Any]], balance: Balance
) -> None:
    assert read(BALANCES[dialect], *answers) == balance


@pytest.mark.parametrize(
    ("dialect", "answers"),
    [
        ("kling.relay", [SUBSCRIPTION, {"total_usage": 10001}]),  # less than nothing: a known bug
        ("kling.relay", [{"error": {"message": "no", "type": "one_api_error"}}, {}]),
        ("kling.relay", [SUBSCRIPTION, {"total_usage": True}]),
        ("kling.v1", [packs()]),  # it has no packs: billed afterwards
        ("kling.v1", [{"code": 1000, "message": "no"}]),
        ("flux.bfl", [{"detail": "Not Found"}]),
        ("luma.dream_machine", [{"credit_balance": "12"}]),
    ],
)
def test_what_says_nothing_of_it_is_a_fault(
    dialect: str, answers: Sequence[Mapping[str, Any]]
) -> None:
    with pytest.raises(UnrecognizedReply):
        read(BALANCES[dialect], *answers)


NAMES = st.sampled_from(
    [
        *("data", "resource_pack_subscribe_infos", "status", "remaining_quantity"),
        *("credits", "credit_balance", "hard_limit_usd", "total_usage"),
    ]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=20,
)
BODIES = JSON.map(json.dumps).map(str.encode) | st.binary(max_size=50)


@given(
    body=JSON.map(json.dumps).map(str.encode) | st.binary(max_size=50), status=st.integers(1, 999)
)
def test_whatever_comes_is_a_balance_or_a_fault(body: bytes, status: int) -> None:
    for query in BALANCES.values():
        replies = [Reply(status, body)] * len(query.build(NOON))
        try:
            balance = query.parse(replies)
        except Fault:
            continue
        assert balance.left == balance.left, "a number"


def read(query: BalanceQuery, *answers: Mapping[str, Any]) -> Balance:
    assert len(query.build(NOON)) == len(answers)
    return query.parse([Reply(200, json.dumps(answer).encode()) for answer in answers])


def test_relays_are_asked_at_their_root_and_vendors_as_they_say() -> None:
    assert set(BALANCES) <= known_dialects()
    calls = BALANCES["midjourney.station"].build(NOON)
    root = "/v1/dashboard/billing"
    assert [call.path for call in calls] == [f"{root}/subscription", f"{root}/usage"]
    assert all(call.rooted and call.method == "GET" for call in calls)
    (costs,) = BALANCES["kling.v1"].build(datetime(2026, 1, 31, 12, tzinfo=UTC))
    assert (costs.path, costs.params["end_time"]) == ("/account/costs", "1769860800000")
    found = balance_query_of(stations(), ("one", "main"))
    assert found is not None
    assert found[1] is BALANCES["kling.relay"]
    assert balance_query_of(Stations(()), ("one", "main")) is None


def test_one_at_a_time_asks_and_only_where_money_is_the_trouble() -> None:
    begun = begin_balance(BLOCKED, NOON, RETRY_WAITS)
    assert begun.balance_at == NOON + EVERY
    assert begin_balance(begun, NOON + EVERY / 2, RETRY_WAITS) is begun
    assert begin_balance(begun, NOON + EVERY, RETRY_WAITS).balance_at == NOON + 2 * EVERY
    wrong_key = replace(BLOCKED, blocked_code=ErrorCode.AUTH.value)
    assert begin_balance(wrong_key, NOON, RETRY_WAITS) is wrong_key


def told(account: KeyHealth, *figures: float, is_all: bool = True) -> KeyHealth:
    """The account after being told each of these, as often as it asks."""
    for turn, left in enumerate(figures):
        now = NOON + turn * EVERY
        account = after_balance(account, Balance(left, "USD", is_all), now, RETRY_WAITS)
    return account


def test_an_empty_account_is_not_tried_for_as_long_as_it_says_so() -> None:
    held = told(BLOCKED, *[0.0] * 50)
    assert (held.blocked_code, held.balance, held.balance_unit) == ("out_of_credits", 0, "USD")
    assert held.is_blocked(NOON + 50 * EVERY)
    assert not held.is_blocked(NOON + 52 * EVERY), "nobody answers any more: a job tries it"


@pytest.mark.parametrize("before", [0, 0.03, -5])
def test_credit_that_was_added_ends_the_trouble(before: float) -> None:
    assert told(BLOCKED, before, 20) == KeyHealth.of(BLOCKED.name)


@pytest.mark.parametrize("figures", [(3,), (3, 3), (3, 2)])
def test_what_was_there_all_the_time_is_too_little(figures: tuple[float, ...]) -> None:
    after = told(BLOCKED, *figures)
    assert (after.blocked_code, after.probe_at) == (BLOCKED.blocked_code, BLOCKED.probe_at)


def test_nothing_proves_nothing_where_there_may_be_other_money() -> None:
    assert told(BLOCKED, 0, 0, is_all=False).probe_at == BLOCKED.probe_at
    assert told(BLOCKED, 0, 100, is_all=False).blocked_code is None


def test_a_balance_says_nothing_of_a_key_that_is_well() -> None:
    fine = KeyHealth.of(("relay", "main"))
    assert told(fine, 0, 20) is fine
