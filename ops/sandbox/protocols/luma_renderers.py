"""The three renderers of Luma: authentication, responses, and the form of tasks."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

from starlette.responses import Response

from ops.sandbox.accounts import KeyState
from ops.sandbox.dialect import ProtocolRenderer, Refusal
from ops.sandbox.knobs import Knob
from ops.sandbox.links import plain_url
from ops.sandbox.protocols import newapi
from ops.sandbox.protocols.authentication import KeyAuthentication, RelayAuthentication
from ops.sandbox.replies import json_reply
from ops.sandbox.tasks import Phase, SandboxTask, View

NEW = View(Phase.QUEUED, 0, None, None)
IMAGES = ("image", "image_edit", "reframe_image")
_MODERATED_LATE = "Advanced moderation failed"
_UNKNOWN_WORD = "imagining"
_VENDOR_REFUSALS = {
    Refusal.AUTH: (401, "Invalid API key is provided"),
    Refusal.MODERATED: (400, "Prompt failed moderation"),
    Refusal.THROTTLED: (429, "Rate limit exceeded"),
    Refusal.QUEUE_FULL: (429, "Maximum number of concurrent generations reached"),
}


class LumaRenderer(ProtocolRenderer, Protocol):
    """A renderer of Luma's protocols."""

    def task(self, task: SandboxTask, seen: View) -> dict[str, Any]:
        """The task in every response and every callback."""
        ...


def _word(seen: View, queued: str, running: str) -> str:
    match seen.phase:
        case Phase.QUEUED | Phase.SUBMITTED:
            return queued
        case Phase.RUNNING:
            return running
        case Phase.UNKNOWN:
            return _UNKNOWN_WORD
        case Phase.SUCCEEDED:
            return "completed"
        case _:
            return "failed"


def _reason(task: SandboxTask, seen: View) -> str | None:
    match seen.phase:
        case Phase.FAILED:
            return task.failure
        case Phase.MODERATED:
            return _MODERATED_LATE
        case _:
            return None


def _time(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def _has_files(task: SandboxTask, seen: View) -> bool:
    return seen.phase is Phase.SUCCEEDED and not task.submission.knobs.has(Knob.NO_URL)


def _detail(status: int, detail: object, retry_after: int | None = None) -> Response:
    return json_reply({"detail": detail}, status, retry_after)


class _LumaBaseRenderer:
    """The responses that all renderers share."""

    created = 201

    def task(self, task: SandboxTask, seen: View) -> dict[str, Any]:
        raise NotImplementedError

    def accepted(self, task: SandboxTask, place: int) -> Response:
        return json_reply(self.task(task, NEW), self.created)

    def accepted_without_id(self) -> Response:
        return json_reply({"state": "queued"}, self.created)

    def found(self, task: SandboxTask, view: View) -> Response:
        return json_reply(self.task(task, view))

    def several(self, seen: list[tuple[SandboxTask, View]]) -> Response:
        return json_reply([self.task(task, view) for task, view in seen])

    def not_found(self) -> Response:
        return _detail(404, "Generation not found")

    def invalid(self, message: str) -> Response:
        return _detail(400, message)


class _VendorRenderer(_LumaBaseRenderer, KeyAuthentication):
    """Authentication and refusals of both of the vendor's APIs."""

    no_credit: tuple[int, str]

    def reject(self, state: KeyState) -> Response:
        if state is KeyState.MISSING:
            return _detail(403, "Not authenticated")
        return super().reject(state)

    def refusal(self, refusal: Refusal, prompt: str = "") -> Response:
        known = {**_VENDOR_REFUSALS, Refusal.NO_CREDIT: self.no_credit}
        retry_after = 1 if refusal is Refusal.THROTTLED else None
        return _detail(*known.get(refusal, (400, "prompt is invalid")), retry_after)


class LumaDreamMachineRenderer(_VendorRenderer):
    """The vendor's first API."""

    no_credit = (400, "Insufficient credits")

    def task(self, task: SandboxTask, seen: View) -> dict[str, Any]:
        details = task.submission.details
        return {
            "id": task.id,
            "generation_type": "image" if task.submission.operation in IMAGES else "video",
            "state": _word(seen, "queued", "dreaming"),
            "failure_reason": _reason(task, seen),
            "created_at": _time(task.created_at),
            "assets": self._assets(task, seen),
            "model": details["model"],
            "request": details["request"],
        }

    def several(self, seen: list[tuple[SandboxTask, View]]) -> Response:
        generations = [self.task(task, view) for task, view in seen]
        return json_reply({"generations": generations, "count": len(generations)})

    def _assets(self, task: SandboxTask, seen: View) -> Mapping[str, str]:
        if not _has_files(task, seen):
            return {}
        if task.submission.operation in IMAGES:
            return {"image": plain_url(task, "image.png")}
        return {"video": plain_url(task, "video.mp4"), "image": plain_url(task, "cover.png")}


class LumaAgentsRenderer(_VendorRenderer):
    """The Agents API. File URLs are valid for an hour from the task's end."""

    no_credit = (402, "Your balance is used up")

    def task(self, task: SandboxTask, seen: View) -> dict[str, Any]:
        codes = {Phase.FAILED: "generation_failed", Phase.MODERATED: "content_moderated"}
        return {
            "id": task.id,
            "created_at": _time(task.created_at),
            "model": task.submission.details["model"],
            "type": task.submission.details["type"],
            "state": _word(seen, "queued", "processing"),
            "failure_code": codes.get(seen.phase),
            "failure_reason": _reason(task, seen),
            "output": [self._file(task, seen)] if _has_files(task, seen) else [],
        }

    def _file(self, task: SandboxTask, seen: View) -> Mapping[str, str]:
        medium, name = (
            ("image", "1.png") if task.submission.operation in IMAGES else ("video", "1.mp4")
        )
        signed = datetime.fromtimestamp(seen.finished_at or task.created_at, UTC)
        query = f"X-Amz-Date={signed:%Y%m%dT%H%M%SZ}&X-Amz-Expires={task.asset_life_seconds:.0f}"
        return {"type": medium, "url": f"{plain_url(task, name)}?{query}"}


class LumaRelayRenderer(_LumaBaseRenderer, RelayAuthentication):
    """A relay in front of a gateway that drives the vendor's own site."""

    created = 200

    def relayed_refusal(self, refusal: Refusal, prompt: str) -> Response:
        match refusal:
            case Refusal.THROTTLED:
                return _detail(429, {"reason": "too many requests", "code": 1}, retry_after=1)
            case Refusal.QUEUE_FULL:
                return newapi.no_channel("模型 luma ")
            case Refusal.MODERATED:  # the gateway copies its upstream's error and adds its own
                twice = '{"detail":"Prompt failed moderation"}{"detail":{"code":1,"reason":"EOF"}}'
                return Response(twice, 400, media_type="application/json")
            case _:
                return self.invalid("user_prompt is invalid")

    def invalid(self, message: str) -> Response:
        return _detail(400, {"reason": message, "code": 1})

    def task(self, task: SandboxTask, seen: View) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "id": task.id,
            "prompt": task.submission.prompt,
            "state": _word(seen, "pending", "processing"),
            "queue_state": None,
            "created_at": _time(task.created_at),
            "batch_id": "",
            "video": None,
            "video_raw": None,
            "liked": None,
            "estimate_wait_seconds": None,
            "thumbnail": None,
            "last_frame": None,
        }
        if reason := _reason(task, seen):
            shown["failure_reason"] = reason
        if _has_files(task, seen):
            shown |= self._files(task)
        return shown

    def _files(self, task: SandboxTask) -> Mapping[str, Any]:
        size = {"width": 32, "height": 32}
        clean = plain_url(task, "video.mp4")
        marked = plain_url(task, "video_watermarked.mp4")
        return {
            "video": {"url": marked, "download_url": clean, **size},
            "video_raw": {"url": clean, "duration": task.submission.details["seconds"], **size},
            "thumbnail": {"url": plain_url(task, "thumbnail.png"), "width": 64, "height": 64},
            "last_frame": {"url": plain_url(task, "last_frame.png"), "width": 64, "height": 64},
        }

    def download(self, task: SandboxTask | None, seen: View | None) -> Response:
        """The URL of the clean video of a completed task."""
        if task is None or seen is None:
            return self.not_found()
        if not _has_files(task, seen):
            return self.invalid("task is not completed")
        return json_reply({"url": plain_url(task, "video.mp4")})
