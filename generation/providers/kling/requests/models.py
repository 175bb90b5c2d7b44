"""What the video models known here can do."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from generation.contract.request import Problem
from generation.providers.kling.requests.fields import VIDEO_RATIOS, OnOff, one_of


@dataclass(frozen=True, slots=True)
class Model:
    """What a known model can do."""

    durations: frozenset[int] = frozenset({5, 10})
    modes: tuple[str, ...] = ("std", "pro")
    sound: bool = False


PLAIN = Model()
_V2_6 = Model(sound=True)
_V3 = Model(durations=frozenset(range(3, 16)), modes=("std", "pro", "4k"), sound=True)

TEXT2VIDEO: Mapping[str, Model] = {
    "kling-v1": PLAIN,
    "kling-v1-6": PLAIN,
    "kling-v2-master": PLAIN,
    "kling-v2-1-master": PLAIN,
    "kling-v2-5-turbo": PLAIN,
    "kling-v2-6": _V2_6,
    "kling-v3": _V3,
}
IMAGE2VIDEO: Mapping[str, Model] = {**TEXT2VIDEO, "kling-v1-5": PLAIN, "kling-v2-1": PLAIN}

#: The only models whose videos can be extended.
EXTENSIBLE = frozenset({"kling-v1", "kling-v1-5", "kling-v1-6"})


class Timed(Protocol):
    """A request for a video that names its model."""

    @property
    def model_name(self) -> str: ...
    @property
    def duration(self) -> str: ...
    @property
    def mode(self) -> str: ...


class Sounding(Timed, Protocol):
    """One that may ask for sound."""

    @property
    def sound(self) -> OnOff | None: ...


def model_problems(request: Timed, model: Model | None) -> Iterator[Problem]:
    """What the named model cannot do; nothing is known against an unknown one."""
    if model is None:
        return
    name = request.model_name
    if int(request.duration) not in model.durations:
        seconds = one_of(sorted(model.durations))
        yield ("duration",), f"{name} makes videos of {seconds} seconds"
    if request.mode not in model.modes:
        yield ("mode",), f"{name} takes {one_of(model.modes)}"


def sound_problems(request: Sounding, model: Model | None) -> Iterator[Problem]:
    """Sound asked of a known model that makes none."""
    if model is not None and request.sound == "on" and not model.sound:
        yield (
            ("sound",),
            f"{request.model_name} makes no sound; leave it out or name another model",
        )


def ratio_problems(model_name: str, ratio: str | None, known: bool) -> Iterator[Problem]:
    """A shape that a known video model does not draw."""
    if known and ratio is not None and ratio not in VIDEO_RATIOS:
        yield ("aspect_ratio",), f"{model_name} takes {one_of(VIDEO_RATIOS)}"
