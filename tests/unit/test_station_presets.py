"""The stations that come with genq: a key in the environment is all that each of them needs."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from generation import providers
from generation.settings import Settings
from generation.stations.auth_headers import Credentials
from generation.stations.config_file import StationsFileError, load_stations
from generation.stations.station import Station

ROOT = Path(__file__).parents[2]
PRESETS = ROOT / "ops" / "stations"

#: The variables of each preset, and the providers that can be bought with it.
SOLD = {
    "ecovai": (["ECOVAI_KEY"], {"openai", "midjourney", "suno", "luma", "flux", "kling"}),
    "mtu": (["MTU_KEY"], {"openai"}),
    "tutujin": (["TUTUJIN_KEY"], {"openai"}),
    "yiapi": (["YIAPI_KEY"], {"openai", "midjourney", "suno"}),
    "chat-open": (["CHAT_OPEN_ACCESS_KEY_ID", "CHAT_OPEN_ACCESS_KEY_SECRET"], {"openai"}),
}

every_preset = pytest.mark.parametrize("name", SOLD)


def settings(name: str) -> Settings:
    return Settings(station_url=None, station_key=None, stations_file=PRESETS / f"{name}.toml")


def loaded(name: str) -> Station:
    [station] = load_stations(settings(name), {each: f"its {each}" for each in SOLD[name][0]})
    return station


def test_every_preset_is_known_here() -> None:
    assert {path.stem for path in PRESETS.iterdir()} == set(SOLD)


@every_preset
def test_a_preset_needs_nothing_but_its_key(name: str) -> None:
    station = loaded(name)
    assert (station.name, station.url[:8]) == (name, "https://")
    assert set(station.speaks) == SOLD[name][1]
    spoken = {each.dialect for each in station.speaks.values()}
    offered = {each.name for each in providers.OPERATIONS if each.dialect in spoken}
    assert "chat" in offered


@every_preset
def test_a_missing_key_is_named(name: str) -> None:
    for variable in SOLD[name][0]:
        others = {each: "x" for each in SOLD[name][0] if each != variable}
        with pytest.raises(StationsFileError, match=f"{variable} is not set"):
            load_stations(settings(name), others)


@every_preset
def test_the_key_is_put_where_the_station_looks_for_it(name: str) -> None:
    station = loaded(name)
    headers = dict(Credentials().headers(station, station.keys[0], datetime.now(UTC)))
    if name == "chat-open":
        assert headers == {
            "x-request-req-accesskeyid": "its CHAT_OPEN_ACCESS_KEY_ID",
            "x-request-req-accesskeysecret": "its CHAT_OPEN_ACCESS_KEY_SECRET",
        }
    else:
        assert headers == {"authorization": f"Bearer its {SOLD[name][0][0]}"}


def test_keys_in_the_env_file_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("YIAPI_KEY", "the process's")
    (tmp_path / ".env").write_text("MTU_KEY=sk-mtu$x\nYIAPI_KEY=the file's\nTUTUJIN_KEY=\n")
    for name, value in (("mtu", "sk-mtu$x"), ("yiapi", "the process's")):
        [station] = load_stations(settings(name))
        assert station.keys[0].value.get_secret_value() == value
    with pytest.raises(StationsFileError, match="TUTUJIN_KEY is not set"):
        load_stations(settings("tutujin"))


@every_preset
def test_the_page_about_stations_says_how_it_is_used(name: str) -> None:
    page = (ROOT / "docs" / "stations.md").read_text()
    assert f"ops/stations/{name}.toml" in page
    assert all(variable in page for variable in SOLD[name][0])
