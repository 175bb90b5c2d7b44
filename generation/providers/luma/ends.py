"""What an interpolation lies between: two earlier videos, or one and a picture."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from generation.contract.errors import Rejected
from generation.contract.operation import Parent
from generation.contract.request import Problem


@dataclass(frozen=True, slots=True)
class Ends:
    """How the video begins and how it ends: each a generation's id, or a picture, or still free."""

    start: str | None
    end: str | None
    start_image: str | None
    end_image: str | None

    def problems(self) -> Iterator[Problem]:
        """What can be said against them before the parent is known."""
        if self.start and self.start_image:
            yield ("image_url",), "start_generation_id says already how the video begins: give one"
        if self.end and self.end_image:
            yield ("image_end_url",), "end_generation_id says already how the video ends: give one"
        if self.start_image and self.end_image and not (self.start or self.end):
            yield ("image_end_url",), "a video between two pictures is the operation video"

    def filled(self, parent: Parent | None) -> "Ends":
        """Both ends, the parent's video at the one that is free. Raises `Rejected`."""
        ends = self if parent is None else self._with(parent.upstream_id)
        if not (ends.start or ends.start_image):
            raise Rejected(
                "an interpolation needs a beginning: name a parent job, or give"
                " start_generation_id or image_url"
            )
        if not (ends.end or ends.end_image):
            raise Rejected("an interpolation needs an end: give end_generation_id or image_end_url")
        return ends

    def _with(self, generation_id: str) -> "Ends":
        if generation_id in (self.start, self.end):
            return self
        if not (self.start or self.start_image):
            return replace(self, start=generation_id)
        if not (self.end or self.end_image):
            return replace(self, end=generation_id)
        raise Rejected("both ends are given: leave one free for the parent job, or name no parent")
