"""Pictures in a request: what a caller may give, and the two forms that every later step sees."""

import base64
import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

_DATA_URI_HEAD = re.compile(r"data:image/[\w.+-]+;base64", re.IGNORECASE)
_SIGNATURES = {b"\x89PNG": "png", b"\xff\xd8\xff": "jpeg", b"GIF8": "gif", b"RIFF": "webp"}
_BY_ADDRESS = "give an https URL: the upstream fetches it by itself"
_GUIDE = "give an https URL, a data URI of an image in base64, or bare base64"


def normalised(image: str) -> str:
    """
    The picture as an https URL or a data URI. Raises `ValueError` where it is neither and no
    base64. Bare base64 is named after the file type it begins with, PNG where that is unknown.
    """
    image = image.strip()
    if is_url(image):
        return _whole(image, _GUIDE)
    if "://" in image[:16]:
        raise ValueError(f"the image is at a URL that is not https: {_GUIDE}")
    head, comma, content = image.partition(",")
    if not comma and head[:5].lower() != "data:":
        content = _compact(image)
        return f"data:image/{file_type(_decoded(content))};base64,{content}"
    if not _DATA_URI_HEAD.fullmatch(head):
        raise ValueError(f"the data URI is not of an image in base64: {_GUIDE}")
    content = _compact(content)
    _decoded(content)
    return f"{head.lower()},{content}"


def addressed(url: str) -> str:
    """An https URL. Raises `ValueError` for anything else."""
    url = url.strip()
    if not is_url(url):
        raise ValueError(_BY_ADDRESS)
    return _whole(url, _BY_ADDRESS)


def is_url(image: str) -> bool:
    """Whether the picture is given by address, not by content."""
    return image[:8].lower() == "https://"


def content_of(image: str) -> tuple[str, str]:
    """The media type and the base64 of a picture that is a data URI."""
    head, _, content = image.partition(",")
    return head.removeprefix("data:").removesuffix(";base64"), content


def file_type(content: bytes) -> str:
    """`png`, `jpeg`, `gif` or `webp`, by how the file begins; `png` where that is unknown."""
    types = (name for signature, name in _SIGNATURES.items() if content.startswith(signature))
    return next(types, "png")


def _whole(url: str, guide: str) -> str:
    """The URL with its scheme in small letters, as the pickiest of upstreams wants it."""
    try:
        host = urlsplit(url).hostname
    except ValueError:
        host = None
    # Some upstreams take it as a part of the prompt, where a blank would end it.
    if not host or any(letter.isspace() for letter in url):
        raise ValueError(f"the URL has no host or has blanks in it: {guide}")
    return url[:8].lower() + url[8:]


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


#: A picture in a request; an https URL or a data URI once it is validated.
Image = Annotated[
    str,
    AfterValidator(normalised),
    Field(description="An https URL, a data URI of an image in base64, or bare base64."),
]

#: A file that is only taken by its address.
Address = Annotated[str, AfterValidator(addressed), Field(description="A public https URL.")]
