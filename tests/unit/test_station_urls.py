"""URLs in a station's answers: which are its own, and how they can be reached."""

import pytest

from generation.contract.status import Asset, AssetType, Running, Succeeded
from generation.upstream.asset_urls import is_own, located

STATION = "https://relay.test.invalid"


def shown(url: str, station_url: str) -> str:
    """The URL of an answer's one asset, as it is told to callers."""
    answer = Succeeded((Asset(type=AssetType.IMAGE, url=url),))
    return located(answer, station_url).assets[0].url


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("/mj/image/1?rand=2", f"{STATION}/mj/image/1?rand=2"),
        ("http://localhost:3000/files/1.png?ex=1&", f"{STATION}/files/1.png?ex=1&"),
        ("http://127.0.0.1/1.png", f"{STATION}/1.png"),
        ("http://10.1.2.3:9000/1.png", f"{STATION}/1.png"),
        ("http://[::1]:9000/1.png", f"{STATION}/1.png"),
        ("https://cdn.test.invalid/1.png?a=b", "https://cdn.test.invalid/1.png?a=b"),
        ("https://8.8.8.8/1.png", "https://8.8.8.8/1.png"),
        ("https://[broken/1.png", "https://[broken/1.png"),
    ],
)
def test_a_public_stations_private_addresses_are_its_own(url: str, expected: str) -> None:
    assert shown(url, STATION) == expected


@pytest.mark.parametrize("station_url", ["http://192.168.1.2:8080", "http://localhost:9000"])
def test_neighbours_of_a_private_station_are_believed(station_url: str) -> None:
    assert shown("http://192.168.1.3:9000/1.png", station_url) == "http://192.168.1.3:9000/1.png"
    assert shown("/1.png", station_url) == f"{station_url}/1.png"


def test_whatever_else_an_upstream_says_is_left_alone() -> None:
    running = Running(progress=10)
    assert located(running, STATION) is running
    succeeded = Succeeded((Asset(type=AssetType.IMAGE, url="https://cdn.test.invalid/1.png"),))
    assert located(succeeded, STATION) is succeeded


@pytest.mark.parametrize(
    ("url", "station_url", "own"),
    [
        ("https://api.eu2.bfl.ai/v1/get_result?id=1", "https://api.bfl.ai", True),
        ("https://api.bfl.ai/v1/get_result?id=1", "https://relay.test.invalid", False),
        ("http://api.bfl.ai/v1/get_result?id=1", "https://api.bfl.ai", False),
        ("https://a.example.co.uk/x", "https://b.example.co.uk", True),
        ("https://a.other.co.uk/x", "https://b.example.co.uk", False),
        ("https://mine.vercel.app/x", "https://yours.vercel.app", False),
        ("https://mine.vercel.app/x", "https://mine.vercel.app", True),
        ("http://127.0.0.1:9000/x", "http://127.0.0.1:9000", True),
        ("http://127.0.0.1:9001/x", "http://127.0.0.1:9000", False),
        ("http://127.0.0.2:9000/x", "http://127.0.0.1:9000", False),
        ("http://localhost:9000/x", "http://localhost:9000", True),
        ("https://co.uk/x", "https://a.co.uk", False),
        ("https://[broken/x", "https://a.example", False),
    ],
)
def test_the_key_goes_to_the_stations_own_domain_only(
    url: str, station_url: str, own: bool
) -> None:
    assert is_own(url, station_url) is own
