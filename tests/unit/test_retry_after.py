"""How long an upstream asks to wait, wherever it says so."""

from datetime import UTC, datetime, timedelta

import pytest

from generation.contract import retry_after
from generation.contract.reply import Reply


def seconds(wait: timedelta | None) -> float | None:
    return None if wait is None else wait.total_seconds()


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"retry-after": "7"}, 7),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"llm_provider-retry-after": "12"}, 12),
        ({"retry-after": "3", "llm_provider-retry-after": "12"}, 3),
        ({"retry-after": "99999999999"}, 86400),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({"x-ratelimit-reset-requests": "1m6s"}, 66),
        ({"x-ratelimit-reset-tokens": "20ms"}, 0.02),
        ({"llm_provider-x-ratelimit-reset-requests": "6m0s"}, 360),
        ({"x-ratelimit-reset-requests": "8", "x-ratelimit-reset-tokens": "3"}, 3),
        (
            {
                "x-ratelimit-reset-requests": "8",
                "x-ratelimit-remaining-requests": "0",
                "x-ratelimit-reset-tokens": "3",
                "x-ratelimit-remaining-tokens": "70",
            },
            8,
        ),
        ({}, None),
    ],
)
def test_the_headers_of_an_answer_about_a_limit(
    headers: dict[str, str], wait: float | None
) -> None:
    assert seconds(Reply(429, b"", headers).retry_after) == wait


def test_a_limit_may_end_at_a_point_in_time() -> None:
    moment = datetime.now(UTC).timestamp() + 100
    for written in (str(int(moment)), str(int(moment * 1000))):
        wait = Reply(429, b"", {"x-ratelimit-reset": written}).retry_after
        assert wait is not None
        assert 95 < wait.total_seconds() <= 101


def test_the_times_of_limits_mean_nothing_in_another_answer() -> None:
    assert Reply(500, b"", {"x-ratelimit-reset-requests": "6m0s"}).retry_after is None


@pytest.mark.parametrize(
    ("body", "wait"),
    [
        (b'{"detail": "x", "retry_after": 8}', 8),
        (b'{"error": {"retryAfter": "2.5"}}', 2.5),
        (b'{"retry_after_ms": 1500}', 1.5),
        (b'{"details": [{"retryDelay": "13s"}]}', 13),
        (b'{"message": "{\\"retry_after\\": 4}"}', 4),
        (b'{"retry_after": null}', None),
        (b'{"retry_after": "later"}', None),
        (b"", None),
    ],
)
def test_a_field_of_the_body(body: bytes, wait: float | None) -> None:
    assert seconds(Reply(429, body).retry_after) == wait


def test_a_header_goes_before_the_body() -> None:
    assert seconds(Reply(429, b'{"retry_after": 8}', {"retry-after": "2"}).retry_after) == 2


@pytest.mark.parametrize(
    ("said", "wait"),
    [
        ("Your rate limit resets in ~8s.", 8),
        ("Please try again in 20ms.", 0.02),
        ("Please try again in 6m0s. Visit the dashboard", 360),
        ("Please retry after 3 seconds", 3),
        ("try again in 2 minutes", 120),
        ("Please try again in 1.5s", 1.5),
        ("请求过于频繁，请在 8 秒后重试", 8),
        ("请 2 分钟后再试", 120),
        ("try again later", None),
        ("5 requests per minute", None),
        ("", None),
    ],
)
def test_a_sentence(said: str, wait: float | None) -> None:
    assert seconds(retry_after.in_words(said)) == wait
