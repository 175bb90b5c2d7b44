"""Voices and elements: made once, then named in other orders by their ids."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Field

from generation.contract.errors import Rejected
from generation.contract.operation import Parent
from generation.contract.request import Part, Problem
from generation.providers.kling import parents
from generation.providers.kling.requests.fields import (
    AtLeast,
    KlingRequest,
    Name,
    at_most_one,
)
from generation.providers.kling.requests.media import Picture, Url

ShortName = Annotated[str, Field(min_length=1, max_length=20)]


class CustomVoice(KlingRequest):
    """A voice, from a sound or video of 5 to 30 seconds in which only one person speaks."""

    voice_name: ShortName
    voice_url: Url | None = None
    video_id: Name | None = None

    def problems(self) -> Iterator[Problem]:
        yield from at_most_one(self, "voice_url", "video_id")

    def wire(self, parent: Parent | None) -> dict[str, Any]:
        body = super().wire(parent)
        if self.voice_url is None:
            return {**body, "video_id": parents.video_id(self.video_id, parent)}
        if parent is not None:
            raise Rejected("voice_url: the parent has a voice already; leave one of them out")
        return body


class ReferencePicture(Part):
    """The element from another side."""

    image_url: Picture


class ElementPictures(Part):
    """The element from the front, and from one to three other sides."""

    frontal_image: Picture
    refer_images: Annotated[tuple[ReferencePicture, ...], Field(max_length=3), AtLeast(1)]


class ReferenceVideo(Part):
    """A video that shows the element."""

    video_url: Url


class ElementVideos(Part):
    """Videos that show the element."""

    refer_videos: Annotated[tuple[ReferenceVideo, ...], AtLeast(1)]


class Tag(Part):
    """What kind of thing it is, by the vendor's id (`o_102` is a person)."""

    tag_id: Name


class CustomElement(KlingRequest):
    """A character or thing that later videos and pictures can show again."""

    element_name: ShortName
    element_description: Annotated[str, Field(min_length=1, max_length=100)]
    reference_type: Literal["image_refer", "video_refer"]
    element_image_list: ElementPictures | None = None
    element_video_list: ElementVideos | None = None
    element_voice_id: Name | None = None
    tag_list: tuple[Tag, ...] | None = None

    def problems(self) -> Iterator[Problem]:
        needed, other = "element_image_list", "element_video_list"
        if self.reference_type == "video_refer":
            needed, other = other, needed
        if getattr(self, needed) is None:
            yield (needed,), f"{self.reference_type} needs it"
        if getattr(self, other) is not None:
            yield (other,), f"{self.reference_type} takes none"


class Presets(KlingRequest):
    """A page of what the vendor offers to everybody."""

    page_num: Annotated[int, Field(ge=1, le=1000)] = 1
    page_size: Annotated[int, Field(ge=1, le=500)] = 30

    def wire(self, parent: Parent | None) -> dict[str, Any]:
        del parent
        return {"pageNum": str(self.page_num), "pageSize": str(self.page_size)}


class DeleteVoice(KlingRequest):
    """Deletes the voice that the parent made. Only its owner can name that job."""

    def wire(self, parent: Parent | None) -> dict[str, Any]:
        return {"voice_id": parents.voice_id(parent)}


class DeleteElement(KlingRequest):
    """Deletes the element that the parent made. Only its owner can name that job."""

    def wire(self, parent: Parent | None) -> dict[str, Any]:
        return {"element_id": parents.element_id(parent)}
