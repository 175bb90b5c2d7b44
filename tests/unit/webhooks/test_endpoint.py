"""Endpoints: wanted events, secrets, headers, and when failures disable them."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generation.webhooks.headers import MASK, UnusableHeader, check_header, masked
from generation.webhooks.health import (
    HEALTHY,
    EndpointHealth,
    after_failure,
    has_failed_too_long,
    percent,
)
from generation.webhooks.secrets import MAX_OLD_SECRETS, OldSecret, rotated_secrets, signing_secrets
from tests.unit.jobs import NOON
from tests.unit.webhooks.endpoints import an_endpoint

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("events", "event", "wanted"),
    [
        ((), "job.succeeded", True),
        ((), "job.recovered", True),
        ((), "endpoint.disabled", True),
        ((), "job.started", False),
        ((), "job.queued", False),
        ((), "endpoint.test", False),
        (("job.started",), "job.started", True),
        (("job.started",), "job.succeeded", False),
        (("job.started",), "endpoint.disabled", False),
    ],
)
def test_the_events_an_endpoint_wants(events: tuple[str, ...], event: str, wanted: bool) -> None:
    assert an_endpoint(events=events).wants(event, {}) is wanted


def test_metadata_filters_events_of_jobs_only() -> None:
    endpoint = an_endpoint(metadata={"customer": "42", "region": "eu"})
    assert endpoint.wants("job.failed", {"customer": "42", "region": "eu", "order": "7"})
    assert not endpoint.wants("job.failed", {"customer": "42"})
    assert not endpoint.wants("job.failed", {"customer": "42", "region": "us"})
    assert endpoint.wants("endpoint.disabled", {})


def test_the_clock_starts_with_a_failure_half_a_day_after_another() -> None:
    health = after_failure(HEALTHY, NOON)
    assert health == EndpointHealth(first_failure_at=NOON)
    assert after_failure(health, NOON + 11 * HOUR) is health, "one bad morning"
    forgotten = after_failure(health, NOON + 25 * HOUR)
    assert forgotten == EndpointHealth(first_failure_at=NOON + 25 * HOUR), (
        "two bad moments far apart"
    )
    started = after_failure(health, NOON + 12 * HOUR)
    assert started.failing_since == NOON + 12 * HOUR
    assert after_failure(started, NOON + 13 * HOUR) is started


def test_each_alert_is_logged_once_and_five_days_disable() -> None:
    health = EndpointHealth(first_failure_at=NOON, failing_since=NOON)
    seen: list[int] = []
    for hour in range(1, 121):
        after = after_failure(health, NOON + hour * HOUR)
        if after is not health:
            seen.append(after.alerted)
        health = after
        assert has_failed_too_long(health, NOON + hour * HOUR) is (hour == 120)
    assert seen == [50, 70, 90]
    assert percent(health, NOON + 30 * DAY) == 100
    assert percent(HEALTHY, NOON) == 0


def test_only_the_latest_of_several_missed_alerts_is_logged() -> None:
    health = EndpointHealth(first_failure_at=NOON, failing_since=NOON)
    assert after_failure(health, NOON + 4 * DAY).alerted == 70


def test_old_secrets_sign_until_their_time_and_at_most_ten() -> None:
    old: tuple[OldSecret, ...] = ()
    for number in range(15):
        old = rotated_secrets(f"s{number}", old, NOON + number * HOUR, DAY)
    assert [each.secret for each in old] == [f"s{number}" for number in range(14, 4, -1)]
    assert len(old) == MAX_OLD_SECRETS
    assert signing_secrets("new", old, NOON + 14 * HOUR)[:3] == ("new", "s14", "s13")
    assert signing_secrets("new", old, NOON + 30 * HOUR) == (
        "new",
        *(f"s{n}" for n in range(14, 6, -1)),
    )
    assert signing_secrets("new", old, NOON + 9 * DAY) == ("new",)
    assert rotated_secrets("leaked", old, NOON, timedelta()) == ()
    assert "s14" not in repr(old)


@pytest.mark.parametrize(
    "name",
    [
        *("Host", "content-length", "Content-Type", "TRANSFER-ENCODING", "connection", "upgrade"),
        *("te", "trailer", "Keep-Alive", "Proxy-Authorization", "user-agent", "traceparent"),
        *("webhook-id", "Webhook-Signature", "svix-id", "X-Forwarded-For", "cookie", "Expect"),
    ],
)
def test_reserved_headers_are_refused(name: str) -> None:
    with pytest.raises(UnusableHeader, match=f"^{name} is set by genq"):
        check_header(name, "value")


@pytest.mark.parametrize("name", ["Authorization", "X-Api-Key", "X-Tenant", "CF-Access-Client-Id"])
def test_other_headers_are_allowed(name: str) -> None:
    check_header(name, "Basic Zm9v")


@given(st.text(max_size=40))
def test_values_that_would_break_a_request_are_refused(value: str) -> None:
    try:
        check_header("X-A", value)
    except UnusableHeader as error:
        assert len(value) < 4 or value not in str(error)
    else:
        assert value
        assert value == value.strip()
        assert value.isascii()
        assert value.isprintable()


def test_values_that_look_secret_are_masked() -> None:
    headers = {
        "Authorization": "a",
        "X-Api-Key": "b",
        "X-Auth-Token": "c",
        "x-hook-secret": "d",
        "X-Tenant": "acme",
    }
    assert masked(headers) == dict.fromkeys(headers, MASK) | {"X-Tenant": "acme"}
