"""
What callers may ask of Kling, field for field as the vendor names it.

A value is refused here where the vendor would surely refuse it or silently do something else for
the same money. What a model can do is only judged for models known here: a new model's name passes,
and so does whatever is asked of it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from generation.operation import Request

#: A rule that is broken: the path of the field at fault, and what to change.
Problem = tuple[tuple[str | int, ...], str]


def _seconds_as_text(value: Any) -> Any:
    """Kling wants whole seconds as a string; callers may give a number."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Seconds = Annotated[
    str,
    BeforeValidator(_seconds_as_text, json_schema_input_type=str | int),
    Field(pattern=r"^[1-9][0-9]?$"),
]

Prompt = Annotated[str, Field(max_length=2500)]


class Part(BaseModel):
    """A part of a request, as strict about names as the request itself."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class KlingRequest(Request):
    """A request whose fields must also fit each other."""

    def problems(self) -> Iterator[Problem]:
        """The rules between fields that this request breaks."""
        yield from ()

    @model_validator(mode="after")
    def _fits_together(self) -> "KlingRequest":
        broken = [
            InitErrorDetails(
                type=PydanticCustomError("value_error", "{what}", {"what": what}),
                loc=path,
                input=None,
            )
            for path, what in self.problems()
        ]
        if broken:
            raise ValidationError.from_exception_data(type(self).__name__, broken)
        return self


class CameraConfig(Part):
    """How far the camera moves along each axis; all but one stay 0."""

    horizontal: float = Field(default=0, ge=-10, le=10)
    vertical: float = Field(default=0, ge=-10, le=10)
    pan: float = Field(default=0, ge=-10, le=10)
    tilt: float = Field(default=0, ge=-10, le=10)
    roll: float = Field(default=0, ge=-10, le=10)
    zoom: float = Field(default=0, ge=-10, le=10)

    def moves(self) -> list[str]:
        """The axes along which it moves."""
        return [axis for axis, distance in self if distance]


class CameraControl(Part):
    """A camera movement: one of the vendor's, or `simple` with a `config`."""

    type: Literal["simple", "down_back", "forward_up", "right_turn_forward", "left_turn_forward"]
    config: CameraConfig | None = None


class Shot(Part):
    """One shot of several."""

    index: int = Field(ge=1)
    prompt: str = Field(min_length=1, max_length=512)
    duration: Seconds


class Voice(Part):
    """A voice that the prompt may name as `<<<voice_1>>>`."""

    voice_id: str = Field(min_length=1)


class WatermarkInfo(Part):
    """Whether a copy with a watermark is made as well."""

    enabled: bool


@dataclass(frozen=True, slots=True)
class Model:
    """What a known model can do."""

    durations: frozenset[int] = frozenset({5, 10})
    modes: frozenset[str] = frozenset({"std", "pro"})
    sound: bool = False


_ASPECT_RATIOS = ("16:9", "9:16", "1:1")

TEXT2VIDEO_MODELS = {
    "kling-v1": Model(),
    "kling-v1-6": Model(),
    "kling-v2-master": Model(),
    "kling-v2-1-master": Model(),
    "kling-v2-5-turbo": Model(),
    "kling-v2-6": Model(sound=True),
    "kling-v3": Model(
        durations=frozenset(range(3, 16)), modes=frozenset({"std", "pro", "4k"}), sound=True
    ),
}


class Text2Video(KlingRequest):
    """A video from words."""

    model_name: str = Field(default="kling-v1", min_length=1)
    prompt: Prompt | None = None
    negative_prompt: Prompt | None = None
    #: How closely the prompt is followed. The vendor takes 0.5 where it is left out.
    cfg_scale: float | None = Field(default=None, ge=0, le=1)
    mode: str = "std"
    sound: Literal["on", "off"] | None = None
    aspect_ratio: str = Field(default="16:9", pattern=r"^[1-9][0-9]*:[1-9][0-9]*$")
    duration: Seconds = "5"
    camera_control: CameraControl | None = None
    multi_shot: bool | None = None
    shot_type: Literal["customize", "intelligence"] | None = None
    multi_prompt: tuple[Shot, ...] | None = Field(default=None, max_length=6)
    voice_list: tuple[Voice, ...] | None = Field(default=None, max_length=2)
    watermark_info: WatermarkInfo | None = None

    def problems(self) -> Iterator[Problem]:
        yield from model_problems(self, TEXT2VIDEO_MODELS.get(self.model_name))
        yield from camera_problems(self.camera_control)
        yield from shot_problems(self)


def model_problems(request: Text2Video, model: Model | None) -> Iterator[Problem]:
    """What the named model cannot do; nothing is known against an unknown one."""
    if model is None:
        return
    name = request.model_name
    if int(request.duration) not in model.durations:
        yield ("duration",), f"{name} makes videos of {_or(sorted(model.durations))} seconds"
    if request.mode not in model.modes:
        yield ("mode",), f"{name} takes {_or(sorted(model.modes, reverse=True))}"
    if request.aspect_ratio not in _ASPECT_RATIOS:
        yield ("aspect_ratio",), f"{name} takes {_or(_ASPECT_RATIOS)}"
    if request.sound == "on" and not model.sound:
        yield ("sound",), f"{name} makes no sound; leave it out or name another model"


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


def shot_problems(request: Text2Video) -> Iterator[Problem]:
    """A prompt, or several shots that fill the duration, but never neither."""
    shots = request.multi_prompt
    customized = request.multi_shot and request.shot_type == "customize"
    if not customized and not (request.prompt or "").strip():
        yield ("prompt",), "a prompt is required, unless multi_shot is true and shot_type customize"
    if request.multi_shot and request.shot_type is None:
        yield ("shot_type",), "multi_shot needs a shot_type: customize or intelligence"
    if not request.multi_shot and request.shot_type is not None:
        yield ("shot_type",), "shot_type needs multi_shot to be true"
    if not customized and shots is not None:
        yield ("multi_prompt",), "multi_prompt needs multi_shot true and shot_type customize"
    if customized:
        yield from sum_problems(shots or (), int(request.duration))


def sum_problems(shots: tuple[Shot, ...], seconds: int) -> Iterator[Problem]:
    """Shots are told apart by their index, and together they last as long as the video."""
    if not shots:
        yield ("multi_prompt",), "shot_type customize needs multi_prompt"
        return
    if len({shot.index for shot in shots}) < len(shots):
        yield ("multi_prompt",), "each shot needs an index of its own"
    total = sum(int(shot.duration) for shot in shots)
    if total != seconds:
        yield ("multi_prompt",), f"the shots last {total} seconds together, the video {seconds}"


def _or(values: Any) -> str:
    *most, last = map(str, values)
    return f"{', '.join(most)} or {last}" if most else last
