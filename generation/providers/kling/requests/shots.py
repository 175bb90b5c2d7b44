"""Videos of several shots, and prompts that name what stands in a list."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal, Protocol

from pydantic import Field

from generation.contract.request import LARGEST_INTEGER, Part, Problem
from generation.providers.kling.requests.fields import Seconds

_REFERENCE = re.compile(r"<<<(image|element|video|voice)_([0-9]{1,3})>>>")

ShotType = Literal["customize", "intelligence"]


class Shot(Part):
    """One shot of several."""

    index: int = Field(ge=1, le=LARGEST_INTEGER)
    prompt: Annotated[str, Field(min_length=1, max_length=512)]
    duration: Seconds


class Directed(Protocol):
    """A request whose video may be cut into shots."""

    @property
    def prompt(self) -> str | None: ...
    @property
    def duration(self) -> str: ...
    @property
    def multi_shot(self) -> bool | None: ...
    @property
    def shot_type(self) -> ShotType | None: ...
    @property
    def multi_prompt(self) -> tuple[Shot, ...] | None: ...


def shot_problems(request: Directed, *, prompt_needed: bool) -> Iterator[Problem]:
    """Several shots fill the duration; where nothing else says what to show, a prompt does."""
    shots = request.multi_prompt
    customized = bool(request.multi_shot) and request.shot_type == "customize"
    cut_by_prompt = bool(request.multi_shot) and request.shot_type == "intelligence"
    if (prompt_needed and not customized) or cut_by_prompt:
        yield from _missing_prompt(request)
    if request.multi_shot and request.shot_type is None:
        yield ("shot_type",), "multi_shot needs a shot_type: customize or intelligence"
    if not request.multi_shot and request.shot_type is not None:
        yield ("shot_type",), "shot_type needs multi_shot to be true"
    if not customized and shots is not None:
        yield ("multi_prompt",), "multi_prompt needs multi_shot true and shot_type customize"
    if customized:
        yield from _sum_problems(shots or (), int(request.duration))


def reference_problems(
    texts: Mapping[str, str | None], counts: Mapping[str, int]
) -> Iterator[Problem]:
    """What a text names, as in `<<<image_2>>>`, must be in its list. `counts` knows the lists."""
    for field, text in texts.items():
        for kind, number in _REFERENCE.findall(text or ""):
            if kind in counts and not 1 <= int(number) <= counts[kind]:
                yield (field,), f"names <<<{kind}_{number}>>>, but {kind}_list holds {counts[kind]}"


def _missing_prompt(request: Directed) -> Iterator[Problem]:
    if not (request.prompt or "").strip():
        yield ("prompt",), "a prompt is required, unless multi_shot is true and shot_type customize"


def _sum_problems(shots: tuple[Shot, ...], seconds: int) -> Iterator[Problem]:
    """Shots are told apart by their index, and together they last as long as the video."""
    if not shots:
        yield ("multi_prompt",), "shot_type customize needs multi_prompt"
        return
    if len({shot.index for shot in shots}) < len(shots):
        yield ("multi_prompt",), "each shot needs an index of its own"
    total = sum(int(shot.duration) for shot in shots)
    if total != seconds:
        yield ("multi_prompt",), f"the shots last {total} seconds together, the video {seconds}"
