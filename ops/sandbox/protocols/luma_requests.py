"""The fields of Luma's endpoints.

They are checked where the documentation is clear about names and forms; values that change with
each model are accepted.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, cast

from ops.sandbox.replies import text_of

ASPECT_RATIOS = ("1:1", "16:9", "9:16", "4:3", "3:4", "21:9", "9:21")
MODES = tuple(f"{name}_{step}" for name in ("adhere", "flex", "reimagine") for step in (1, 2, 3))
TYPES = {
    "image": "image",
    "image_edit": "image_edit",
    "video": "video",
    "video_edit": "modify_video",
    "video_reframe": "reframe_video",
}
SHORTEST_PROMPT = 3

_GEOMETRY = frozenset(
    {"grid_position_x", "grid_position_y", "x_start", "x_end", "y_start", "y_end"}
    | {"resized_width", "resized_height"}
)

#: Whether the caller has a finished generation of this id.
Known = Callable[[str], bool]
#: The errors of a body, as texts.
Complaints = Iterator[str]
Body = Mapping[str, Any]


class LumaSubmitForm(NamedTuple):
    """One form of submit: its allowed fields, its required ones, and further checks."""

    operation: str
    #: None if unknown fields are ignored.
    fields: frozenset[str] | None
    needed: tuple[str, ...]
    check: Callable[[Body, Known], Complaints]

    def complaint(self, body: Body, known: Known) -> str | None:
        """The first error of a body; None for a valid one."""
        return next(self._complaints(body, known), None)

    def _complaints(self, body: Body, known: Known) -> Complaints:
        unknown = () if self.fields is None else sorted(body.keys() - self.fields)
        yield from (f"{name}: Extra inputs are not permitted" for name in unknown)
        yield from (f"{name}: Field required" for name in self.needed if not body.get(name))
        yield from self.check(body, known)


def operation_of(endpoint: LumaSubmitForm, body: Body) -> str:
    """The operation of a new video, by the earlier videos that it starts or ends with."""
    frames = mapping(body.get("keyframes")) or mapping(body.get("video"))
    start = frames.get("frame0") or frames.get("start_frame")
    end = frames.get("frame1") or frames.get("end_frame")
    if not (_is_generation(start) or _is_generation(end)):
        return endpoint.operation
    if start and end:
        return "interpolate"
    return "extend" if start else "reverse_extend"


def mapping(value: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else []


def _is_generation(frame: object) -> bool:
    return bool(mapping(frame).get("id") or mapping(frame).get("generation_id"))


def _prompt(body: Body) -> Complaints:
    prompt = body.get("prompt")
    if prompt is not None and (not isinstance(prompt, str) or len(prompt) < SHORTEST_PROMPT):
        yield f"prompt: String should have at least {SHORTEST_PROMPT} characters"


def _ratio(body: Body) -> Complaints:
    if body.get("aspect_ratio", ASPECT_RATIOS[0]) not in ASPECT_RATIOS:
        yield f"aspect_ratio: Input should be one of {', '.join(ASPECT_RATIOS)}"


def _address(name: str, value: object) -> Complaints:
    url = mapping(value).get("url")
    if not isinstance(url, str) or not url.startswith(("http://", "https://")):
        yield f"{name}.url: Input should be a valid URL"


def _video(body: Body, known: Known) -> Complaints:
    yield from _prompt(body)
    yield from _ratio(body)
    if body.get("model") == "ray-1-6" and "concepts" in body:
        yield "concepts are not supported for this model"
    for name, frame in mapping(body.get("keyframes")).items():
        where = f"keyframes.{name}"
        match mapping(frame):
            case {"type": "image"}:
                yield from _address(where, frame)
            case {"type": "generation", "id": str(generation)}:
                if not known(generation):
                    yield f"{where}: Generation {generation} is not completed"
            case _:
                yield f"{where}: Input tag should be image or generation"


def _image(body: Body, known: Known) -> Complaints:
    del known
    yield from _prompt(body)
    yield from _ratio(body)
    for name in ("image_ref", "style_ref"):
        for reference in _list(body.get(name)):
            yield from _address(name, reference)
    if "modify_image_ref" in body:
        yield from _address("modify_image_ref", body["modify_image_ref"])


def _media(body: Body, known: Known) -> Complaints:
    del known
    yield from _ratio(body)
    yield from _address("media", body.get("media"))
    if body.get("mode", MODES[0]) not in MODES:
        yield f"mode: Input should be one of {', '.join(MODES)}"


def _nothing(body: Body, known: Known) -> Complaints:
    del body, known
    yield from ()


def _endpoint(
    operation: str,
    fields: str,
    needed: str = "",
    check: Callable[[Body, Known], Complaints] = _nothing,
    more: frozenset[str] = frozenset(),
) -> LumaSubmitForm:
    always = {"callback_url", "generation_type"}
    return LumaSubmitForm(
        operation, frozenset(fields.split()) | always | more, (*needed.split(),), check
    )


VIDEO = _endpoint(
    "video",
    "model prompt aspect_ratio duration resolution loop keyframes concepts",
    "model prompt",
    _video,
)
IMAGE = _endpoint(
    "image",
    "model prompt aspect_ratio format image_ref style_ref character_ref modify_image_ref sync"
    " sync_timeout",
    "model prompt",
    _image,
)
REFRAME_IMAGE = _endpoint(
    "reframe_image",
    "media model aspect_ratio prompt format",
    "generation_type media model aspect_ratio",
    _media,
    _GEOMETRY,
)
REFRAME_VIDEO = _endpoint(
    "reframe_video",
    "media model aspect_ratio prompt first_frame",
    "generation_type media model aspect_ratio",
    _media,
    _GEOMETRY,
)
MODIFY_VIDEO = _endpoint(
    "modify_video",
    "media model mode prompt first_frame",
    "generation_type media model mode",
    _media,
)
UPSCALE = _endpoint("upscale", "resolution")
AUDIO = _endpoint("audio", "prompt negative_prompt")


def _reference(where: str, value: object, known: Known) -> Complaints:
    """Check an Agents API reference: exactly one of a URL, content with type, a generation."""
    reference = mapping(value)
    said = [name for name in ("url", "data", "generation_id") if reference.get(name)]
    if len(said) != 1:
        yield f"{where}: exactly one of url, data and generation_id is required"
    elif said == ["data"] and not reference.get("media_type"):
        yield f"{where}.media_type: Field required"
    elif said == ["generation_id"] and not known(str(reference["generation_id"])):
        yield f"{where}: generation {reference['generation_id']} is not completed"


def _agents(body: Body, known: Known) -> Complaints:
    kind, video = body.get("type", "image"), mapping(body.get("video"))
    if kind not in TYPES:
        yield f"type: Input should be one of {', '.join(TYPES)}"
    for index, reference in enumerate(_list(body.get("image_ref"))):
        yield from _reference(f"image_ref.{index}", reference, known)
    for name in video.keys() & {"start_frame", "end_frame"}:
        yield from _reference(f"video.{name}", video[name], known)
    if kind in ("image_edit", "video_edit", "video_reframe"):
        yield from _reference("source", body.get("source"), known)
    source = mapping(body.get("source"))
    if str(kind).startswith("video") and source.get("url") and not source.get("media_type"):
        yield "source.media_type: Field required"
    if video.get("loop") and (video.get("duration") == "10s" or video.get("hdr")):
        yield "video.loop: not with 10s or hdr"
    if video.get("exr_export") and not video.get("hdr"):
        yield "video.exr_export: needs hdr"


AGENTS = LumaSubmitForm(
    "image",
    frozenset(
        {"prompt", "model", "type", "aspect_ratio", "image_ref", "source", "output_format"}
        | {"style", "web_search", "user_id", "video"}
    ),
    ("prompt",),
    _agents,
)


def _relay(body: Body, known: Known) -> Complaints:
    del known
    if not isinstance(body.get("user_prompt"), str):
        yield "user_prompt is required"
    for name in ("image_url", "image_end_url"):
        if not str(body.get(name) or "https://").startswith(("http://", "https://", "data:image/")):
            yield f"{name} is no URL and no image in base64"


RELAY_VIDEO = LumaSubmitForm("video", None, (), _relay)
RELAY_EXTEND = LumaSubmitForm("extend", None, (), _relay)


def prompt_of(body: dict[str, Any]) -> str:
    return text_of(body, "prompt") or text_of(body, "user_prompt")


def seconds_of(body: Body) -> float:
    """Seconds that the video lasts."""
    duration = body.get("duration") or mapping(body.get("video")).get("duration")
    digits = str(duration or "").removesuffix("s")
    return float(digits) if digits.isascii() and digits.isdigit() else 5.0
