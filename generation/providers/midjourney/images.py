"""Reference pictures, where proxies want the picture itself."""

from typing import Annotated

from pydantic import AfterValidator

from generation.providers.kit.media_inputs import Image, is_url


def decoded_size(image: str) -> int:
    """How many bytes the picture of a data URI has."""
    content = image.partition(",")[2]
    return len(content) * 3 // 4 - content[-2:].count("=")


def _by_content(image: str) -> str:
    if is_url(image):
        raise ValueError("only the picture itself can be sent: give a data URI or bare base64")
    return image


#: A picture that is given by its content; a data URI once it is validated.
Content = Annotated[Image, AfterValidator(_by_content)]
