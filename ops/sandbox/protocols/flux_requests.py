"""The Flux endpoints' fields, and the names under which each model is sold.

Fields are checked where the documentation is clear about names, forms and limits; unknown fields
are accepted.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, cast

from ops.sandbox.replies import text_of

#: Minimum, maximum, and the number that the value is a multiple of.
Limits = tuple[float, float, int]
Body = Mapping[str, Any]

_SIDE: Limits = (256, 1440, 32)
_STEPS: Limits = (1, 50, 1)
_TOOL_STEPS: Limits = (15, 50, 1)
_BORDER: Limits = (0, 2048, 1)

_SIZED = {"width": _SIDE, "height": _SIDE, "steps": _STEPS, "guidance": (1.5, 5, 0)}
_AUTOMATIC = {"width": (0, 8192, 16), "height": (0, 8192, 16), "safety_tolerance": (0, 5, 1)}
_PICTURES = ("image", "mask", "image_prompt", "control_image", "preprocessed_image", "person")
_INPUTS = ("garment", "input_image", *(f"input_image_{number}" for number in range(2, 9)))


class FieldError(NamedTuple):
    """One invalid field, in the form that all of these services use."""

    field: str
    message: str
    type: str


class FluxModel(NamedTuple):
    """One operation: its duration and the fields that the vendor requires."""

    typical_seconds: float
    #: The vendor's path under /v1/; "" if only resellers have it.
    path: str
    needed: tuple[str, ...]
    limits: Mapping[str, Limits]

    def faults(self, body: Body) -> Iterator[FieldError]:
        """The errors of a body in the vendor's form."""
        for name in self.needed:
            if body.get(name) in (None, ""):
                yield FieldError(name, "Field required", "missing")
        for name, limits in {"safety_tolerance": (0, 6, 1), **self.limits}.items():
            if body.get(name) is not None:
                yield from _number(name, body[name], limits)
        for name in (*_PICTURES, *_INPUTS):
            if str(body.get(name) or "").startswith("data:"):
                yield FieldError(name, "Invalid image: base64 or a URL is expected", "value_error")


MODELS: Mapping[str, FluxModel] = {
    "pro_1_1": FluxModel(6, "flux-pro-1.1", ("prompt",), _SIZED),
    "ultra": FluxModel(12, "flux-pro-1.1-ultra", ("prompt",), {"image_prompt_strength": (0, 1, 0)}),
    "pro": FluxModel(10, "flux-pro", ("prompt",), {**_SIZED, "interval": (1, 4, 1)}),
    "dev": FluxModel(8, "flux-dev", ("prompt",), _SIZED),
    "schnell": FluxModel(3, "", ("prompt",), {}),
    "kontext_pro": FluxModel(10, "flux-kontext-pro", ("prompt",), {}),
    "kontext_max": FluxModel(12, "flux-kontext-max", ("prompt",), {}),
    "fill": FluxModel(
        15, "flux-pro-1.0-fill", ("image",), {"steps": _TOOL_STEPS, "guidance": (1.5, 100, 0)}
    ),
    "expand": FluxModel(
        15,
        "flux-pro-1.0-expand",
        ("image",),
        {"top": _BORDER, "bottom": _BORDER, "left": _BORDER, "right": _BORDER},
    ),
    "canny": FluxModel(15, "flux-pro-1.0-canny", ("prompt",), {"steps": _TOOL_STEPS}),
    "depth": FluxModel(15, "flux-pro-1.0-depth", ("prompt",), {"steps": _TOOL_STEPS}),
    "redux": FluxModel(8, "", (), {}),
    "flux_2_pro": FluxModel(12, "flux-2-pro", ("prompt",), _AUTOMATIC),
    "flux_2_max": FluxModel(20, "flux-2-max", ("prompt",), _AUTOMATIC),
    "flux_2_flex": FluxModel(
        25, "flux-2-flex", ("prompt",), {**_AUTOMATIC, "guidance": (1.5, 10, 0)}
    ),
    "flux_2_klein_4b": FluxModel(3, "flux-2-klein-4b", ("prompt",), _AUTOMATIC),
    "flux_2_klein_9b": FluxModel(3, "flux-2-klein-9b", ("prompt",), _AUTOMATIC),
    "outpaint": FluxModel(12, "flux-tools/outpainting-v1", ("input_image", "width", "height"), {}),
    "erase": FluxModel(
        12, "flux-tools/erase-v1", ("image", "mask"), {"dilate_pixels": (0, 500, 1)}
    ),
    "try_on": FluxModel(12, "flux-tools/vto-v1", ("person", "garment"), {}),
    "flux_3_video": FluxModel(
        180, "flux-3-video", (), {"duration": (5, 20, 1), "safety_tolerance": (0, 4, 1)}
    ),
}
VIDEO = "flux_3_video"

#: Further paths of the vendor that stand for one of these models.
_VARIANTS = {
    "flux-tools/vto-v2": "try_on",
    **{f"{MODELS[name].path}-finetuned": name for name in ("ultra", "pro", "fill", "canny")},
    f"{MODELS['depth'].path}-finetuned": "depth",
    **{f"{MODELS[name].path}-preview": name for name in MODELS if name.startswith("flux_2")},
}

VENDOR_PATHS: Mapping[str, str] = {
    **{model.path: name for name, model in MODELS.items() if model.path},
    **_VARIANTS,
}

#: Replicate's names, of the owner black-forest-labs.
REPLICATE: Mapping[str, str] = {
    "flux-1.1-pro": "pro_1_1",
    "flux-1.1-pro-ultra": "ultra",
    "flux-pro": "pro",
    "flux-dev": "dev",
    "flux-schnell": "schnell",
    "flux-kontext-pro": "kontext_pro",
    "flux-kontext-max": "kontext_max",
    "flux-fill-pro": "fill",
    "flux-canny-pro": "canny",
    "flux-depth-pro": "depth",
    "flux-redux-dev": "redux",
    "flux-2-pro": "flux_2_pro",
    "flux-2-max": "flux_2_max",
    "flux-2-flex": "flux_2_flex",
}

#: fal's names without `fal-ai/`; anything after such a name is a variant of the model.
FAL: Mapping[str, str] = {
    "flux-pro/v1.1-ultra": "ultra",
    "flux-pro/v1.1": "pro_1_1",
    "flux-pro/new": "pro",
    "flux-pro/v1/redux": "pro",
    "flux-pro/v1/fill": "fill",
    "flux-pro/v1/canny": "canny",
    "flux-pro/v1/depth": "depth",
    "flux-pro/kontext/max": "kontext_max",
    "flux-pro/kontext": "kontext_pro",
    "flux/dev/redux": "redux",
    "flux/dev": "dev",
    "flux/schnell": "schnell",
    "flux-2-pro": "flux_2_pro",
    "flux-2-max": "flux_2_max",
    "flux-2-flex": "flux_2_flex",
    "flux-2/klein/4b": "flux_2_klein_4b",
    "flux-2/klein/9b": "flux_2_klein_9b",
}


def fal_operation(model: str) -> str | None:
    """The operation of fal's model of this name, without `fal-ai/`."""
    fitting = (known for known in FAL if model == known or model.startswith(f"{known}/"))
    return FAL.get(max(fitting, key=len, default=""))


def reseller_errors(operation: str, body: Body) -> Iterator[FieldError]:
    """The errors of a body in a reseller's form, where pictures are URLs or data URIs."""
    if "prompt" in MODELS[operation].needed and not text_of(dict(body), "prompt").strip():
        yield FieldError("prompt", "Field required", "missing")
    for name, value in body.items():
        listed = cast("list[object]", value) if isinstance(value, list) else [value]
        if "image" in name and any(not _is_address(each) for each in listed):
            yield FieldError(name, "Input should be a URL or a data URI", "url_parsing")


def _is_address(value: object) -> bool:
    """Whether this is a URL and not bare base64; other checks reject values that are not texts."""
    return not isinstance(value, str) or value.startswith(("https://", "http://", "data:"))


def _number(name: str, value: object, limits: Limits) -> Iterator[FieldError]:
    least, most, multiple = limits
    if isinstance(value, bool) or not isinstance(value, int | float):
        yield FieldError(name, "Input should be a valid number", "float_parsing")
    elif not least <= value <= most:
        yield FieldError(name, f"Input should be between {least} and {most}", "out_of_range")
    elif multiple and value % multiple:
        yield FieldError(name, f"Input should be a multiple of {multiple}", "multiple_of")
