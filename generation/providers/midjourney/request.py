"""
What callers may ask of Midjourney.

Fields have the names of our API; on the wire they are camelCase. Unknown values go upstream: which
bots, modes and prompt parameters exist is for the proxy to judge.
"""

from typing import Any

from pydantic import AliasGenerator, BaseModel, ConfigDict, Field, field_validator
from pydantic.alias_generators import to_camel

from generation.operation import Request
from generation.providers.midjourney.images import Image, is_url


class AccountFilter(BaseModel):
    """Which Midjourney account may run the task. Few stations pass it on."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, alias_generator=AliasGenerator(serialization_alias=to_camel)
    )

    # An empty id is no wildcard upstream: it can mean "no such account".
    channel_id: str | None = Field(None, min_length=1)
    instance_id: str | None = Field(None, min_length=1)
    modes: tuple[str, ...] | None = Field(
        None, min_length=1, description="Allowed speeds, such as `RELAX`, `FAST`, `TURBO`."
    )
    remark: str | None = None
    remix: bool | None = None
    niji_remix: bool | None = None
    remix_auto_considered: bool | None = None


class MidjourneyRequest(Request):
    """What every submit takes, and how it becomes a body."""

    model_config = ConfigDict(alias_generator=AliasGenerator(serialization_alias=to_camel))

    account_filter: AccountFilter | None = Field(
        None, description="Which Midjourney account may run the task; few stations pass it on."
    )

    def wire(self) -> dict[str, Any]:
        """The request as a proxy reads it; what the caller left out is left out."""
        body = self.model_dump(mode="json", by_alias=True, exclude_none=True)
        return {name: value for name, value in body.items() if value not in ({}, [])}


class ImagineRequest(MidjourneyRequest):
    """Text, and pictures to go by, to a grid of four images."""

    prompt: str = Field(
        description="Midjourney's own parameters are part of the text: `a cat --ar 16:9 --v 7`."
    )
    images: tuple[Image, ...] = Field(
        (),
        serialization_alias="base64Array",
        description="Reference pictures: https URLs, data URIs or bare base64.",
    )
    bot_type: str | None = Field(
        None, min_length=1, description="`MID_JOURNEY` (the default upstream) or `NIJI_JOURNEY`."
    )
    mode: str | None = Field(
        None, min_length=1, description="`RELAX` or `FAST`, at stations that read it."
    )
    no_storage: bool | None = Field(None, description="At stations that read it.")

    @field_validator("prompt")
    @classmethod
    def _not_blank(cls, prompt: str) -> str:
        if not prompt.strip():
            raise ValueError("prompt must not be empty: say what to draw")
        return prompt

    def wire(self) -> dict[str, Any]:
        """
        Pictures given by address open the prompt, where every proxy reads them; `base64Array`
        takes content only.
        """
        urls = [image for image in self.images if is_url(image)]
        contents = [image for image in self.images if not is_url(image)]
        body = super().wire() | {"prompt": " ".join([*urls, self.prompt])}
        body.pop("base64Array", None)
        return body | ({"base64Array": contents} if contents else {})
