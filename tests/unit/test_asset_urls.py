"""Which URLs of an answer are told as its assets, and what is said of the rest."""

import pytest

from generation.contract.errors import ErrorCode, UnrecognizedReply
from generation.contract.given import given_in
from generation.contract.status import Asset, AssetType, Running, Status, Succeeded
from generation.contract.usable_assets import LONGEST_URL, MOST_ASSETS, usable, usable_each
from generation.upstream.asset_urls import located

GOOD = "https://cdn.test.invalid/1.png"
STATION = "https://relay.test.invalid"


def answer(*urls: str, texts: tuple[str, ...] = ()) -> Succeeded:
    return Succeeded(tuple(Asset(type=AssetType.IMAGE, url=url) for url in urls), texts)


def urls_of(found: Succeeded) -> list[str]:
    return [asset.url for asset in found.assets]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://cdn.test.invalid/1.png\r\nSet-Cookie: a=b", "control characters"),
        ("https://cdn.test.invalid/\x01.png", "control characters"),
        ("https://user:secret@cdn.test.invalid/1.png", "a user name or a password"),
        ("https://user@cdn.test.invalid/1.png", "a user name or a password"),
        ("http://169.254.169.254/latest/meta-data", "link-local"),
        ("http://[fe80::1]/1.png", "link-local"),
        ("http://[::ffff:169.254.169.254]/1.png", "link-local"),
        ("http://0.0.0.0/1.png", "link-local"),
        ("http://224.0.0.1/1.png", "link-local"),
        ("http://2852039166/1.png", "no valid address"),
        ("http://0xa9.0xfe.0xa9.0xfe/1.png", "no valid address"),
        ("https://cdn.test.invalid:99999/1.png", "no valid URL"),
        ("https://[broken/1.png", "no valid URL"),
        (f"https://cdn.test.invalid/{'a' * 1_000_000}", f"longer than {LONGEST_URL}"),
    ],
)
def test_a_url_that_cannot_be_told_is_left_out_and_said(url: str, words: str) -> None:
    found = usable(answer(url, GOOD), station_url=STATION)
    assert urls_of(found) == [GOOD]
    [said] = found.details["dropped"]
    assert said.startswith("1 URL: ") and words in said
    assert "secret" not in said and len(said) < 200


def test_a_success_without_any_usable_url_says_what_was_wrong() -> None:
    with pytest.raises(UnrecognizedReply, match=r"no usable URL \(2 URLs: has a user name") as told:
        usable(answer("https://u@cdn.test.invalid/1", "https://u@cdn.test.invalid/2"))
    assert told.value.code is ErrorCode.ASSET_MISSING


def test_words_are_a_result_without_files() -> None:
    found = usable(answer("https://u@cdn.test.invalid/1", texts=("a cat",)))
    assert (found.assets, found.texts) == ((), ("a cat",))
    assert found.details["dropped"]


def test_assets_beyond_a_bound_are_counted() -> None:
    found = usable(answer(*(f"{GOOD}?{number}" for number in range(50_000))))
    assert urls_of(found) == [f"{GOOD}?{number}" for number in range(MOST_ASSETS)]
    assert found.details["dropped"] == [f"49500 URLs: is beyond the first {MOST_ASSETS}"]


@pytest.mark.parametrize(
    "url", [GOOD, "/mj/image/1", "//cdn.test.invalid/1.png", "http://localhost:3000/1.png"]
)
def test_what_can_be_told_is_left_alone(url: str) -> None:
    found = answer(url)
    assert usable(found, station_url=STATION) is found
    running = Running(progress=10)
    assert usable(running) is running


def test_a_link_local_station_is_believed_about_its_own() -> None:
    found = answer("http://169.254.3.4/1.png")
    assert usable(found, station_url="http://169.254.1.2:8080") is found


def test_a_host_without_its_scheme_is_called_as_the_station_is() -> None:
    assert urls_of(located(answer("//cdn.test.invalid/1.png"), STATION)) == [GOOD]


def test_of_many_tasks_one_without_a_usable_url_is_absent() -> None:
    statuses: dict[str, Status] = {
        "a": answer(GOOD),
        "b": answer("https://u@cdn.test.invalid/1"),
        "c": Running(),
    }
    assert list(usable_each(statuses)) == ["a", "c"]


# --- what the request contains ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_field", "url"),
    [
        ("https://cdn.test.invalid/ref.png", "https://cdn.test.invalid/ref.png"),
        ("https://cdn.test.invalid/ref.png", "http://CDN.test.invalid:80/ref.png#top"),
        ("https://cdn.test.invalid/a b.png", "https://cdn.test.invalid/a%20b.png"),
        ("https://cdn.test.invalid/r.png?a=1&b=2", "https://cdn.test.invalid/r.png?a=1&amp;b=2"),
        ("a hat on https://cdn.test.invalid/ref.png, please", "https://cdn.test.invalid/ref.png"),
        ("把https://cdn.test.invalid/ref.png变成猫", "https://cdn.test.invalid/ref.png"),
        ([{"image": "https://cdn.test.invalid/ref.png"}], "https://cdn.test.invalid/ref.png"),
        ("data:image/png;base64,iVBORw0KGgo=", "data:image/jpeg;base64,iVBORw0KGgo="),
        ("iVBORw0KGgo=" * 20, f"data:image/png;base64,{'iVBORw0KGgo=' * 20}"),
    ],
)
def test_what_the_request_contains_is_no_result(request_field: object, url: str) -> None:
    given = given_in({"input": request_field})
    with pytest.raises(UnrecognizedReply, match="is in the request itself"):
        usable(answer(url), given)
    assert urls_of(usable(answer(url, GOOD), given)) == [GOOD]


def test_what_only_resembles_the_request_is_a_result() -> None:
    given = given_in({"image": "https://cdn.test.invalid/ref.png?v=1", "prompt": "a cat"})
    found = answer("https://cdn.test.invalid/ref.png?v=2", "https://cdn.test.invalid/ref.png.jpg")
    assert usable(found, given) is found
