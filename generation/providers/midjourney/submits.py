"""What callers may ask of Midjourney without an earlier task: pictures and texts."""

from typing import Any, Literal

from pydantic import Field, field_validator

from generation.contract.operation import Parent
from generation.providers.kit.media_inputs import Image, is_url
from generation.providers.midjourney.images import Content, decoded_size
from generation.providers.midjourney.prompts import Prompt
from generation.providers.midjourney.request import BotType, Submit

#: The largest picture a face swap takes.
SWAP_BYTES = 10 * 1024 * 1024


class ImagineRequest(Submit):
    """Text, and pictures to go by, to a grid of four images."""

    prompt: Prompt = Field(
        description="Midjourney's own parameters are part of the text: `a cat --ar 16:9 --v 7`."
    )
    images: tuple[Image, ...] = Field(
        (),
        serialization_alias="base64Array",
        description="Reference pictures: https URLs, data URIs or bare base64.",
    )
    bot_type: BotType = None
    mode: str | None = Field(
        None, min_length=1, description="`RELAX` or `FAST`, at stations that read it."
    )
    no_storage: bool | None = Field(None, description="At stations that read it.")

    def body(self, parent: Parent | None) -> dict[str, Any]:
        """Return the body: picture URLs open the prompt, where every proxy reads them.

        `base64Array` takes content only.
        """
        urls = [image for image in self.images if is_url(image)]
        contents = [image for image in self.images if not is_url(image)]
        body = self.wire(exclude={"images"}) | {"prompt": " ".join([*urls, self.prompt])}
        return body | ({"base64Array": contents} if contents else {})


class BlendRequest(Submit):
    """Two to five pictures to a grid of four that mix them."""

    # A relay takes any number, charges, and lets the task fail.
    images: tuple[Image, ...] = Field(
        min_length=2,
        max_length=5,
        serialization_alias="base64Array",
        description="Two to five pictures: data URIs or bare base64; newer proxies take https URLs"
        " too.",
    )
    dimensions: Literal["PORTRAIT", "SQUARE", "LANDSCAPE"] | None = Field(
        None, description="2:3, 1:1 (the default upstream) or 3:2."
    )
    bot_type: BotType = None


class DescribeRequest(Submit):
    """A picture to four prompts that might have made it."""

    image: Image = Field(
        description="The picture: a data URI or bare base64; newer proxies take an https URL too."
    )
    language: str | None = Field(
        None, min_length=1, description="Of the prompts, such as `zh`, at proxies that translate."
    )
    bot_type: BotType = None

    def body(self, parent: Parent | None) -> dict[str, Any]:
        """An address is a `link`, which proxies that have no such field refuse without a charge."""
        name = "link" if is_url(self.image) else "base64"
        return {name: self.image, **self.wire(exclude={"image"})}


class ShortenRequest(Submit):
    """A long prompt to shorter ones."""

    prompt: Prompt = Field(description="The prompt to shorten.")
    bot_type: BotType = None


class EditRequest(Submit):
    """A picture from anywhere, made anew after a prompt."""

    prompt: Prompt = Field(description="What the picture is to become.")
    image: Image = Field(description="The picture: an https URL, a data URI or bare base64.")


class UploadRequest(Submit):
    """Pictures to addresses that prompts may name."""

    images: tuple[Image, ...] = Field(
        min_length=1,
        serialization_alias="base64Array",
        description="The pictures: data URIs or bare base64; newer proxies take https URLs too.",
    )


class SwapFaceRequest(Submit):
    """A face from one picture, put into another."""

    face: Image = Field(description="The picture of the face to use; at most 10 MiB.")
    target: Image = Field(description="The picture to change; at most 10 MiB, and another one.")

    @field_validator("face", "target")
    @classmethod
    def _not_too_large(cls, image: str) -> str:
        if not is_url(image) and decoded_size(image) > SWAP_BYTES:
            raise ValueError("the picture is larger than 10 MiB; make it smaller")
        return image

    @field_validator("target")
    @classmethod
    def _another_picture(cls, target: str, info: Any) -> str:
        if target == info.data.get("face"):
            raise ValueError("must be another picture than the face's")
        return target

    def body(self, parent: Parent | None) -> dict[str, Any]:
        body = self.wire(exclude={"face", "target"})
        for name, image in (("source", self.face), ("target", self.target)):
            body[name + ("Url" if is_url(image) else "Base64")] = image
        return body


class RelayedSwapFaceRequest(SwapFaceRequest):
    """The same through a relay, which wants both pictures in the request itself."""

    face: Content = Field(description="The picture of the face to use, as content; at most 10 MiB.")
    target: Content = Field(
        description="The picture to change, as content; at most 10 MiB, and another one."
    )
