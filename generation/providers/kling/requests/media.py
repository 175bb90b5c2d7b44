"""
Pictures and sounds that a request carries: an http(s) URL, a data URI, or bare base64.

The vendor takes URLs and bare base64, so a data URI is stored and sent without its prefix. What is
carried whole is looked into before anybody pays: what it is, how many bytes, how many pixels.
"""

import base64
import binascii
import re
from typing import Annotated

from pydantic import AfterValidator, Field

from generation.providers.kling.requests import pixels
from generation.request import wrong

_URL = re.compile(r"https?://[^\s/?#]+\S*", re.IGNORECASE)
_DATA_URI = re.compile(r"data:(?P<type>[^;,]*)(?P<parameters>(;[^;,]*)*),", re.IGNORECASE)

_PICTURE_TYPES = frozenset({"image/jpeg", "image/jpg", "image/png"})

_MEGABYTE = 1024 * 1024
#: The first API's limit, and the second's.
PICTURE_BYTES, LARGE_PICTURE_BYTES = 10 * _MEGABYTE, 50 * _MEGABYTE
SOUND_BYTES = 5 * _MEGABYTE

#: The shorter side in pixels, and the longest side for each pixel of the other.
LEAST_SIDE, LARGEST_RATIO = 300, 2.5


def is_url(value: str) -> bool:
    return bool(_URL.fullmatch(value))


def _url(value: str) -> str:
    address = value.strip()
    if not is_url(address):
        raise wrong("must be an http(s) URL")
    return address


def _picture(largest: int) -> AfterValidator:
    def checked(value: str) -> str:
        text = value.strip()
        if is_url(text):
            return text
        text, content = _decoded(text, "image/", _PICTURE_TYPES)
        if not pixels.is_picture(content):
            raise wrong("must be a JPEG or a PNG")
        _check_bytes(content, largest)
        _check_size(pixels.size_of(content))
        return text

    return AfterValidator(checked)


def _sound(value: str) -> str:
    text = value.strip()
    if is_url(text):
        return text
    text, content = _decoded(text, "audio/")
    _check_bytes(content, SOUND_BYTES)
    return text


def _decoded(text: str, family: str, types: frozenset[str] | None = None) -> tuple[str, bytes]:
    """Bare base64 and the bytes it stands for."""
    if prefix := _DATA_URI.match(text):
        kind = prefix["type"].lower()
        if "base64" not in prefix["parameters"].lower():
            raise wrong("a data URI must be base64, as in data:image/png;base64,…")
        if not kind.startswith(family) or (types and kind not in types):
            raise wrong(f"must not be of type {kind[:60] or 'unknown'}")
        text = text[prefix.end() :]
    text = "".join(text.split())
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        content = b""
    if not content:
        raise wrong("must be an http(s) URL, a data URI or base64")
    return text, content


def _check_bytes(content: bytes, largest: int) -> None:
    if len(content) > largest:
        raise wrong(f"must not exceed {largest // _MEGABYTE} MB")


def _check_size(size: tuple[int, int] | None) -> None:
    if size is None:
        return
    width, height = size
    if min(size) < LEAST_SIDE:
        raise wrong(f"is {width}×{height} pixels; each side needs {LEAST_SIDE}")
    if max(size) > min(size) * LARGEST_RATIO:
        raise wrong(f"is {width}×{height} pixels; no side may be {LARGEST_RATIO}× the other")


_PICTURE_WORDS = (
    "A JPEG or PNG: an http(s) URL, a data URI or base64; at most {} MB, each side at least 300"
    " pixels and at most 2.5 times the other."
)

Picture = Annotated[
    str,
    _picture(PICTURE_BYTES),
    Field(description=_PICTURE_WORDS.format(PICTURE_BYTES // _MEGABYTE)),
]
LargePicture = Annotated[
    str,
    _picture(LARGE_PICTURE_BYTES),
    Field(description=_PICTURE_WORDS.format(LARGE_PICTURE_BYTES // _MEGABYTE)),
]
Sound = Annotated[
    str,
    AfterValidator(_sound),
    Field(description="A sound: an http(s) URL, a data URI or base64; at most 5 MB."),
]
Url = Annotated[str, AfterValidator(_url), Field(description="An http(s) URL.")]
