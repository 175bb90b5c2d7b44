"""The one grammar of durations."""

from datetime import timedelta

import pytest

from generation.duration_text import parse_duration


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("0", timedelta(0)),
        ("90", timedelta(seconds=90)),
        ("0.5", timedelta(seconds=0.5)),
        ("500ms", timedelta(milliseconds=500)),
        ("30s", timedelta(seconds=30)),
        ("10m", timedelta(minutes=10)),
        ("1.5h", timedelta(minutes=90)),
        ("24h", timedelta(days=1)),
        ("1d", timedelta(days=1)),
        ("999999999h", timedelta(hours=999_999_999)),
        ("999999999d", timedelta(days=999_999_999)),
    ],
)
def test_durations(text: str, duration: timedelta) -> None:
    assert parse_duration(text) == duration


@pytest.mark.parametrize(
    "text",
    ["", "-5m", "5 m", " 5m", "5M", "PT5M", "m", "1h30m", "1.5.5h", "1e3", "٣s", "1000000000s"],
)
def test_other_texts_are_not_durations(text: str) -> None:
    assert parse_duration(text) is None


def test_a_unit_can_be_required() -> None:
    assert parse_duration("5", needs_unit=True) is None
    assert parse_duration("5s", needs_unit=True) == timedelta(seconds=5)
