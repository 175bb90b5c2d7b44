"""The task object of the midjourney-proxy protocol, in the forms of a proxy and of a station."""

from enum import Enum

from ops.sandbox.clock import milliseconds
from ops.sandbox.knobs import Knob
from ops.sandbox.media import SIDE
from ops.sandbox.protocols.midjourney_buttons import buttons_of
from ops.sandbox.protocols.midjourney_files import files_of
from ops.sandbox.protocols.midjourney_work import Makes, texts_of, work_of
from ops.sandbox.tasks import Phase, SandboxTask, View

_STATUS = {
    Phase.AWAITING_INPUT: "MODAL",
    Phase.QUEUED: "NOT_START",
    Phase.SUBMITTED: "SUBMITTED",
    Phase.RUNNING: "IN_PROGRESS",
    Phase.UNKNOWN: "MARINATING",
    Phase.SUCCEEDED: "SUCCESS",
    Phase.FAILED: "FAILURE",
    Phase.MODERATED: "FAILURE",
    Phase.CANCELED: "FAILURE",
}
#: The description of a task that waits for input.
WAITS = "Waiting for window confirm"
_MODERATED = "[Banned prompt] Sorry! Our AI moderator thinks this prompt is against the rules"


class Blank(Enum):
    """How a field without a value is rendered."""

    NULLS = "nulls"  #: a proxy of one's own
    EMPTY = "empty"  #: a new-api station: "" and 0, and no status before its first own look


def task_object(
    task: SandboxTask, seen: View, url_secret: bytes, blank: Blank
) -> dict[str, object]:
    """The task in responses to polls and in callbacks."""
    work, prompt = work_of(task), task.submission.prompt
    text = _text(task) if seen.phase is Phase.SUCCEEDED else ""
    described = text if work.makes is Makes.DESCRIPTION else ""
    shown: dict[str, object] = {
        "id": task.id,
        "action": work.action,
        "status": _STATUS[seen.phase],
        "progress": _progress(seen, blank),
        "prompt": "InsightFace" if work.makes is Makes.SWAP else described or prompt,
        "promptEn": described or prompt,
        "state": task.submission.reference or None,
        "submitTime": _milliseconds(task.created_at),
        "startTime": _milliseconds(seen.started_at),
        "finishTime": _milliseconds(seen.finished_at),
        "failReason": _fail_reason(task, seen),
        "buttons": buttons_of(task) if seen.phase is Phase.SUCCEEDED else [],
        **files_of(task, seen, url_secret),
    }
    if blank is Blank.NULLS:
        return shown | _direct(task, text or prompt)
    del shown["imageUrls"]  # a station passes on the fields it knows
    return shown | _relayed(task, seen, shown, text or prompt)


def _direct(task: SandboxTask, final_prompt: str) -> dict[str, object]:
    """The fields that only a proxy without a relay has."""
    return {
        "description": WAITS if task.awaits_input else _command(task),
        "imageHeight": SIDE,
        "imageWidth": SIDE,
        "properties": {
            "notifyHook": task.submission.callback_url or None,
            "botType": task.submission.details["botType"],
            "flags": 0,
            "finalPrompt": final_prompt,
        },
    }


def _command(task: SandboxTask) -> str:
    """The chat command of the task."""
    return f"/{task.submission.operation} {task.submission.prompt}"


def _relayed(
    task: SandboxTask, seen: View, shown: dict[str, object], final_prompt: str
) -> dict[str, object]:
    """The fields that only a station has, and those that it renders differently."""
    numbers = {name: shown[name] or 0 for name in ("startTime", "finishTime")}
    blanks = {name: shown[name] or "" for name in ("imageUrl", "videoUrl", "failReason")}
    unseen = seen.phase is Phase.QUEUED
    return numbers | {
        **blanks,
        "status": "" if unseen else shown["status"],
        "state": "" if unseen else task.submission.reference,
        "description": WAITS if task.awaits_input else "提交成功",
        "customId": "",
        "botType": "",
        "maskBase64": "",
        "properties": {"finalPrompt": final_prompt, "finalZhPrompt": ""},
    }


def _progress(seen: View, blank: Blank) -> str:
    """A percentage; for a failed task "" at a proxy and 100 % at a station."""
    failed = _STATUS[seen.phase] == "FAILURE"
    return "" if failed and blank is Blank.NULLS else f"{seen.progress}%"


def _text(task: SandboxTask) -> str:
    """The resulting texts in the form that proxies give them."""
    if task.submission.knobs.has(Knob.NO_URL):
        return ""
    numbered = "\n\n".join(f"{n}️⃣ {text}" for n, text in enumerate(texts_of(task), 1))
    if work_of(task).makes is not Makes.SHORTER:
        return numbered
    weights = ", ".join(f"**{word}** (0.50)" for word in task.submission.prompt.split()[:3])
    return f"## Important tokens\n{weights}\n## Shortened prompts\n{numbered}"


def _fail_reason(task: SandboxTask, seen: View) -> str | None:
    match seen.phase:
        case Phase.FAILED:
            return task.failure
        case Phase.MODERATED:
            return _MODERATED
        case Phase.CANCELED:
            return "取消任务"
        case _:
            return None


def _milliseconds(moment: float | None) -> int | None:
    return None if moment is None else milliseconds(moment)
