"""Pictures in a request: what a caller may give."""

import base64
import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

_DATA_URI_HEAD = re.compile(r"data:image/[\w.+-]+;base64", re.IGNORECASE)
_SIGNATURES = {b"\x89PNG": "png", b"\xff\xd8\xff": "jpeg", b"GIF8": "gif", b"RIFF": "webp"}
_GUIDE = "give an https URL, a data URI of an image in base64, or bare base64"


def normalised(image: str) -> str:
    """
    The picture as an https URL or a data URI. Raises `ValueError` where it is neither and no
    base64. Bare base64 is named after the file type it begins with, PNG where that is unknown.
    """
    image = image.strip()
    if image[:8].lower() == "https://":
        return _whole(image)
    if "://" in image[:16]:
        raise ValueError(f"the image is at a URL that is not https: {_GUIDE}")
    head, comma, content = image.partition(",")
    if not comma and not head.startswith("data:"):
        content = "".join(image.split())
        return f"data:image/{_file_type(_decoded(content))};base64,{content}"
    if not _DATA_URI_HEAD.fullmatch(head):
        raise ValueError(f"the data URI is not of an image in base64: {_GUIDE}")
    content = "".join(content.split())
    _decoded(content)
    return f"{head.lower()},{content}"


def is_address(image: str) -> bool:
    """Whether a normalised picture is given by its URL rather than by its content."""
    return not image.startswith("data:")


def _file_type(content: bytes) -> str:
    types = (name for signature, name in _SIGNATURES.items() if content.startswith(signature))
    return next(types, "png")


def _whole(url: str) -> str:
    try:
        host = urlsplit(url).hostname
    except ValueError:
        host = None
    if not host or any(letter.isspace() for letter in url):
        raise ValueError(f"the URL has no host or has blanks in it: {_GUIDE}")
    return url


def _decoded(content: str) -> bytes:
    try:
        decoded = base64.b64decode(content, validate=True)
    except ValueError as error:
        raise ValueError(f"the image is not valid base64 ({error}): {_GUIDE}") from error
    if not decoded:
        raise ValueError(f"the image is empty: {_GUIDE}")
    return decoded


#: A picture in a request; an https URL or a data URI once it is validated.
Image = Annotated[
    str,
    AfterValidator(normalised),
    Field(description="An https URL, a data URI of an image in base64, or bare base64."),
]
