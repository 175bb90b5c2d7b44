"""Reference pictures: what a caller may give, and the data URIs that proxies want."""

import base64
import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator

_DATA_URI_HEAD = re.compile(r"data:image/[\w.+-]+;base64", re.IGNORECASE)
_SIGNATURES = {b"\x89PNG": "png", b"\xff\xd8\xff": "jpeg", b"GIF8": "gif", b"RIFF": "webp"}
_GUIDE = "give an https URL, a data URI of an image in base64, or bare base64"


def is_url(image: str) -> bool:
    """Whether the picture is given by address, not by content."""
    return image[:8].lower() == "https://"


def normalised(image: str) -> str:
    """
    The picture as an https URL or a data URI, which is what every later step may rely on.

    Raises `ValueError` where it is neither and no base64. Bare base64 is named after the file type
    it begins with, and PNG where that is unknown, as proxies assume too.
    """
    image = image.strip()
    if is_url(image):
        return _checked_url(image)
    if "://" in image[:16]:
        raise ValueError(f"the image is at a URL that is not https: {_GUIDE}")
    head, comma, content = image.partition(",")
    if not comma and not head.startswith("data:"):
        content = _compact(image)
        return f"data:image/{_file_type(content)};base64,{content}"
    if not _DATA_URI_HEAD.fullmatch(head):
        raise ValueError(f"the data URI is not of an image in base64: {_GUIDE}")
    content = _compact(content)
    _decoded(content)
    return f"{head.lower()},{content}"


def _checked_url(url: str) -> str:
    try:
        host = urlsplit(url).hostname
    except ValueError:
        host = None
    # The URL becomes part of the prompt, where a blank would end it.
    if not host or any(letter.isspace() for letter in url):
        raise ValueError(f"the image URL has no host or has blanks in it: {_GUIDE}")
    return url


def _compact(content: str) -> str:
    """Base64 without the line breaks that command line tools put into it."""
    return "".join(content.split())


def _decoded(content: str) -> bytes:
    try:
        decoded = base64.b64decode(content, validate=True)
    except ValueError as error:
        raise ValueError(f"the image is not valid base64 ({error}): {_GUIDE}") from error
    if not decoded:
        raise ValueError(f"the image is empty: {_GUIDE}")
    return decoded


def _file_type(content: str) -> str:
    head = _decoded(content)[:4]
    types = (name for signature, name in _SIGNATURES.items() if head.startswith(signature))
    return next(types, "png")


def decoded_size(image: str) -> int:
    """How many bytes the picture of a data URI has."""
    content = image.partition(",")[2]
    return len(content) * 3 // 4 - content[-2:].count("=")


def _by_content(image: str) -> str:
    if is_url(image):
        raise ValueError("only the picture itself can be sent: give a data URI or bare base64")
    return image


#: A picture in a request; a URL or a data URI once it is validated.
Image = Annotated[str, AfterValidator(normalised)]
#: The same where an address will not do.
Content = Annotated[Image, AfterValidator(_by_content)]
