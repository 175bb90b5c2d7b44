"""What callers may ask of the Agents API for a picture, new or made from another one."""

from collections.abc import Iterator
from typing import Any, Literal

from pydantic import Field

from generation.contract.operation import Parent
from generation.contract.request import Part, Problem
from generation.providers.kit.media_inputs import Image
from generation.providers.luma.agents_request import (
    ASPECT_RATIOS,
    IMAGE_MODELS,
    AgentsRequest,
    picture_reference,
)
from generation.providers.luma.inputs import (
    AspectRatio,
    GenerationId,
    Word,
)
from generation.providers.luma.request import (
    Draft,
    alone,
    generation_of,
    given,
    unknown_value,
)


class Reference(Part):
    """A picture to go by: its own, or the result of an earlier generation."""

    url: Image | None = None
    generation_id: GenerationId | None = None

    def wire(self) -> dict[str, str]:
        if self.generation_id is not None:
            return {"generation_id": self.generation_id}
        return picture_reference(self.url or "")


class AgentsPicture(AgentsRequest):
    """What a new picture and an edited one take alike."""

    model: Word = "uni-1"
    aspect_ratio: AspectRatio | None = None
    output_format: Literal["png", "jpeg"] | None = None
    style: Word | None = Field(None, description="`auto` or `manga`.")
    web_search: bool | None = None

    def picture(self, kind: str, references: tuple[Reference, ...] | None) -> dict[str, Any]:
        return self.common(kind, self.model, self.aspect_ratio) | given(
            image_ref=[reference.wire() for reference in references or ()] or None,
            output_format=self.output_format,
            style=self.style,
            web_search=self.web_search,
        )

    def problems(self) -> Iterator[Problem]:
        if self.model in IMAGE_MODELS:
            yield from unknown_value("aspect_ratio", self.aspect_ratio, ASPECT_RATIOS, self.model)
            yield from unknown_value("style", self.style, ("auto", "manga"), self.model)


class AgentsImage(AgentsPicture):
    """A picture from words, and from pictures to go by if there are any."""

    image_ref: tuple[Reference, ...] | None = Field(None, max_length=9)

    def draft(self, parent: Parent | None) -> Draft:
        del parent
        return Draft("/generations", self.picture("image", self.image_ref))

    def problems(self) -> Iterator[Problem]:
        yield from super().problems()
        yield from reference_problems(self.image_ref)


class AgentsImageEdit(AgentsPicture):
    """A picture made from another one."""

    image_url: Image | None = Field(None, description="The picture, without a parent job.")
    generation_id: GenerationId | None = None
    image_ref: tuple[Reference, ...] | None = Field(None, max_length=8)

    def draft(self, parent: Parent | None) -> Draft:
        body = self.picture("image_edit", self.image_ref)
        alone(parent, self.image_url, "image_url")
        if self.image_url is not None:
            return Draft("/generations", body | {"source": picture_reference(self.image_url)})
        source = generation_of(parent, self.generation_id, "image_url or generation_id")
        return Draft("/generations", body | {"source": {"generation_id": source}})

    def problems(self) -> Iterator[Problem]:
        yield from super().problems()
        yield from reference_problems(self.image_ref)
        if self.image_url is not None and self.generation_id is not None:
            yield ("generation_id",), "image_url says already what to edit: give one"


def reference_problems(references: tuple[Reference, ...] | None) -> Iterator[Problem]:
    for index, reference in enumerate(references or ()):
        if (reference.url is None) == (reference.generation_id is None):
            yield ("image_ref", index), "give exactly one of url and generation_id"
