"""Which `GENQ_` variables are known."""

from pathlib import Path

import pytest

from generation.setting_names import unknown_settings
from generation.settings import Settings

STATIONS = """
[[stations]]
name = "one"
keys = [{ env = "GENQ_KEY_ONE" }, { env = "GENQ_ACCESS", secret_env = "GENQ_SECRET" }]
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "stations.toml").write_text(STATIONS)
    return Settings(stations_file=tmp_path / "stations.toml")


def test_all_that_something_reads_is_known(settings: Settings) -> None:
    known = [f"GENQ_{field}".upper() for field in Settings.model_fields]
    named = ["GENQ_KEY_ONE", "GENQ_ACCESS", "GENQ_SECRET"]
    others = ["genq_database_url", "GENQ_URL", "GENQ_SANDBOX_SPEED", "PATH", "OTHER_GENQ_X"]
    assert not unknown_settings(settings, dict.fromkeys([*known, *named, *others], "x"))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("GENQ_DATBASE_URL", "did you mean GENQ_DATABASE_URL?"),
        ("GENQ_REDIS_URI", "did you mean GENQ_REDIS_URL?"),
        ("GENQ_KEY_ON", "did you mean GENQ_KEY_ONE?"),
        ("genq_tickk", "did you mean GENQ_TICK?"),
        ("GENQ_FRIDGE", "stations.toml names no key by it; remove it"),
    ],
)
def test_a_name_that_nothing_reads_is_told(settings: Settings, name: str, words: str) -> None:
    (told,) = unknown_settings(settings, {name: "sk-secret"})
    assert told.startswith(f"{name}: there is no such setting")
    assert told.endswith(words)
    assert "sk-secret" not in told


def test_a_file_that_cannot_be_read_names_nothing(settings: Settings) -> None:
    for text in ("[[", "stations = 5", 'stations = [5, { keys = "x" }]'):
        settings.stations_file.write_text(text)
        assert len(unknown_settings(settings, {"GENQ_KEY_ONE": "x"})) == 1
