"""What is sent for each order, in OpenAI's form and in Chat Open's."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

from generation.contract.errors import ErrorCode, Rejected
from generation.providers.kit import json_reader as wire
from generation.providers.openai.chat_models import Conversation
from generation.providers.openai.picture_models import (
    ChatOpenPicture,
    Picture,
    takes_response_format,
)

#: Fields that become messages.
_SAID = frozenset({"prompt", "images", "image_form", "messages", "stream"})

#: What Chat Open calls a picture's fields.
_CHATOPEN_NAMES = {
    "prompt": "prompt",
    "aspect_ratio": "aspectRatio",
    "resolution": "resolution",
    "output_format": "outputFormat",
    "google_search": "enableGoogleSearch",
    "images": "imageUrlList",
}


def conversation(request: Conversation) -> dict[str, Any]:
    """A conversation in OpenAI's form. `stream` is sent, because relays differ in its default."""
    options = request.model_dump(mode="json", exclude_none=True, exclude=set(_SAID))
    head = {"model": options.pop("model"), "messages": _messages(request)}
    return head | {"stream": request.is_streamed, **options}


def chatopen_conversation(request: Conversation) -> dict[str, Any]:
    """Return the body that Chat Open expects.

    It has its own name for a picture's part, the model in the path, and no stream, which has
    another path. Raises `Rejected` for what cannot be expressed.
    """
    body = conversation(request)
    del body["model"], body["stream"]
    body.pop("stream_options", None)
    return body | {"messages": [_in_camel_case(message) for message in body["messages"]]}


def picture(request: Picture) -> dict[str, Any]:
    """An order for a picture in OpenAI's form. A URL is asked for where that can be asked."""
    asked = {"response_format": "url"} if takes_response_format(request.model) else {}
    return request.model_dump(mode="json", exclude_none=True) | asked


def chatopen_picture(request: ChatOpenPicture) -> dict[str, Any]:
    """An order for a picture at Chat Open."""
    said = request.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    return {name: said[own] for own, name in _CHATOPEN_NAMES.items() if own in said}


def _messages(request: Conversation) -> list[dict[str, Any]]:
    if request.messages is not None:
        return [each.model_dump(mode="json", exclude_none=True) for each in request.messages]
    return [{"role": "user", "content": _content(request)}]


def _content(request: Conversation) -> str | list[dict[str, Any]]:
    """The prompt and what it is about. Pictures come first: every model takes that order."""
    prompt, images = request.prompt or "", request.images or ()
    if not images:
        return prompt
    if request.addresses_in_text:
        # A space, so that the address does not run into words of a script without any.
        return " ".join((*images, prompt))
    parts = [{"type": "image_url", "image_url": {"url": image}} for image in images]
    return [*parts, {"type": "text", "text": prompt}]


def _in_camel_case(message: Mapping[str, Any]) -> dict[str, Any]:
    content = message.get("content")
    if not isinstance(content, list):
        return dict(message)
    return {**message, "content": [*_camel_parts(cast(list[Any], content))]}


def _camel_parts(parts: list[Any]) -> Iterator[dict[str, Any]]:
    for part in map(wire.mapping, parts):
        match part.get("type"):
            case "image_url":
                yield {"type": "imageUrl", "imageUrl": part["image_url"]}
            case "file" | "input_audio" as type_:
                raise Rejected(
                    f"openai.chatopen takes no {type_} parts: leave them out, or buy this order"
                    " elsewhere",
                    code=ErrorCode.UNSUPPORTED,
                )
            case _:
                yield dict(part)
