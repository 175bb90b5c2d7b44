"""Pictures and sounds that come with a request: what is sent for them, and what is refused."""

import base64
from typing import Any

import pytest

from tests.pictures import gif, jpeg, packed, png
from tests.unit.providers.kling_orders import SOUND, complaints, submitted

GOOD = packed(png(400, 300))
GUIDE = "give an http(s) URL, a data URI in base64, or bare base64"


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
        (f"data:image/webp;base64,{GOOD}", GOOD),
        (f"data:;base64,{GOOD}", GOOD),
        (f"{GOOD[:76]}\r\n{GOOD[76:]}\n", GOOD),
        (packed(png(750, 300)), packed(png(750, 300))),
        (packed(jpeg(300, 700)), packed(jpeg(300, 700))),
    ],
)
def test_a_picture_is_sent_as_a_url_or_as_bare_base64(given: str, wire: str) -> None:
    assert sent(given) == wire


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ("", f"is empty: {GUIDE}"),
        ("data:image/png;base64,", f"is empty: {GUIDE}"),
        (packed(gif(400, 400)), "is a GIF file; send a JPEG or PNG"),
        (packed(b"\xff\xd8\xff\xe0"), "is a JPEG file that is cut off or damaged; send all of it"),
        (packed(png(400, 299)), "is 400×299 pixels; each side needs 300"),
        (packed(jpeg(200, 300)), "is 200×300 pixels; each side needs 300"),
        (packed(png(760, 300)), "is 760×300 pixels; no side may be 2.5× the other"),
        (packed(png(400, 400, 10 << 20)), "must not exceed 10 MB; make it smaller"),
    ],
)
def test_a_picture_that_will_be_refused_is_refused_before_it_costs(
    given: str, complaint: str
) -> None:
    assert complaints("image_recognize", {"image": given}) == {"image": complaint}


@pytest.mark.parametrize(
    "given",
    [
        "ftp://cdn.test.invalid/a.png",
        "https://",
        "https://cdn.test.invalid/a b.png",
        "not base64!",
        f"data:image/png,{GOOD}",
    ],
)
def test_what_is_neither_a_url_nor_base64_is_refused_with_what_to_give(given: str) -> None:
    (complaint,) = complaints("image_recognize", {"image": given}).values()
    assert complaint.endswith(GUIDE)


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
        ("", f"is empty: {GUIDE}"),
        ("data:video/mp4;base64,SUQzBAAA", "must not be of type video/mp4"),
        (base64.b64encode(bytes((5 << 20) + 1)).decode(), "must not exceed 5 MB"),
    ],
)
def test_a_sound_that_will_be_refused_is_refused_before_it_costs(
    given: str, complaint: str
) -> None:
    assert complaints("avatar", {"image": GOOD, "sound_file": given}) == {"sound_file": complaint}
