"""The one-station case: a relay by its URL and key, and what its account may have."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from generation.settings import Settings
from generation.stations.config_file import load_stations
from ops.cli.check.settings import limits_text

RELAY = {"station_url": "https://relay.example.com", "station_key": "sk-1"}


def settings(folder: Path, **values: Any) -> Settings:
    return Settings(
        _env_file=None,  # pyright: ignore[reportCallIssue]  (pydantic-settings' own argument)
        stations_file=folder / "stations.toml",
        **values,
    )


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({}, "no limits are set"),
        ({"max_in_flight": "3"}, "at most 3 unfinished tasks"),
        (
            {"max_in_flight": "3", "submits_per_minute": "60"},
            "at most 3 unfinished tasks and 60 submits per minute",
        ),
    ],
)
def test_its_key_has_the_limits_of_the_settings(
    tmp_path: Path, limits: dict[str, str], words: str
) -> None:
    named = {f"station_{name}": value for name, value in limits.items()}
    (station,) = load_stations(settings(tmp_path, **RELAY, **named))
    (key,) = station.keys
    assert (key.max_in_flight, key.submits_per_minute) == (
        int(limits["max_in_flight"]) if "max_in_flight" in limits else None,
        int(limits["submits_per_minute"]) if "submits_per_minute" in limits else None,
    )
    assert limits_text(key) == words


@pytest.mark.parametrize("value", ["0", "-1", "many"])
def test_what_is_no_limit_is_refused(tmp_path: Path, value: str) -> None:
    with pytest.raises(ValidationError, match="station_max_in_flight"):
        settings(tmp_path, **RELAY, station_max_in_flight=value)


def test_limits_without_the_station_are_told_where_they_belong(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="in a stations file each key has its own"):
        settings(tmp_path, station_submits_per_minute="60")
