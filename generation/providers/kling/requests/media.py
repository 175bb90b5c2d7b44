"""Pictures and sounds that a request carries: an http(s) URL, a data URI, or bare base64.

The vendor takes URLs and bare base64, so a data URI is stored and sent without its prefix. What is
carried whole is looked into before anybody pays: what it is, how many bytes, how many pixels.
"""

import re
from dataclasses import replace
from typing import Annotated

from pydantic import AfterValidator, Field

from generation.contract.request import wrong
from generation.providers.kit.media_inputs import Limits, decoded

_URL = re.compile(r"https?://[^\s/?#]+\S*", re.IGNORECASE)
_DECLARED = re.compile(r"data:([^;,]*)", re.IGNORECASE)
_GUIDE = "give an http(s) URL, a data URI in base64, or bare base64"

_MEGABYTE = 1024 * 1024
#: The first API's limits, and the second's.
PICTURE = Limits(
    types=("jpeg", "png"), largest_bytes=10 * _MEGABYTE, least_side=300, largest_ratio=2.5
)
LARGE_PICTURE = replace(PICTURE, largest_bytes=50 * _MEGABYTE)
SOUND_BYTES = 5 * _MEGABYTE


def is_url(value: str) -> bool:
    return bool(_URL.fullmatch(value))


def _url(value: str) -> str:
    address = value.strip()
    if not is_url(address):
        raise wrong("must be an http(s) URL")
    return address


def _picture(limits: Limits) -> AfterValidator:
    def checked(value: str) -> str:
        address = value.strip()
        if is_url(address):
            return address
        text, content = decoded(value, _GUIDE)
        limits.check(content)
        return text

    return AfterValidator(checked)


def _sound(value: str) -> str:
    address = value.strip()
    if is_url(address):
        return address
    declared = _DECLARED.match(address)
    if declared and not declared[1].lower().startswith("audio/"):
        raise wrong(f"must not be of type {declared[1][:60].lower() or 'unknown'}")
    text, content = decoded(value, _GUIDE)
    if len(content) > SOUND_BYTES:
        raise wrong(f"must not exceed {SOUND_BYTES // _MEGABYTE} MB")
    return text


def _described(limits: Limits) -> str:
    megabytes = (limits.largest_bytes or 0) // _MEGABYTE
    return (
        f"A {limits.names}: an http(s) URL, a data URI or base64; at most {megabytes} MB, each side"
        f" at least {limits.least_side} pixels and at most {limits.largest_ratio} times the other."
    )


Picture = Annotated[str, _picture(PICTURE), Field(description=_described(PICTURE))]
LargePicture = Annotated[str, _picture(LARGE_PICTURE), Field(description=_described(LARGE_PICTURE))]
Sound = Annotated[
    str,
    AfterValidator(_sound),
    Field(description="A sound: an http(s) URL, a data URI or base64; at most 5 MB."),
]
Url = Annotated[str, AfterValidator(_url), Field(description="An http(s) URL.")]
