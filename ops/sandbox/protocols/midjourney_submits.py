"""The submits of the midjourney-proxy protocol that follow no task: required fields and results."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, cast

from ops.sandbox.protocols.midjourney_work import Makes, MidjourneyWork
from ops.sandbox.replies import text_of

STATE_LONGEST = 255

Body = dict[str, Any]


def _nothing(body: Body) -> str:
    return ""


class MidjourneySubmit(NamedTuple):
    """One kind of submit."""

    operation: str
    work: Callable[[Body], MidjourneyWork]
    #: The first error of a body, in a proxy's words; "" for a valid one.
    complaint: Callable[[Body], str]
    #: The same for an error that a station finds before it asks its proxy, in the station's words.
    station_complaint: Callable[[Body], str] = _nothing
    #: Whether stations know the command.
    relayed: bool = True


def _always(action: str, makes: Makes) -> Callable[[Body], MidjourneyWork]:
    return lambda body: MidjourneyWork(action, makes)


def _prompt_at_station(body: Body) -> str:
    return "prompt_is_required " if _prompt(body) else ""


def _prompt(body: Body) -> str:
    return "" if text_of(body, "prompt").strip() else "prompt不能为空"


def _blend(body: Body) -> str:
    if not 2 <= len(pictures(body)) <= 5:
        return "图片参数错误，2~5张图片"
    known = text_of(body, "dimensions") in ("", "PORTRAIT", "SQUARE", "LANDSCAPE")
    return "" if known else "dimensions参数错误"


def _describe(body: Body) -> str:
    return "" if text_of(body, "base64") or text_of(body, "link") else "base64或link不能为空"


def _edit(body: Body) -> str:
    return "" if text_of(body, "image") and not _prompt(body) else "image或prompt不能为空"


def _video(body: Body) -> str:
    if _prompt(body):
        return "Prompt 不能为空"
    if body.get("batchSize", 4) not in (1, 2, 4):
        return "batchSize 参数错误"
    if text_of(body, "taskId"):
        return "" if text_of(body, "action") == "extend" and "index" in body else "任务类型错误"
    return "" if text_of(body, "image") else "image 不能为空"


def _videos(body: Body) -> MidjourneyWork:
    return MidjourneyWork("VIDEO", Makes.VIDEOS, count=body.get("batchSize", 4))


def _swap(body: Body) -> str:
    source, target = (
        text_of(body, f"{side}Base64") or text_of(body, f"{side}Url")
        for side in ("source", "target")
    )
    if not source:
        return "人脸图片不能为空"
    if not target:
        return "目标图片不能为空"
    return "人脸图片和目标图片不能相同" if source == target else ""


def _swap_at_station(body: Body) -> str:
    whole = text_of(body, "sourceBase64") and text_of(body, "targetBase64")
    return "" if whole else "sour_base64_and_target_base64_is_required "


SWAP = "insight-face/swap"
#: By the last part of the path; a swap by the last two.
SUBMITS: Mapping[str, MidjourneySubmit] = {
    "imagine": MidjourneySubmit(
        "imagine", _always("IMAGINE", Makes.GRID), _prompt, _prompt_at_station
    ),
    "blend": MidjourneySubmit("blend", _always("BLEND", Makes.GRID), _blend),
    "describe": MidjourneySubmit("describe", _always("DESCRIBE", Makes.DESCRIPTION), _describe),
    "shorten": MidjourneySubmit("shorten", _always("SHORTEN", Makes.SHORTER), _prompt),
    "edits": MidjourneySubmit("edits", _always("EDITS", Makes.GRID), _edit),
    "edit": MidjourneySubmit("edits", _always("EDIT", Makes.GRID), _edit, relayed=False),
    "retexture": MidjourneySubmit(
        "retexture", _always("RETEXTURE", Makes.GRID), _edit, relayed=False
    ),
    "video": MidjourneySubmit("video", _videos, _video),
    SWAP: MidjourneySubmit("swap_face", _always("SWAP_FACE", Makes.SWAP), _swap, _swap_at_station),
}


def pictures(body: Body) -> list[str]:
    """The pictures of `base64Array`; other values are ignored."""
    value = body.get("base64Array")
    entries = cast("list[Any]", value) if isinstance(value, list) else []
    return [entry for entry in entries if isinstance(entry, str) and entry]


def state_complaint(body: Body) -> str:
    """An error if the caller's own reference is too long."""
    return "State参数过长，最大255字符" if len(text_of(body, "state")) > STATE_LONGEST else ""
