"""How a deadline may be written."""

from datetime import UTC, datetime, timedelta

import pytest

from api.http.timestamps import UnusableDeadline, read_deadline

NOON = datetime(2026, 1, 31, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "wait"),
    [
        (90, timedelta(seconds=90)),
        (0.5, timedelta(seconds=0.5)),
        ("90", timedelta(seconds=90)),
        ("90s", timedelta(seconds=90)),
        ("10m", timedelta(minutes=10)),
        ("1.5h", timedelta(minutes=90)),
        ("24h", timedelta(hours=24)),
        ("1d", timedelta(days=1)),
        ("500ms", timedelta(milliseconds=500)),
        (86400, timedelta(hours=24)),
        ("2026-01-31T12:10:00Z", timedelta(minutes=10)),
        ("2026-01-31t12:10:00z", timedelta(minutes=10)),
        ("2026-01-31T13:10:00.250+01:00", timedelta(minutes=10, seconds=0.25)),
        ("2026-02-01T12:00:00Z", timedelta(hours=24)),
    ],
)
def test_what_can_be_read(value: object, wait: timedelta) -> None:
    deadline = read_deadline(value, NOON)
    assert (deadline, deadline.tzinfo) == (NOON + wait, UTC)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0, "in the future"),
        (-1, "in the future"),
        (-1e300, "in the future"),
        ("0s", "in the future"),
        ("2026-01-31T12:00:00Z", "in the future"),
        ("0001-01-01T00:00:00+23:59", '"10m"'),
        (86401, "at most 24 hours"),
        (1e300, "at most 24 hours"),
        (10**400, "at most 24 hours"),
        ("999999999h", "at most 24 hours"),
        ("2026-02-01T12:00:01Z", "at most 24 hours"),
        ("9999-12-31T23:59:59-23:59", '"10m"'),
        ("2026-02-30T12:00:00Z", '"10m"'),
        ("2026-01-31T12:10:00", '"10m"'),
        ("2026-01-31", '"10m"'),
        ("tomorrow", '"10m"'),
        ("-5m", '"10m"'),
        ("10 m", '"10m"'),
        ("PT10M", '"10m"'),
        ("", '"10m"'),
        (True, '"10m"'),
        ([], '"10m"'),
    ],
)
def test_what_cannot(value: object, words: str) -> None:
    with pytest.raises(UnusableDeadline, match=words):
        read_deadline(value, NOON)
