"""Pictures that callers send by content: what is taken, what is refused, and in which words."""

import time
from typing import Any, cast

import pytest
from pydantic import TypeAdapter, ValidationError

from generation import providers
from generation.providers.kit.media_inputs import Image
from generation.providers.kit.picture_files import is_whole, size_of, type_of
from tests.pictures import JPEG, PNG, gif, jpeg, packed, png, webp

IMAGE = TypeAdapter[str](Image)
PNG_URI = f"data:image/png;base64,{PNG}"
#: A picture whose base64 has both characters that the alphabet for URLs replaces, and padding.
ODD = packed(png(64, 64).ljust(-(-len(png(64, 64)) // 3) * 3, b"\0") + b"\xfb\xef\xbe\xff\xff\xffa")


def complaint(given: str) -> str:
    with pytest.raises(ValidationError) as caught:
        IMAGE.validate_python(given)
    (error,) = caught.value.errors()
    return error["msg"]


@pytest.mark.parametrize(
    ("content", "type_", "size"),
    [
        (png(640, 480), "png", (640, 480)),
        (jpeg(640, 480), "jpeg", (640, 480)),
        (gif(640, 480), "gif", (640, 480)),
        (webp(640, 480), "webp", (640, 480)),
        (webp(640, 480, b"VP8L"), "webp", (640, 480)),
        (webp(640, 480, b"VP8 "), "webp", (640, 480)),
    ],
)
def test_the_bytes_say_type_and_size_and_whether_all_is_there(
    content: bytes, type_: str, size: tuple[int, int]
) -> None:
    assert (type_of(content), size_of(content), is_whole(content)) == (type_, size, True)
    assert not is_whole(content[:-2])
    assert IMAGE.validate_python(packed(content)) == f"data:image/{type_};base64,{packed(content)}"


@pytest.mark.parametrize(
    "content",
    [
        png(640, 480)[:20],
        jpeg(640, 480)[:12],
        b"\xff\xd8\xff\xda\x00\x02\xff\xc0\x00\x11\x08\x01\x00\x01\x00",
        b"\xff\xd8" + b"\xff\xfe\x00\x00" * 5,
        b"\xff\xd8" + b"\xff\xfe\x00\x02" * 5000,
        b"\xff\xd8\xff" + b"\xff" * 5000,
        gif(64, 64)[:8],
        webp(64, 64)[:24],
        webp(64, 64).replace(b"VP8X", b"ALPH"),
        b"RIFF\x24\0\0\0WAVEfmt ",
        b"",
    ],
)
def test_a_file_that_does_not_say_its_size_has_none(content: bytes) -> None:
    assert size_of(content) is None


@pytest.mark.parametrize(
    "given",
    [
        PNG_URI,
        PNG,
        f" {PNG[:8]}\r\n{PNG[8:]}\n",
        PNG.rstrip("="),
        f"data:image/png;charset=utf-8;base64,{PNG}",
        f"data:image/png;name=a.png;base64,{PNG}",
        f'data:image/png; name="a, b.png"; base64,{PNG}',
        f"DATA:image/PNG;BASE64, {PNG}",
        f"data:;base64,{PNG}",
        f"data:application/octet-stream;base64,{PNG}",
        f"data:image/heic;base64,{PNG}",
        f"data:image/png;base64,{PNG.replace('/', '%2F').replace('+', '%2b').replace('=', '%3D')}",
    ],
)
def test_every_legal_way_to_write_a_picture_comes_to_the_same(given: str) -> None:
    assert IMAGE.validate_python(given) == PNG_URI
    assert IMAGE.validate_python(PNG_URI) == PNG_URI


def test_the_alphabet_for_urls_is_written_as_the_usual_one() -> None:
    assert ODD.endswith("++++////YQ==")
    given = ODD.replace("+", "-").replace("/", "_").rstrip("=")
    assert IMAGE.validate_python(given) == f"data:image/png;base64,{ODD}"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0", "is a HEIC file"),
        (b"\0\0\0\x1cftypavif\0\0\0\0", "is an AVIF file"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0", "is a video file"),
        (b"BM\x36\0\0\0", "is a BMP file"),
        (b"%PDF-1.7\n", "is a PDF file"),
        (b"II*\0\x08\0\0\0", "is a TIFF file"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "is an SVG file"),
        (b"a cat on a mat", "is text"),
        ("一只猫".encode(), "is text"),
        (b"\x01\x02\x03\x04", "is not a known picture type"),
        (b"RIFF\x24\0\0\0WAVEfmt ", "is not a known picture type"),
    ],
)
@pytest.mark.parametrize("head", ["", "data:image/png;base64,", "data:image/heic;base64,"])
def test_what_no_upstream_takes_is_named_and_never_labelled_as_a_png(
    content: bytes, words: str, head: str
) -> None:
    assert complaint(head + packed(content)) == f"{words}; send a PNG, JPEG, WebP or GIF"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (png(640, 480)[:-12], "is a PNG file that is cut off or damaged; send all of it"),
        (jpeg(640, 480)[:-2], "is a JPEG file that is cut off or damaged; send all of it"),
        (gif(640, 480)[:-1], "is a GIF file that is cut off or damaged; send all of it"),
        (webp(640, 480)[:-1], "is a WebP file that is cut off or damaged; send all of it"),
        (png(1, 1), "is 1×1 pixels; each side needs 16"),
        (jpeg(640, 15), "is 640×15 pixels; each side needs 16"),
    ],
)
def test_what_would_fail_late_is_refused_at_once(content: bytes, words: str) -> None:
    assert complaint(packed(content)) == words


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("", "is empty"),
        ("data:image/png;base64,", "is empty"),
        ("not base64!", "is not valid base64"),
        (PNG[:-3] + "*", "is not valid base64"),
        ("data:image/png;base64", "the data URI has no comma before its content"),
        ("data:" + "a" * 2000 + ",", "the data URI has no comma before its content"),
        (f"data:image/png,{PNG}", "the data URI must be base64"),
        ("http://files.test.invalid/a.png", "the image is at a URL that is not https"),
    ],
)
def test_what_is_no_picture_at_all_is_told_with_what_to_give(given: str, words: str) -> None:
    message = complaint(given)
    assert message.startswith(words)
    assert message.endswith("give an https URL, a data URI of an image in base64, or bare base64")


#: An order in each provider that takes a picture by content, and where it has it.
ORDERS = [
    ("midjourney", "imagine", {"prompt": "a", "images": [None]}),
    ("midjourney", "describe", {"image": None}),
    ("flux", "fill", {"prompt": "a", "image": None}),
    ("flux", "flux_3_video", {"prompt": "a", "mode": "i2v", "keyframes": [[0, None]]}),
    ("luma", "video", {"prompt": "a", "image_url": None}),
    ("kling", "image_recognize", {"image": None}),
    ("openai", "chat", {"prompt": "a", "images": [None]}),
    (
        "openai",
        "chat",
        {
            "messages": [
                {
                    "role": "user",
                    "content": [{"type": "image_url", "image_url": {"url": None}}],
                }
            ]
        },
    ),
]


def filled(fields: Any, picture: str) -> Any:
    match fields:
        case None:
            return picture
        case dict():
            entries = cast(dict[str, Any], fields)
            return {name: filled(each, picture) for name, each in entries.items()}
        case list():
            return [filled(each, picture) for each in cast(list[Any], fields)]
        case _:
            return fields


@pytest.mark.parametrize("content", [b"BM6", b"hello", png(1, 1), png(640, 480)[:-12]])
@pytest.mark.parametrize(("provider", "name", "fields"), ORDERS)
def test_every_provider_looks_before_it_pays(
    provider: str, name: str, fields: Any, content: bytes
) -> None:
    dialects = [d for d in providers.dialects(provider, name) if d != "luma.dream_machine"]
    for dialect in dialects:
        operation = providers.find(provider, name, dialect)
        assert operation is not None
        operation.request.model_validate(filled(fields, packed(png(320, 320))))
        with pytest.raises(ValidationError):
            operation.request.model_validate(filled(fields, packed(content)))


def test_a_hostile_file_costs_no_more_than_its_base64() -> None:
    """Ten megabytes of the smallest segments there are; a walk through them takes seconds."""
    hostile = b"\xff\xd8" + b"\xff\xfe\x00\x02" * (10 << 18)
    before = time.process_time()
    assert size_of(hostile) is None
    assert not is_whole(hostile)
    assert time.process_time() - before < 0.5


def test_the_end_of_a_thumbnail_is_not_the_end_of_the_file() -> None:
    whole = jpeg(640, 480)
    assert whole.count(b"\xff\xd9") == 2
    assert not is_whole(whole[:-2])


def test_jpeg_and_png_in_base64_are_taken_everywhere() -> None:
    assert IMAGE.validate_python(JPEG).startswith("data:image/jpeg;base64,")
