"""What callers may ask of models that answer in words, and of those that draw within a chat."""

import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Field

from generation.contract.request import LARGEST_INTEGER, Problem, Prompt, Request, Seed
from generation.providers.kit.media_inputs import Image, is_url
from generation.providers.openai.messages import Message, Tool
from generation.providers.openai.request import ModelName

#: Models with a browser of their own, which read what an address in the text leads to.
_BROWSES = re.compile(r"-all\b|-gizmo-", re.IGNORECASE)

Penalty = Annotated[float, Field(ge=-2, le=2)]


class Conversation(Request):
    """What is said, as one prompt or as messages."""

    model: ModelName
    prompt: Prompt | None = Field(None, description="What to say, in place of `messages`.")
    images: Annotated[list[Image], Field(min_length=1)] | None = Field(
        None, description="Pictures that the prompt is about."
    )
    image_form: Literal["auto", "text", "parts"] = Field(
        "auto",
        description="How `images` are sent: as addresses before the text, which `-all` models"
        " read, or as parts of the message; `auto` goes by the model's name.",
    )
    messages: Annotated[list[Message], Field(min_length=1)] | None = Field(
        None, description="The whole conversation, in OpenAI's form, in place of `prompt`."
    )
    user: str | None = Field(None, description="Your end user, for the upstream's records.")
    stream: bool | None = Field(
        None,
        description="Whether the station sends the answer in pieces, which keeps proxies on the way"
        " from giving up; you get it whole either way. Models that draw or browse stream unless"
        " told not to.",
    )

    @property
    def addresses_in_text(self) -> bool:
        """Whether `images` are sent as addresses within the text."""
        return self.browses if self.image_form == "auto" else self.image_form == "text"

    @property
    def browses(self) -> bool:
        """Whether the model, going by its name, has a browser of its own."""
        return bool(_BROWSES.search(self.model))

    @property
    def is_streamed(self) -> bool:
        """Whether the answer is to come in pieces: what takes minutes must not be silent."""
        return self.browses if self.stream is None else self.stream

    def problems(self) -> Iterator[Problem]:
        yield from super().problems()
        if (self.prompt is None) == (self.messages is None):
            yield ("prompt",), "or messages is required, and not both"
        if self.images and self.messages is not None:
            yield ("images",), "go with a prompt; with messages, put them into the messages"
        if self.addresses_in_text:
            for at, image in enumerate(self.images or ()):
                if not is_url(image):
                    words = f"is no URL, and {self.model} reads pictures by their address only"
                    yield ("images", at), words


class Chat(Conversation):
    """A question to a model that answers in words, or with a call of a tool."""

    model: ModelName = "gpt-4o"
    temperature: float | None = Field(None, ge=0, le=2)
    top_p: float | None = Field(None, ge=0, le=1)
    n: int | None = Field(None, ge=1, le=LARGEST_INTEGER, description="How many answers.")
    stop: str | Annotated[list[str], Field(min_length=1, max_length=4)] | None = None
    max_tokens: int | None = Field(None, ge=1, le=LARGEST_INTEGER)
    max_completion_tokens: int | None = Field(
        None, ge=1, le=LARGEST_INTEGER, description="Newer models' max_tokens."
    )
    presence_penalty: Penalty | None = None
    frequency_penalty: Penalty | None = None
    logit_bias: dict[str, float] | None = None
    tools: Annotated[list[Tool], Field(min_length=1)] | None = None
    tool_choice: str | dict[str, Any] | None = Field(
        None, description="`none`, `auto`, `required`, or the one function to call."
    )
    response_format: dict[str, Any] | None = Field(
        None, description='As in `{"type": "json_object"}`.'
    )
    seed: Seed | None = None
    stream_options: dict[str, Any] | None = Field(
        None, description='As in `{"include_usage": true}`, for answers that are streamed.'
    )

    reasoning_effort: str | None = Field(
        None, min_length=1, description="How long a reasoning model thinks, as in `low`."
    )
    verbosity: str | None = Field(
        None, min_length=1, description="How long the answer gets: `low`, `medium` or `high`."
    )
    parallel_tool_calls: bool | None = Field(
        None, description="Whether one answer may call several tools."
    )
    modalities: Annotated[list[str], Field(min_length=1)] | None = Field(
        None, description='What to answer with, as in `["text", "audio"]`.'
    )
    audio: dict[str, Any] | None = Field(
        None, description='As in `{"voice": "alloy", "format": "mp3"}`, for an answer with sound.'
    )
    web_search_options: dict[str, Any] | None = Field(
        None, description="For models that search; `{}` is enough."
    )
    logprobs: bool | None = Field(None, description="Whether to tell how likely each token was.")
    top_logprobs: int | None = Field(
        None, ge=0, le=20, description="Of how many other tokens to tell it."
    )
    metadata: dict[str, str] | None = Field(
        None, description="For the upstream's records; your own belongs into the job's metadata."
    )
    store: bool | None = Field(None, description="Whether the upstream keeps the answer.")
    prediction: dict[str, Any] | None = Field(
        None, description="What of the answer is known, of `type` `content`."
    )
    service_tier: str | None = Field(None, min_length=1, description="As in `flex`.")
    safety_identifier: str | None = Field(
        None, min_length=1, description="Your end user, for the upstream's checks."
    )
    prompt_cache_key: str | None = Field(
        None, min_length=1, description="Requests with equal keys share a cache upstream."
    )

    def problems(self) -> Iterator[Problem]:
        yield from super().problems()
        if self.parallel_tool_calls is not None and not self.tools:
            yield ("parallel_tool_calls",), "is about calls of tools: give some"
        if self.top_logprobs is not None and not self.logprobs:
            yield ("top_logprobs",), "needs logprobs: true beside it"
        if "audio" in (self.modalities or ()) and self.audio is None:
            yield ("audio",), "is required where modalities has audio: say voice and format"
        if self.max_tokens is not None and self.max_completion_tokens is not None:
            yield ("max_completion_tokens",), "means the same as max_tokens: give one of them"
        if self.tool_choice not in (None, "none") and not self.tools:
            yield ("tool_choice",), "chooses among tools: give some"
        if self.stream_options is not None and not self.is_streamed:
            yield ("stream_options",), "are for streamed answers: say stream: true"


class ImageByChat(Conversation):
    """A picture from a model that draws within a chat."""

    model: ModelName = "gpt-4-all"

    @property
    def is_streamed(self) -> bool:
        return self.stream is not False
