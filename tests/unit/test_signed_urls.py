"""When the URLs of stores and CDNs end, as they say themselves."""

from datetime import UTC, datetime

import pytest

from generation.providers.kit.signed_urls import signed_until

FILE = "https://files.test.invalid/a.mp4"


@pytest.mark.parametrize(
    ("query", "end"),
    [
        ("X-Amz-Date=20260301T120000Z&X-Amz-Expires=60", (2026, 3, 1, 12, 1)),
        ("x-amz-expires=60&x-amz-date=20260301T120000Z", (2026, 3, 1, 12, 1)),
        ("X-Goog-Date=20260301T120000Z&X-Goog-Expires=3600", (2026, 3, 1, 13)),
        ("se=2026-03-01T12%3A00%3A00Z&sig=x", (2026, 3, 1, 12)),
        ("Expires=1772366400&Signature=0a", (2026, 3, 1, 12)),
        ("x-expires=1772366400&x-signature=0a", (2026, 3, 1, 12)),
        ("exp=1772366400", (2026, 3, 1, 12)),
        ("expires=1772366400000", (2026, 3, 1, 12)),
        ("ex=69a42bc0&is=69a2da40&hm=0a&", (2026, 3, 1, 12, 6, 24)),
    ],
)
def test_a_signed_url_says_when_it_ends(query: str, end: tuple[int, ...]) -> None:
    assert signed_until(f"{FILE}?{query}") == datetime(*end, tzinfo=UTC)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "url",
    [
        FILE,
        f"{FILE}?item_id=1&rand=1772366400",
        f"{FILE}?X-Amz-Expires=60",
        f"{FILE}?X-Amz-Date=soon&X-Amz-Expires=60",
        f"{FILE}?X-Amz-Date=20261301T000000Z&X-Amz-Expires=3600",
        f"{FILE}?X-Amz-Date=20260301T120000Z&X-Amz-Expires=99999999999999",
        f"{FILE}?X-Amz-Date=99991231T235959Z&X-Amz-Expires=9999999",
        f"{FILE}?se=2026-03-01",
        f"{FILE}?Expires=tomorrow",
        f"{FILE}?Expires=999999999999",
        f"{FILE}?Expires=17672256000",
        f"{FILE}?ex=zzzzzzzz",
        f"{FILE}?ex=00000001",
        "https://[half/a?Expires=1772366400",
        f"{FILE}?" + "&" * 200,
        "/mj/image/1",
    ],
)
def test_others_say_nothing(url: str) -> None:
    assert signed_until(url) is None
