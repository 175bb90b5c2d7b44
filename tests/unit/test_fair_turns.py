"""Whose turn it is, and who stands where in line."""

from datetime import timedelta

from generation.stations.fair_turns import by_turn, in_turn, place
from tests.unit.jobs import NOON


def test_who_was_served_longest_ago_is_next() -> None:
    served = {"a": NOON, "b": NOON - timedelta(seconds=1), "c": NOON + timedelta(seconds=1)}
    assert by_turn(["a", "b", "c", "new"], served) == ["new", "b", "a", "c"]


def test_tenants_take_turns_whatever_they_have_waiting() -> None:
    waiting = {"a": ["a1", "a2", "a3"], "b": ["b1"], "c": [], "d": ["d1", "d2"]}
    assert in_turn(waiting, 5) == ["a1", "b1", "d1", "a2", "d2"]
    assert in_turn(waiting, 99) == ["a1", "b1", "d1", "a2", "d2", "a3"]
    assert in_turn({}, 3) == []


def test_a_place_in_line_counts_the_turns_of_the_others() -> None:
    assert place(0, {}, {}) == 1
    assert place(0, {"b": 9}, {"b": True}) == 2
    assert place(0, {"b": 9}, {"b": False}) == 1
    assert place(3, {"b": 9, "c": 1}, {"b": True, "c": False}) == 3 + 4 + 1 + 1


def test_places_agree_with_the_order_of_calls() -> None:
    waiting = {"a": [f"a{n}" for n in range(4)], "b": [f"b{n}" for n in range(2)], "c": ["c0"]}
    order = in_turn(waiting, 99)
    for tenant, own in waiting.items():
        others = {name: len(theirs) for name, theirs in waiting.items() if name != tenant}
        first = {name: name < tenant for name in others}
        for ahead, job_id in enumerate(own):
            assert place(ahead, others, first) == order.index(job_id) + 1
