"""Pictures in a request: what a caller may give, and what each dialect wants instead."""

import base64
import re
from typing import Annotated, Any, cast
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
        content = _compact(image)
        return f"data:image/{file_type(_decoded(content))};base64,{content}"
    if not _DATA_URI_HEAD.fullmatch(head):
        raise ValueError(f"the data URI is not of an image in base64: {_GUIDE}")
    content = _compact(content)
    _decoded(content)
    return f"{head.lower()},{content}"


def addressed(address: str) -> str:
    """An https URL. Raises `ValueError` for anything else."""
    address = address.strip()
    if address[:8].lower() != "https://":
        raise ValueError("give an https URL")
    return _whole(address)


def bare(value: Any) -> Any:
    """A normalised picture, or lists of them, with bare base64 in the place of data URIs."""
    if isinstance(value, list):
        return [bare(each) for each in cast(list[Any], value)]
    if isinstance(value, str) and value.startswith("data:"):
        return value.partition(",")[2]
    return value


def file_type(content: bytes) -> str:
    """`png`, `jpeg`, `gif` or `webp`, by how the file begins; `png` where that is unknown."""
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
Address = Annotated[str, AfterValidator(addressed), Field(description="An https URL.")]
