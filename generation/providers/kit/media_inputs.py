"""Pictures in a request: what a caller may give, and the two forms that every later step sees.

A picture that is given by its content is looked into before anybody pays: what it is, how large,
and whether all of it is there. Its own bytes say what it is; what a data URI says of them does not
count. `picture_files` reads them.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from generation.contract.request import wrong
from generation.providers.kit import picture_files

_BY_ADDRESS = "give an https URL: the upstream fetches it by itself"
_GUIDE = "give an https URL, a data URI of an image in base64, or bare base64"

#: Type and parameters of a data URI; a quoted parameter may have a comma in it.
_HEAD = re.compile(r'data:((?:[^,"]|"[^"]*")*),', re.IGNORECASE)
#: No data URI needs more before its content. It bounds the work.
_LONGEST_HEAD = 1000
#: What a data URI may write for a character of base64.
_ESCAPES: Mapping[str, str] = {
    **{"%2B": "+", "%2b": "+", "%2F": "/", "%2f": "/", "%3D": "=", "%3d": "="},
    **{"%0A": "", "%0a": "", "%0D": "", "%0d": "", "%20": ""},
}
_URL_ALPHABET = str.maketrans("-_", "+/")

_MEGABYTE = 1024 * 1024
_NAMES: Mapping[str, str] = {"png": "PNG", "jpeg": "JPEG", "webp": "WebP", "gif": "GIF"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What an upstream takes of a picture."""

    types: tuple[str, ...] = ("png", "jpeg", "webp", "gif")
    largest_bytes: int | None = None
    #: In pixels. No model sees anything in a smaller picture, and some fail on it after payment.
    least_side: int = 16
    #: The longer side for each pixel of the shorter.
    largest_ratio: float | None = None

    def check(self, content: bytes) -> str:
        """The type of the picture. Raises a `value_error` that says what to change."""
        type_ = picture_files.type_of(content)
        if type_ not in self.types:
            given = _NAMES.get(type_ or "")
            is_ = f"a {given} file" if given else picture_files.name_of(content)
            raise wrong(f"is {is_}; send a {self.names}")
        size = picture_files.size_of(content)
        if size is None or not picture_files.is_whole(content):
            raise wrong(f"is a {_NAMES[type_]} file that is cut off or damaged; send all of it")
        if self.largest_bytes is not None and len(content) > self.largest_bytes:
            raise wrong(f"must not exceed {self.largest_bytes // _MEGABYTE} MB; make it smaller")
        self._check_size(*size)
        return type_

    @property
    def names(self) -> str:
        """The types in words."""
        *most, last = (_NAMES[type_] for type_ in self.types)
        return f"{', '.join(most)} or {last}" if most else last

    def _check_size(self, width: int, height: int) -> None:
        size, short, long = f"is {width}×{height} pixels", *sorted((width, height))
        if short < self.least_side:
            raise wrong(f"{size}; each side needs {self.least_side}")
        if self.largest_ratio is not None and long > short * self.largest_ratio:
            raise wrong(f"{size}; no side may be {self.largest_ratio}× the other")


USUAL = Limits()


def normalised(image: str, limits: Limits = USUAL) -> str:
    """The picture as an https URL, or as a data URI that names its type truly.

    Raises `ValueError` where it is neither and no base64, and for a picture beyond the limits.
    """
    image = image.strip()
    if is_url(image):
        return _whole(image, _GUIDE)
    if "://" in image[:16]:
        raise wrong(f"the image is at a URL that is not https: {_GUIDE}")
    text, content = decoded(image)
    return f"data:image/{limits.check(content)};base64,{text}"


def addressed(url: str) -> str:
    """An https URL. Raises `ValueError` for anything else."""
    url = url.strip()
    if not is_url(url):
        raise wrong(_BY_ADDRESS)
    return _whole(url, _BY_ADDRESS)


def is_url(image: str) -> bool:
    """Whether the picture is given by address, not by content."""
    return image[:8].lower() == "https://"


def content_of(image: str) -> tuple[str, str]:
    """The media type and the base64 of a picture that is a data URI."""
    head, _, content = image.partition(",")
    return head.removeprefix("data:").removesuffix(";base64"), content


def decoded(file: str, guide: str = _GUIDE) -> tuple[str, bytes]:
    """Return plain base64 and its bytes, for a data URI or base64 in any form.

    Line breaks, missing padding and the URL alphabet are accepted. Raises `ValueError`.
    """
    text = file.strip()
    if text[:5].lower() == "data:":
        text = _data(text, guide)
    text = "".join(text.split())
    if "-" in text or "_" in text:
        text = text.translate(_URL_ALPHABET)
    if len(text) % 4:
        text = text.rstrip("=")
        text += "=" * (-len(text) % 4)
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise wrong(f"is not valid base64 ({error}): {guide}") from error
    if not content:
        raise wrong(f"is empty: {guide}")
    return text, content


def _data(uri: str, guide: str) -> str:
    """What stands behind the head of a data URI, unescaped."""
    head = _HEAD.match(uri[:_LONGEST_HEAD])
    if head is None:
        raise wrong(f"the data URI has no comma before its content: {guide}")
    parameters = [each.strip().lower() for each in head[1].split(";")[1:]]
    if "base64" not in parameters:
        raise wrong(f"the data URI must be base64, as in data:image/png;base64,…: {guide}")
    text = uri[head.end() :]
    if "%" in text:
        for escaped, plain in _ESCAPES.items():
            text = text.replace(escaped, plain)
    return text


def _whole(url: str, guide: str) -> str:
    """The URL with its scheme in small letters, as the pickiest of upstreams wants it."""
    try:
        host = urlsplit(url).hostname
    except ValueError:
        host = None
    # Some upstreams take it as a part of the prompt, where a blank would end it.
    if not host or any(letter.isspace() for letter in url):
        raise wrong(f"the URL has no host or has blanks in it: {guide}")
    return url[:8].lower() + url[8:]


#: A picture in a request; an https URL or a data URI once it is validated.
Image = Annotated[
    str,
    AfterValidator(normalised),
    Field(
        description="An https URL, a data URI of an image in base64, or bare base64; a"
        f" {USUAL.names} of at least {USUAL.least_side} pixels each way."
    ),
]

#: A file that is only taken by its address.
Address = Annotated[str, AfterValidator(addressed), Field(description="A public https URL.")]
