"""The shared reading of refusals: what counts of an answer, and in which order."""

import pytest

from generation.contract.errors import (
    AccountBlocked,
    ErrorCode,
    InDoubt,
    NotAccepted,
    Rejected,
    Scope,
    Throttled,
)
from generation.providers.kit import moderation
from generation.providers.kit.complaints import Complaint, packed_in
from generation.providers.kit.quotations import outside_quotations
from generation.providers.kit.refusals import Refusals, failure
from generation.providers.kit.verdicts import NO_CREDIT, SATURATED

NOBODYS = Refusals()


@pytest.mark.parametrize(
    ("text", "outside"),
    [
        ("value 'low credit' is wrong", "value … is wrong"),
        ('Unknown parameter: "moderation".', "Unknown parameter: …."),
        ("提示词“余额不足”过长", "提示词…过长"),
        ("the model `credit-1` is gone", "the model … is gone"),
        ("it isn't the user's fault", "it isn't the user's fault"),
        ("too long: 'it's about credits'", "too long: …"),
        ("too long: 'rolling end credits of a fi", "too long: …"),
        ("'Insufficient credits'", "'Insufficient credits'"),
        ("", ""),
    ],
)
def test_what_is_quoted_does_not_count(text: str, outside: str) -> None:
    assert outside_quotations(text) == outside


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"a": 1}', {"a": 1}),
        ('status code 402, body: {"error": "no credit"} (request id: 1)', {"error": "no credit"}),
        ("no JSON {here", {}),
        ('cut {"a": ', {}),
    ],
)
def test_json_in_a_text_is_found(text: str, found: object) -> None:
    assert packed_in(text) == found


@pytest.mark.parametrize(
    ("code", "is_one"),
    [
        ("content_policy_violation", True),
        ("OutputImageSensitiveContentDetected", True),
        ("DataInspectionFailed", True),
        ("SAFETY", True),
        ("IMAGE_PROHIBITED_CONTENT", True),
        ("refusal", True),
        ("sensitive_words_detected", True),
        ("case_sensitive_name", False),
        ("safety_tolerance", False),
        ("stop", False),
        ("length", False),
        ("invalid_request_error", False),
        ("", False),
    ],
)
def test_a_code_of_moderation(code: str, *, is_one: bool) -> None:
    assert moderation.is_code(code) is is_one


def test_a_known_code_decides_before_words_and_words_before_the_status() -> None:
    coded = NOBODYS.verdict(Complaint("rate limit reached", "insufficient_quota", 403))
    assert coded is NO_CREDIT
    assert NOBODYS.verdict(Complaint("Too many requests", status=403)).fault is Throttled
    assert NOBODYS.verdict(Complaint("hm", status=403)).scope is Scope.MODEL


@pytest.mark.parametrize("status", [408, 409, 425, 499, 500, 529])
def test_a_status_that_leaves_it_open_does_so_whatever_soft_words_say(status: int) -> None:
    for said in ("Too many requests", "insufficient credits", "blocked by our content policy"):
        assert NOBODYS.verdict(Complaint(said, status=status)).fault is InDoubt


def test_what_a_relay_was_told_is_about_its_own_account() -> None:
    for status, kind in ((401, NotAccepted), (402, NotAccepted), (429, Throttled)):
        complaint = Complaint("hm", status=status, relayed=True)
        fault = NOBODYS.verdict(complaint).on(complaint)
        assert (type(fault), fault.scope) == (kind, Scope.MODEL)


@pytest.mark.parametrize(
    ("status", "fault", "scope"),
    [
        (400, Rejected, Scope.ORDER),
        (401, AccountBlocked, Scope.KEY),
        (402, AccountBlocked, Scope.KEY),
        (403, AccountBlocked, Scope.MODEL),
        (429, Throttled, Scope.KEY),
    ],
)
def test_what_a_refusal_without_known_words_holds_for(
    status: int, fault: type[Exception], scope: Scope
) -> None:
    complaint = Complaint("hm", status=status)
    found = NOBODYS.verdict(complaint).on(complaint)
    assert (type(found), found.scope) == (fault, scope)


def test_a_full_channel_holds_for_what_was_ordered_of_it() -> None:
    complaint = Complaint("当前分组上游负载已饱和，请稍后再试", status=429)
    assert NOBODYS.verdict(complaint) is SATURATED


def test_a_failure_without_a_reason_may_be_tried_again() -> None:
    failed = failure(Complaint(""), None)
    assert (failed.code, failed.retryable) == (ErrorCode.UPSTREAM_FAILED, True)
    assert failed.message == "the upstream gave no reason"
