"""The values a request may hold: pictures, addresses, durations, and names of earlier work."""

import base64
import re
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

_DATA_URI_HEAD = re.compile(r"data:(image/[\w.+-]+);base64", re.IGNORECASE)
_SIGNATURES = {b"\x89PNG": "png", b"\xff\xd8\xff": "jpeg", b"GIF8": "gif", b"RIFF": "webp"}
_GUIDE = "give an https URL, a data URI of an image in base64, or bare base64"
_WHOLE_SECONDS = re.compile(r"[1-9][0-9]?")


class Part(BaseModel):
    """A part of a request, as strict about names as the request itself."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def https_url(value: str) -> str:
    """The URL without blanks around it. Raises `ValueError` where Luma could not fetch it."""
    url = value.strip()
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        parts, host = None, None
    if parts is None or parts.scheme != "https" or not host or any(map(str.isspace, url)):
        raise ValueError("must be a public https URL: Luma fetches it by itself")
    return url


def picture(value: str) -> str:
    """
    A picture as an https URL or a data URI, which is what every later step may rely on.

    Raises `ValueError` where it is neither and no base64. Bare base64 is named after the file type
    it begins with, and PNG where that is unknown.
    """
    image = value.strip()
    if image[:8].lower() == "https://":
        return https_url("https" + image[5:])
    if "://" in image[:16]:
        raise ValueError(f"the image is at a URL that is not https: {_GUIDE}")
    head, comma, content = image.partition(",")
    if not comma and not head.lower().startswith("data:"):
        return f"data:image/{_file_type(_decoded(image))};base64,{_compact(image)}"
    if not _DATA_URI_HEAD.fullmatch(head):
        raise ValueError(f"the data URI is not of an image in base64: {_GUIDE}")
    _decoded(content)
    return f"{head.lower()},{_compact(content)}"


def is_url(image: str) -> bool:
    """Whether the picture is given by address, not by content."""
    return not image.startswith("data:")


def content_of(image: str) -> tuple[str, str]:
    """The media type and the base64 of a picture that is a data URI."""
    head, _, content = image.partition(",")
    return head.removeprefix("data:").removesuffix(";base64"), content


def _compact(content: str) -> str:
    """Base64 without the line breaks that command line tools put into it."""
    return "".join(content.split())


def _decoded(content: str) -> bytes:
    try:
        decoded = base64.b64decode(_compact(content), validate=True)
    except ValueError as error:
        raise ValueError(f"the image is not valid base64 ({error}): {_GUIDE}") from error
    if not decoded:
        raise ValueError(f"the image is empty: {_GUIDE}")
    return decoded


def _file_type(content: bytes) -> str:
    types = (name for signature, name in _SIGNATURES.items() if content.startswith(signature))
    return next(types, "png")


def _not_blank(value: str) -> str:
    if not value.strip():
        raise ValueError("must not be blank: say what to make")
    return value


def _seconds(value: Any) -> Any:
    """Luma writes `5s`; callers may leave the unit out or give a number."""
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value}s"
    plain = isinstance(value, str) and _WHOLE_SECONDS.fullmatch(value)
    return f"{value}s" if plain else value


Prompt = Annotated[str, Field(min_length=1), AfterValidator(_not_blank)]

#: Something Luma fetches by itself.
MediaUrl = Annotated[str, AfterValidator(https_url), Field(description="A public https URL.")]

#: A URL or a data URI once it is validated.
Picture = Annotated[
    str,
    AfterValidator(picture),
    Field(description="A picture: an https URL, a data URI, or bare base64."),
]

Seconds = Annotated[
    str,
    BeforeValidator(_seconds, json_schema_input_type=str | int),
    Field(pattern=r"^[1-9][0-9]?s$"),
]

AspectRatio = Annotated[str, Field(pattern=r"^[1-9][0-9]*:[1-9][0-9]*$")]

Pixels = Annotated[int, Field(ge=0)]

#: How closely a video that is made anew keeps to its source, from `adhere_1` to `reimagine_3`.
ModifyMode = Annotated[str, Field(pattern=r"^(adhere|flex|reimagine)_[1-3]$")]

#: A word of the upstream's, such as a model's name; unknown ones go upstream.
Word = Annotated[str, Field(min_length=1, max_length=100)]

GenerationId = Annotated[
    str,
    Field(
        pattern=r"^[\w:~@=+-][\w.:~@=+-]{0,199}$",
        description="The upstream id of an earlier generation of the same account.",
    ),
]
