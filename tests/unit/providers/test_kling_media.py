"""Pictures and sounds that come with a request: what is sent for them, and what is refused."""

import base64
from typing import Any

import pytest

from generation.providers.kling.requests.pixels import size_of
from tests.unit.providers.kling_orders import SOUND, complaints, jpeg, packed, png, submitted

GOOD = packed(png(400, 300))


def sent(image: str) -> Any:
    call = submitted("image_recognize", {"image": image})
    assert call.json is not None
    return call.json["image"]


@pytest.mark.parametrize(
    ("given", "wire"),
    [
        ("https://cdn.test.invalid/a.png?x=1", "https://cdn.test.invalid/a.png?x=1"),
        (" HTTP://cdn.test.invalid/a \n", "HTTP://cdn.test.invalid/a"),
        (GOOD, GOOD),
        (f"data:image/png;base64,{GOOD}", GOOD),
        (f"DATA:image/PNG;charset=utf-8;BASE64,{GOOD}", GOOD),
        (f"{GOOD[:76]}\r\n{GOOD[76:]}\n", GOOD),
        (packed(png(750, 300)), packed(png(750, 300))),
        (packed(jpeg(300, 700)), packed(jpeg(300, 700))),
        (
            packed(b"\xff\xd8\xff\xe0"),
            packed(b"\xff\xd8\xff\xe0"),
        ),  # its size is the vendor's to see
    ],
)
def test_a_picture_is_sent_as_a_url_or_as_bare_base64(given: str, wire: str) -> None:
    assert sent(given) == wire


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ("", "must be an http(s) URL, a data URI or base64"),
        ("ftp://cdn.test.invalid/a.png", "must be an http(s) URL, a data URI or base64"),
        ("https://", "must be an http(s) URL, a data URI or base64"),
        ("https://cdn.test.invalid/a b.png", "must be an http(s) URL, a data URI or base64"),
        ("not base64!", "must be an http(s) URL, a data URI or base64"),
        ("data:image/png;base64,", "must be an http(s) URL, a data URI or base64"),
        (f"data:image/png,{GOOD}", "a data URI must be base64, as in data:image/png;base64,…"),
        (f"data:image/webp;base64,{GOOD}", "must not be of type image/webp"),
        (f"data:;base64,{GOOD}", "must not be of type unknown"),
        (packed(b"GIF89a" + bytes(20)), "must be a JPEG or a PNG"),
        (packed(png(400, 299)), "is 400×299 pixels; each side needs 300"),
        (packed(jpeg(200, 300)), "is 200×300 pixels; each side needs 300"),
        (packed(png(760, 300)), "is 760×300 pixels; no side may be 2.5× the other"),
        (packed(png(400, 400, 10 << 20)), "must not exceed 10 MB"),
    ],
)
def test_a_picture_that_will_be_refused_is_refused_before_it_costs(
    given: str, complaint: str
) -> None:
    assert complaints("image_recognize", {"image": given}) == {"image": complaint}


def test_the_second_api_takes_larger_pictures() -> None:
    large = packed(png(400, 400, 10 << 20))
    order = {"model_name": "kling-3.0", "image": large}
    assert complaints("image2video", order, "kling.v2") == {}


def test_pictures_in_lists_are_looked_into_as_well() -> None:
    order = {"prompt": "a", "image_list": [{"image": GOOD}, {"image": packed(png(10, 10))}]}
    assert set(complaints("multi_image2video", order)) == {"image_list.1.image"}


@pytest.mark.parametrize(
    ("given", "wire"),
    [
        (SOUND, SOUND),
        ("SUQzBAAA", "SUQzBAAA"),
        ("data:audio/mpeg;base64,SUQzBAAA", "SUQzBAAA"),
    ],
)
def test_a_sound_is_sent_as_a_url_or_as_bare_base64(given: str, wire: str) -> None:
    call = submitted("avatar", {"image": GOOD, "sound_file": given})
    assert call.json is not None
    assert call.json["sound_file"] == wire


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ("hello, world", "must be an http(s) URL, a data URI or base64"),
        ("data:video/mp4;base64,SUQzBAAA", "must not be of type video/mp4"),
        (base64.b64encode(bytes((5 << 20) + 1)).decode(), "must not exceed 5 MB"),
    ],
)
def test_a_sound_that_will_be_refused_is_refused_before_it_costs(
    given: str, complaint: str
) -> None:
    assert complaints("avatar", {"image": GOOD, "sound_file": given}) == {"sound_file": complaint}


@pytest.mark.parametrize(
    ("content", "size"),
    [
        (png(640, 480), (640, 480)),
        (png(640, 480)[:20], None),
        (jpeg(640, 480), (640, 480)),
        (jpeg(640, 480)[:12], None),
        (b"\xff\xd8\xff\xda\x00\x02\xff\xc0\x00\x11\x08\x01\x00\x01\x00", None),
        (b"\xff\xd8" + b"\xff\xfe\x00\x00" * 5, None),
        (b"", None),
    ],
)
def test_the_size_of_a_picture(content: bytes, size: tuple[int, int] | None) -> None:
    assert size_of(content) == size
