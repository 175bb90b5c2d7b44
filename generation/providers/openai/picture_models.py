"""What callers may ask of models that make pictures from a prompt."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from generation.contract.request import Form, Problem, Prompt, Request
from generation.providers.openai.request import ModelName

_GPT_IMAGE = re.compile(r"(chat)?gpt-image", re.IGNORECASE)
_DALL_E = re.compile(r"dall-e", re.IGNORECASE)
_SIZE = re.compile(r"([1-9][0-9]{1,3})x([1-9][0-9]{1,3})")

#: gpt-image-2: any size within these, in pixels.
_FEWEST, _MOST, _LONGEST_SIDE, _WIDEST = 655_360, 8_294_400, 3840, 3

#: Fields that only gpt-image models have.
_GPT_IMAGE_FIELDS = ("background", "moderation", "output_format", "output_compression")


@dataclass(frozen=True, slots=True)
class _Limits:
    """What a known model takes. None: any value, or none at all where the field is not its own."""

    longest_prompt: int
    sizes: frozenset[str] | None
    qualities: frozenset[str]
    styles: frozenset[str] = frozenset()
    most: int = 10


_KNOWN: Mapping[str, _Limits] = {
    "dall-e-2": _Limits(
        1000, frozenset({"256x256", "512x512", "1024x1024"}), frozenset({"standard"})
    ),
    "dall-e-3": _Limits(
        4000,
        frozenset({"1024x1024", "1792x1024", "1024x1792"}),
        frozenset({"standard", "hd"}),
        frozenset({"vivid", "natural"}),
        most=1,
    ),
    "gpt-image-1": _Limits(
        32000,
        frozenset({"auto", "1024x1024", "1536x1024", "1024x1536"}),
        frozenset({"auto", "low", "medium", "high"}),
    ),
    "gpt-image-2": _Limits(32000, None, frozenset({"auto", "low", "medium", "high"})),
}


def is_gpt_image(model: str) -> bool:
    """Whether it is a model that answers with the picture itself unless a station hosts it."""
    return bool(_GPT_IMAGE.match(model))


def takes_response_format(model: str) -> bool:
    """Whether the model lets itself be asked for a URL."""
    return bool(_DALL_E.match(model))


class Picture(Request):
    """A picture from words, in OpenAI's form."""

    model: ModelName = "dall-e-3"
    prompt: Prompt
    n: int | None = Field(None, ge=1, le=10, description="How many; DALL·E 3 makes one.")
    size: str | None = Field(None, max_length=20, description="As in `1024x1024`.")
    quality: str | None = Field(None, max_length=20)
    style: str | None = Field(None, max_length=50)
    background: Literal["transparent", "opaque", "auto"] | None = None
    moderation: Literal["low", "auto"] | None = None
    output_format: Literal["png", "jpeg", "webp"] | None = None
    output_compression: int | None = Field(None, ge=0, le=100)
    response_format: str | None = Field(
        None, description="`url`, for which DALL·E is asked anyway; gpt-image models refuse it."
    )
    user: str | None = Field(None, description="Your end user, for the upstream's records.")

    def problems(self) -> Iterator[Problem]:
        yield from super().problems()
        if self.response_format not in (None, "url"):
            yield ("response_format",), "must be url: a file in the answer cannot be kept yet"
        elif self.response_format is not None and is_gpt_image(self.model):
            yield ("response_format",), f"is not known to {self.model}, which refuses it"
        yield from self._model_problems()
        if self.output_compression is not None and self.output_format not in ("jpeg", "webp"):
            yield ("output_compression",), "is for an output_format of jpeg or webp"

    def _model_problems(self) -> Iterator[Problem]:
        """What a known model does not take. A new model's limits are its own."""
        limits = _KNOWN.get(self.model)
        if limits is None:
            return
        if len(self.prompt) > limits.longest_prompt:
            yield ("prompt",), f"is longer than {limits.longest_prompt} characters"
        if (self.n or 1) > limits.most:
            yield ("n",), f"is at most {limits.most} with {self.model}"
        yield from self._size_problems(limits)
        for field, allowed in (("quality", limits.qualities), ("style", limits.styles)):
            if (value := getattr(self, field)) is not None and value not in allowed:
                yield (field,), f"{_one_of(allowed)} with {self.model}"
        if not is_gpt_image(self.model):
            for field in _GPT_IMAGE_FIELDS:
                if getattr(self, field) is not None:
                    yield (field,), "is for gpt-image models"
        if self.model == "gpt-image-2" and self.background == "transparent":
            yield ("background",), "cannot be transparent with gpt-image-2"

    def _size_problems(self, limits: _Limits) -> Iterator[Problem]:
        if self.size is None:
            return
        if limits.sizes is not None:
            if self.size not in limits.sizes:
                yield ("size",), f"{_one_of(limits.sizes)} with {self.model}"
        elif self.size != "auto" and not _fits_any_size(self.size):
            yield (
                ("size",),
                "is auto, or WxH in multiples of 16: no side above 3840, 655360 to 8294400 pixels,"
                " no wider than 3:1",
            )


def _one_of(allowed: frozenset[str]) -> str:
    return f"must be {' or '.join(sorted(allowed))}" if allowed else "is not known"


def _fits_any_size(size: str) -> bool:
    found = _SIZE.fullmatch(size)
    if found is None:
        return False
    short, long = sorted(int(side) for side in found.groups())
    whole = short % 16 == 0 and long % 16 == 0
    return (
        whole
        and long <= _LONGEST_SIDE
        and _FEWEST <= short * long <= _MOST
        and long <= _WIDEST * short
    )


class ChatOpenPicture(Request):
    """A picture from words, or from pictures with words, at Chat Open."""

    model: ModelName = "gemini-3.1-flash-image-preview"
    prompt: Prompt
    aspect_ratio: str | None = Field(None, max_length=20, description="As in `16:9`.")
    resolution: Literal["512px", "1K", "2K", "4K"] | None = None
    output_format: Literal["png", "jpeg"] | None = None
    google_search: bool | None = Field(None, description="Look things up first.")
    images: Annotated[
        list[Annotated[str, Form(r"^https://\S+$", "an https URL")]], Field(max_length=14)
    ] = Field(default_factory=list[str], description="Pictures to go by, as https URLs.")
