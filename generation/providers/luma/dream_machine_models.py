"""What Dream Machine's models can do, as far as it is known, and what a prompt for it is."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from generation.contract.request import Prompt

#: The vendor's clients send no shorter one.
DreamPrompt = Annotated[Prompt, Field(min_length=3)]

ASPECT_RATIOS = ("1:1", "16:9", "9:16", "4:3", "3:4", "21:9", "9:21")


@dataclass(frozen=True, slots=True)
class Model:
    """What a known model can do."""

    durations: tuple[str, ...] = ("5s", "9s")
    resolutions: tuple[str, ...] = ("540p", "720p", "1080p", "4k")
    concepts: bool = True


VIDEO_MODELS = {
    "ray-2": Model(),
    "ray-flash-2": Model(),
    "ray-1-6": Model(durations=(), resolutions=(), concepts=False),
}
IMAGE_MODELS = ("photon-1", "photon-flash-1")
