"""The task object of the midjourney-proxy protocol, as a proxy and as a station shows it."""

from enum import Enum
from uuid import NAMESPACE_URL, uuid5

from ops.sandbox.clock import milliseconds
from ops.sandbox.knobs import Knob
from ops.sandbox.links import signed_url
from ops.sandbox.media import SIDE
from ops.sandbox.tasks import Phase, UpstreamTask, View

_STATUS = {
    Phase.QUEUED: "NOT_START",
    Phase.SUBMITTED: "SUBMITTED",
    Phase.RUNNING: "IN_PROGRESS",
    Phase.UNKNOWN: "MARINATING",
    Phase.SUCCEEDED: "SUCCESS",
    Phase.FAILED: "FAILURE",
    Phase.MODERATED: "FAILURE",
    Phase.CANCELED: "FAILURE",
}
_MODERATED = "[Banned prompt] Sorry! Our AI moderator thinks this prompt is against the rules"


class Blank(Enum):
    """How a field without a value is shown."""

    NULLS = "nulls"  #: a proxy of one's own
    EMPTY = "empty"  #: a new-api station: "" and 0, and no status before its first own look


def task_object(
    task: UpstreamTask, seen: View, url_secret: bytes, blank: Blank
) -> dict[str, object]:
    """What a look, or a callback, says of the task."""
    prompt = task.order.prompt
    shown: dict[str, object] = {
        "id": task.id,
        "action": "IMAGINE",
        "status": _STATUS[seen.phase],
        "progress": _progress(seen, blank),
        "prompt": prompt,
        "promptEn": prompt,
        "state": task.order.reference or None,
        "submitTime": _milliseconds(task.created_at),
        "startTime": _milliseconds(seen.started_at),
        "finishTime": _milliseconds(seen.finished_at),
        "imageUrl": _image_url(task, seen, url_secret),
        "failReason": _fail_reason(task, seen),
        "buttons": _buttons(task.id) if seen.phase is Phase.SUCCEEDED else [],
    }
    return shown | (_direct(task) if blank is Blank.NULLS else _relayed(task, seen, shown))


def _direct(task: UpstreamTask) -> dict[str, object]:
    """The fields only a proxy of one's own has."""
    return {
        "description": f"/imagine {task.order.prompt}",
        "imageHeight": SIDE,
        "imageWidth": SIDE,
        "properties": {
            "notifyHook": task.order.callback_url or None,
            "botType": task.order.details["botType"],
            "flags": 0,
            "finalPrompt": task.order.prompt,
        },
    }


def _relayed(task: UpstreamTask, seen: View, shown: dict[str, object]) -> dict[str, object]:
    """The fields a station has of its own, and those it shows differently."""
    numbers = {name: shown[name] or 0 for name in ("startTime", "finishTime")}
    unseen = seen.phase is Phase.QUEUED
    return numbers | {
        "status": "" if unseen else shown["status"],
        "state": "" if unseen else task.order.reference,
        "imageUrl": shown["imageUrl"] or "",
        "failReason": shown["failReason"] or "",
        "description": "提交成功",
        "customId": "",
        "botType": "",
        "maskBase64": "",
        "videoUrl": "",
        "videoUrls": None,
        "properties": {"finalPrompt": task.order.prompt, "finalZhPrompt": ""},
    }


def _progress(seen: View, blank: Blank) -> str:
    """A percentage; of a failed task a proxy says nothing, and a station 100 %."""
    failed = _STATUS[seen.phase] == "FAILURE"
    return "" if failed and blank is Blank.NULLS else f"{seen.progress}%"


def _image_url(task: UpstreamTask, seen: View, url_secret: bytes) -> str | None:
    if seen.phase is Phase.SUCCEEDED and seen.finished_at is not None:
        if task.order.knobs.has(Knob.NO_URL):
            return None
        return signed_url(url_secret, task, f"sandbox_{_uuid(task.id)}.png", seen.finished_at)
    if seen.phase in (Phase.RUNNING, Phase.UNKNOWN) and seen.progress:
        name = f"{_uuid(task.id)}_progress_image_{seen.progress}.webp"
        return signed_url(url_secret, task, name, seen.started_at or task.created_at)
    return None


def _fail_reason(task: UpstreamTask, seen: View) -> str | None:
    match seen.phase:
        case Phase.FAILED:
            return task.failure
        case Phase.MODERATED:
            return _MODERATED
        case Phase.CANCELED:
            return "取消任务"
        case _:
            return None


def _buttons(task_id: str) -> list[dict[str, object]]:
    job = _uuid(task_id)
    reroll = _button(f"MJ::JOB::reroll::0::{job}::SOLO", emoji="🔄")
    upscales = [_button(f"MJ::JOB::upsample::{n}::{job}", label=f"U{n}") for n in range(1, 5)]
    variations = [_button(f"MJ::JOB::variation::{n}::{job}", label=f"V{n}") for n in range(1, 5)]
    return [*upscales, reroll, *variations]


def _button(custom_id: str, label: str = "", emoji: str = "") -> dict[str, object]:
    return {"customId": custom_id, "emoji": emoji, "label": label, "type": 2, "style": 2}


def _uuid(task_id: str) -> str:
    return str(uuid5(NAMESPACE_URL, task_id))


def _milliseconds(moment: float | None) -> int | None:
    return None if moment is None else milliseconds(moment)
