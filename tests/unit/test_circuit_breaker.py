"""
A station's breaker: when it opens, when it tries again, what it does not hold against a station.
"""

import pytest

from generation.contract.errors import (
    AccountBlocked,
    ErrorCode,
    InDoubt,
    NotAccepted,
    QueueFull,
    Rejected,
    Scope,
    Throttled,
    Unreachable,
    UnrecognizedReply,
)
from generation.contract.status import Accepted, Running
from generation.stations.circuit_breaker import (
    OPEN_SECONDS,
    OTHERS_FIRST_SECONDS,
    TRIALS,
    WINDOW_SECONDS,
    CircuitBreaker,
    CircuitState,
    verdict,
)


def heard(*outcomes: bool, at: float = 0.0) -> CircuitBreaker:
    breaker = CircuitBreaker()
    for ok in outcomes:
        breaker.heard(ok, at)
    return breaker


def test_ten_failures_in_a_row_open_it_whatever_came_before():
    breaker = heard(*[True] * 1000, *[False] * 9)
    assert breaker.state(0) is CircuitState.CLOSED
    breaker.heard(False, 0)
    assert breaker.state(0) is CircuitState.OPEN


def test_seven_of_ten_failures_open_it_and_six_do_not():
    assert heard(*[False, False, True] * 3, False).state(0) is CircuitState.OPEN
    assert heard(*[False, True] * 4, False, False).state(0) is CircuitState.CLOSED


def test_nine_requests_are_too_few_to_judge():
    assert heard(*[False] * 9).state(0) is CircuitState.CLOSED


def test_what_is_older_than_the_window_is_forgotten():
    breaker = heard(*[False, False, True] * 3)
    breaker.heard(False, WINDOW_SECONDS)
    assert breaker.state(WINDOW_SECONDS) is CircuitState.CLOSED


def test_an_open_one_tries_again_after_half_a_minute_and_closes_after_five_answers():
    breaker = heard(*[False] * 10)
    later = OPEN_SECONDS
    assert breaker.state(later - 0.1) is CircuitState.OPEN
    assert breaker.state(later) is CircuitState.HALF_OPEN
    for _ in range(4):
        breaker.heard(True, later)
    assert breaker.state(later) is CircuitState.HALF_OPEN
    breaker.heard(True, later)
    assert breaker.state(later) is CircuitState.CLOSED


def test_one_failure_while_half_open_opens_it_for_as_long_again():
    breaker = heard(*[False] * 10)
    breaker.heard(True, OPEN_SECONDS)
    breaker.heard(False, OPEN_SECONDS)
    assert breaker.state(2 * OPEN_SECONDS - 0.1) is CircuitState.OPEN
    assert breaker.state(2 * OPEN_SECONDS) is CircuitState.HALF_OPEN


def test_answers_to_what_was_asked_before_it_opened_change_nothing():
    breaker = heard(*[False] * 10)
    for _ in range(10):
        breaker.heard(True, 1)
    assert breaker.state(2) is CircuitState.OPEN


def test_a_closed_one_starts_with_a_clean_window():
    breaker = heard(*[False] * 10)
    for _ in range(5):
        breaker.heard(True, OPEN_SECONDS)
    for _ in range(9):
        breaker.heard(False, OPEN_SECONDS)
    assert breaker.state(OPEN_SECONDS) is CircuitState.CLOSED


def test_one_job_whose_looks_always_fail_opens_no_breaker():
    breaker = CircuitBreaker()
    for second in range(600):
        breaker.heard(False, second, "job_sick")
    assert breaker.state(600) is CircuitState.CLOSED


def test_ten_different_jobs_whose_looks_fail_open_it():
    breaker = CircuitBreaker()
    for number in range(10):
        breaker.heard(False, number, f"job_{number}")
    assert breaker.state(10) is CircuitState.OPEN


def test_failed_connections_open_it_whatever_they_were_about():
    assert heard(*[False] * 10).state(0) is CircuitState.OPEN


def test_a_job_that_was_answered_and_fails_again_counts_again():
    breaker = CircuitBreaker()
    for _ in range(10):
        breaker.heard(False, 0, "job_1")
        breaker.heard(True, 0, "job_1")
    for number in range(2, 20):
        breaker.heard(False, 0, f"job_{number}")
    assert breaker.state(0) is CircuitState.OPEN


def opened_by_ten() -> CircuitBreaker:
    breaker = CircuitBreaker()
    for number in range(10):
        breaker.heard(False, 0, f"job_{number}")
    return breaker


def test_trials_go_first_to_jobs_that_did_not_fail():
    breaker = opened_by_ten()
    later = OPEN_SECONDS
    assert not breaker.may_try("job_new", later - 1)
    assert breaker.may_try("job_new", later)
    assert not breaker.may_try("job_3", later)
    assert breaker.may_try("job_3", later + OTHERS_FIRST_SECONDS), "there is no other"
    breaker.heard(False, later + OTHERS_FIRST_SECONDS, "job_3")
    assert breaker.state(later + OTHERS_FIRST_SECONDS) is CircuitState.OPEN


def test_once_another_job_has_passed_those_that_failed_before_do_not_reopen_it():
    breaker = opened_by_ten()
    breaker.heard(True, OPEN_SECONDS, "job_new")
    breaker.heard(False, OPEN_SECONDS, "job_3")
    assert breaker.state(OPEN_SECONDS) is CircuitState.HALF_OPEN
    for _ in range(TRIALS - 1):
        breaker.heard(True, OPEN_SECONDS, "job_new")
    for number in range(10):
        breaker.heard(False, OPEN_SECONDS, f"job_{number}")
    assert breaker.state(OPEN_SECONDS) is CircuitState.CLOSED, "they said so before"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Accepted("1"), True),
        (Running(), True),
        (Rejected("unknown task", code=ErrorCode.NOT_FOUND), True),
        (Rejected("bad prompt"), None),
        (Throttled("too fast"), None),
        (QueueFull("full"), None),
        (AccountBlocked("no money"), None),
        (Unreachable("refused"), False),
        (NotAccepted("down for maintenance"), False),
        (NotAccepted("the relay's own account is empty", scope=Scope.MODEL), None),
        (InDoubt("no answer"), False),
        (UnrecognizedReply("<html>"), False),
    ],
)
def test_what_an_answer_says_of_its_station(answer: object, expected: bool | None):
    assert verdict(answer) is expected
