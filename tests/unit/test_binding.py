"""Where a job may be sent, the line it waits in, and whether a key has room for it."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from generation.job import JobState
from generation.stations.binding import candidates
from generation.stations.blocks import subject_of
from generation.stations.key_capacity import CALLED_AFTER_PAUSE, CALLED_AT_ONCE, Capacity
from generation.stations.key_health import KeyHealth, RetryWaits
from generation.stations.station import Dialect, Key, Station, Stations
from generation.stations.wait_queue import (
    held_subject,
    keys_of,
    lines,
    wait_queue_of,
    without_subject,
)
from tests.unit.jobs import NOON, a_job

RETRY_WAITS = RetryWaits(timedelta(seconds=5), timedelta(seconds=300))


def station(name: str, *keys: str, **fields: Any) -> Station:
    return Station(
        name=name,
        url="https://relay.test",
        speaks={"kling": Dialect(dialect="kling.relay")},
        keys=tuple(Key(name=key, value=SecretStr("sk")) for key in keys),
        **fields,
    )


def first(stations: Stations, **job: Any) -> tuple[str, str]:
    return candidates(stations, a_job(**job))[0].station_key


def test_stations_are_asked_in_their_order_and_each_key_once() -> None:
    both = Stations((station("second", "x", "y", order=2), station("first", "a", order=1)))
    for _ in range(20):
        names = [option.station_key for option in candidates(both, a_job())]
        assert names[0] == ("first", "a")
        assert set(names[1:]) == {("second", "x"), ("second", "y")}


def test_equals_share_by_weight_and_keys_evenly() -> None:
    both = Stations((station("heavy", "a", "b", weight=3), station("light", "a")))
    drawn = Counter(first(both, id=f"job_{number}") for number in range(2000))
    heavy = drawn["heavy", "a"] + drawn["heavy", "b"]
    assert 1400 < heavy < 1600
    assert 650 < drawn["heavy", "a"] < 850


def test_a_job_that_belongs_to_a_key_has_no_other() -> None:
    both = Stations((station("one", "a"), station("two", "a", "b")))
    bound: dict[str, Any] = {"station": "two", "key": "b"}
    assert [o.station_key for o in candidates(both, a_job(parent_id="job_1", **bound))] == [
        ("two", "b")
    ]
    assert [o.station_key for o in candidates(both, a_job(bound=True, **bound))] == [("two", "b")]
    assert candidates(both, a_job(bound=True, station="gone", key="b")) == ()
    assert candidates(both, a_job(provider="suno", operation="music")) == ()


def test_a_line_is_named_after_its_keys() -> None:
    both = Stations((station("two", "b", "a"), station("one", "a")))
    free, bound = a_job(), a_job(bound=True, station="two", key="b")
    line = wait_queue_of(free, candidates(both, free))
    assert line == "one/a two/a two/b"
    assert keys_of(line) == (("one", "a"), ("two", "a"), ("two", "b"))
    own = wait_queue_of(bound, candidates(both, bound))
    assert (own, keys_of(own)) == ("=two/b", (("two", "b"),))
    assert lines(both) == {line, "=one/a", "=two/a", "=two/b"}


def test_a_line_that_waits_for_a_model_says_so() -> None:
    one = Stations((station("one", "a"),))
    job = a_job(model="a model/with spaces für alle")
    line = wait_queue_of(job, candidates(one, job), subject_of(job))
    assert line.startswith("one/a for kling/a%20model/with%20spaces")
    assert (keys_of(line), held_subject(line)) == ((("one", "a"),), subject_of(job))
    assert without_subject(line) in lines(one)
    assert held_subject("one/a") is None
    bound = a_job(bound=True, station="one", key="a", model="v1")
    own = wait_queue_of(bound, candidates(one, bound), subject_of(bound))
    assert (own, keys_of(own)) == ("=one/a for kling/v1", (("one", "a"),))


def test_names_that_would_spoil_a_line_are_refused() -> None:
    with pytest.raises(ValidationError, match="no spaces and no slashes"):
        station("my relay", "main")
    with pytest.raises(ValidationError, match="no spaces and no slashes"):
        station("relay", "main/2")


def capacity(held: int = 0, called: int = 0, **fields: Any) -> Capacity:
    limits = {name: fields.pop(name, None) for name in ("max_in_flight", "submits_per_minute")}
    has_line = fields.pop("has_line", False)
    account = KeyHealth(station="relay", key="main", **fields)
    key = Key(name="main", value=SecretStr("sk"), **limits)
    return Capacity(key, account, held, called, has_line)


def test_a_full_key_says_so_in_words() -> None:
    full = capacity(3, max_in_flight=3)
    words = "waiting for a free slot of key main at station relay: 3 of 3 in use"
    assert full.obstacle(a_job(), NOON) == words
    assert full.to_call(NOON) == 0
    assert capacity(2, max_in_flight=3).obstacle(a_job(), NOON) is None


def test_what_one_decision_takes_the_next_one_misses() -> None:
    room = capacity(1, max_in_flight=3, submits_per_minute=60)
    assert room.obstacle(a_job(), NOON) is None
    room.take(a_job(), NOON, RETRY_WAITS)
    assert room.held == 2
    assert room.touched
    reason = room.obstacle(a_job(), NOON)
    assert reason == "waiting for key main at station relay: it takes 60 submits a minute"


def test_nobody_pushes_in_but_who_was_called() -> None:
    room = capacity(3, 1, max_in_flight=3, has_line=True)
    called = a_job(station="relay", key="main", slot_until=NOON + timedelta(seconds=1))
    assert room.obstacle(called, NOON) is None
    late = replace(called, slot_until=NOON)
    assert room.obstacle(late, NOON) is not None
    room.take(called, NOON, RETRY_WAITS)
    assert (room.held, room.called) == (3, 0), "it held its place already"
    waiting = capacity(0, max_in_flight=3, has_line=True).obstacle(a_job(), NOON)
    assert waiting == "waiting in line for key main at station relay"


def test_calls_leave_room_for_those_who_were_called() -> None:
    assert capacity(1, max_in_flight=3).to_call(NOON) == 2
    assert capacity(2, 1, max_in_flight=3).to_call(NOON) == 1
    assert capacity(0, 2, submits_per_minute=300).to_call(NOON) == 3
    assert capacity(0, 5, submits_per_minute=300).to_call(NOON) == 0
    assert capacity(0, 5).to_call(NOON) == CALLED_AT_ONCE - 5
    assert capacity(0, 0, max_in_flight=100).to_call(NOON, most=2) == 2


def test_a_blocked_key_is_tried_by_one_job_and_not_before_its_time() -> None:
    later = NOON + timedelta(seconds=30)
    trouble: dict[str, Any] = {
        "blocked_code": "out_of_credits",
        "blocked_since": NOON,
        "probe_at": later,
    }
    blocked = capacity(0, **trouble)
    assert blocked.to_call(NOON) == 0
    words = blocked.obstacle(a_job(), NOON)
    assert words == ("key main at station relay is blocked since 12:00 UTC (out_of_credits)")
    assert blocked.to_call(later) == 1
    blocked.call([a_job()], later, RETRY_WAITS)
    assert blocked.touched
    assert blocked.account.probe_at == later + timedelta(seconds=60)
    assert blocked.to_call(later) == 0, "one at a time"


def test_a_cooling_key_calls_nobody() -> None:
    cooling = capacity(0, cool_until=NOON + timedelta(seconds=5), cooled=1)
    assert cooling.to_call(NOON) == 0
    assert "too fast" in (cooling.obstacle(a_job(JobState.QUEUED), NOON) or "")
    assert cooling.to_call(NOON + timedelta(seconds=5)) == CALLED_AFTER_PAUSE
