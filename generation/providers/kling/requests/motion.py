"""How the camera moves over a scene, and how things move in it."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from generation.contract.request import LARGEST_INTEGER, Part, Problem
from generation.providers.kling.requests.fields import AtLeast
from generation.providers.kling.requests.media import Picture

_Distance = Annotated[float, Field(ge=-10, le=10)]


class CameraConfig(Part):
    """How far the camera moves along each axis; all but one stay 0."""

    horizontal: _Distance = 0
    vertical: _Distance = 0
    pan: _Distance = 0
    tilt: _Distance = 0
    roll: _Distance = 0
    zoom: _Distance = 0

    def moves(self) -> list[str]:
        """The axes along which it moves."""
        return [axis for axis, distance in self if distance]


class CameraControl(Part):
    """A camera movement: one of the vendor's, or `simple` with a `config`."""

    type: Literal["simple", "down_back", "forward_up", "right_turn_forward", "left_turn_forward"]
    config: CameraConfig | None = None


#: Counted from the lower left corner of the picture.
Pixel = Annotated[int, Field(ge=-LARGEST_INTEGER, le=LARGEST_INTEGER)]


class Point(Part):
    """A place in a picture, in pixels from its lower left corner."""

    x: Pixel
    y: Pixel


class DynamicMask(Part):
    """What moves, and along which way."""

    mask: Picture
    trajectories: Annotated[tuple[Point, ...], Field(max_length=77), AtLeast(2)]


def camera_problems(camera: CameraControl | None) -> Iterator[Problem]:
    """`simple` needs exactly one movement, every other type needs none."""
    where = ("camera_control", "config")
    if camera is None:
        return
    if camera.type != "simple":
        if camera.config is not None:
            yield where, f"{camera.type} takes no config"
    elif camera.config is None or len(camera.config.moves()) != 1:
        yield where, "simple needs a config with exactly one value that is not 0"
