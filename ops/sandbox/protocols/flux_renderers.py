"""The renderers of the vendor and of a relay, and the parts that all Flux renderers share."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

from starlette.datastructures import Headers
from starlette.responses import Response

from ops.sandbox.dialect import ProtocolRenderer, Refusal
from ops.sandbox.knobs import Knob
from ops.sandbox.links import plain_url
from ops.sandbox.protocols import newapi
from ops.sandbox.protocols.authentication import KeyAuthentication, RelayAuthentication
from ops.sandbox.protocols.flux_requests import VIDEO, FieldError
from ops.sandbox.replies import json_reply
from ops.sandbox.tasks import Phase, SandboxTask, View

NEW = View(Phase.QUEUED, 0, None, None)
REASONS = ("Derivative Works Filter", "Safety Filter")
#: A host that does not exist: callers must not use the `polling_url` that a relay passes on.
FOREIGN = "https://api.us1.vendor.test.invalid"

_WORDS = {
    Phase.QUEUED: "Pending",
    Phase.SUBMITTED: "Pending",
    Phase.RUNNING: "Generating",
    Phase.UNKNOWN: "Marinating",
    Phase.SUCCEEDED: "Ready",
    Phase.FAILED: "Error",
    Phase.MODERATED: "Content Moderated",
    Phase.CANCELED: "Error",
}
_REFUSALS = {
    Refusal.AUTH: (403, "Not authenticated"),
    Refusal.NO_CREDIT: (402, "Insufficient credits"),
    Refusal.THROTTLED: (429, "Too Many Requests"),
    Refusal.QUEUE_FULL: (429, "Too many active tasks: at most 24 may be active"),
}


class FluxRenderer(ProtocolRenderer, Protocol):
    """A renderer of Flux's protocols."""

    def task(self, task: SandboxTask, seen: View) -> Mapping[str, object]:
        """The task in responses to polls and in callbacks."""
        ...

    def field_errors(self, faults: Iterable[FieldError]) -> Response:
        """The response to a body with invalid fields."""
        ...


def detail(status: int, words: object, retry_after: int | None = None) -> Response:
    return json_reply({"detail": words}, status, retry_after)


def fields(faults: Iterable[FieldError]) -> list[dict[str, object]]:
    """Invalid fields in FastAPI's form."""
    return [{"loc": ["body", f.field], "msg": f.message, "type": f.type} for f in faults]


def file_url(task: SandboxTask) -> str:
    """The URL of the task's file; "" without one. Instead of JPEG files there are PNG files."""
    if task.submission.knobs.has(Knob.NO_URL):
        return ""
    kind = "webp" if task.submission.details["format"] == "webp" else "png"
    return plain_url(task, "sample.mp4" if task.submission.operation == VIDEO else f"sample.{kind}")


def iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


class _VendorFormRenderer:
    """The vendor's responses, which a relay passes on."""

    def invalid(self, message: str) -> Response:
        return detail(400, message)

    def field_errors(self, faults: Iterable[FieldError]) -> Response:
        return detail(422, fields(faults))

    def accepted(self, task: SandboxTask, place: int) -> Response:
        root = task.submission.details["polling_root"]
        price = {"cost": 4.0, "input_mp": 0.0, "output_mp": 1.0}
        polling_url = f"{root}/v1/get_result?id={task.id}"
        return json_reply({"id": task.id, "polling_url": polling_url, **price})

    def accepted_without_id(self) -> Response:
        return json_reply({"cost": 4.0})

    def found(self, task: SandboxTask, view: View) -> Response:
        return json_reply(self.task(task, view))

    def several(self, seen: list[tuple[SandboxTask, View]]) -> Response:
        return json_reply([self.task(task, view) for task, view in seen])

    def not_found(self) -> Response:
        return json_reply({"id": "", "status": "Task not found", "result": None})

    def task(self, task: SandboxTask, seen: View) -> dict[str, Any]:
        running = seen.phase in (Phase.RUNNING, Phase.UNKNOWN)
        return {
            "id": task.id,
            "status": _WORDS[seen.phase],
            "result": self.result(task, seen),
            "progress": seen.progress / 100 if running else None,
            "details": self._details(task, seen),
            "preview": None,
        }

    def result(self, task: SandboxTask, seen: View) -> dict[str, Any] | None:
        if seen.phase is not Phase.SUCCEEDED:
            return None
        started, ended = seen.started_at or task.created_at, seen.finished_at or task.created_at
        video = task.submission.operation == VIDEO
        drafted = {"draft_cache": plain_url(task, "draft.mp4")} if video else {}
        return {
            "sample": file_url(task),
            "prompt": task.submission.prompt,
            "seed": task.submission.details["seed"],
            "start_time": started,
            "end_time": ended,
            "duration": task.submission.details["seconds"] if video else ended - started,
            **drafted,
        }

    def _details(self, task: SandboxTask, seen: View) -> object:
        match seen.phase:
            case Phase.FAILED:
                return {"error": task.failure}
            case Phase.MODERATED:
                return {"Moderation Reasons": list(REASONS)}
            case _:
                return None


class FluxVendorRenderer(_VendorFormRenderer, KeyAuthentication):
    """The vendor itself, with its key in `x-key`."""

    def key_of(self, headers: Headers) -> str:
        return headers.get("x-key", "").strip()

    def refusal(self, refusal: Refusal, prompt: str = "") -> Response:
        if refusal is Refusal.MODERATED:
            return detail(400, {"error": "Request moderated: prompt violates the usage policy"})
        status, message = _REFUSALS.get(refusal, (400, "prompt is invalid"))
        return detail(status, message, 1 if refusal is Refusal.THROTTLED else None)

    def accepted(self, task: SandboxTask, place: int) -> Response:
        """With a webhook the answer is another, and the task is known under every address."""
        hook = task.submission.callback_url
        if not hook:
            return super().accepted(task, place)
        return json_reply({"id": task.id, "status": "Pending", "webhook_url": hook})


class FluxRelayRenderer(_VendorFormRenderer, RelayAuthentication):
    """A station that passes on the vendor's responses and checks keys itself."""

    def relayed_refusal(self, refusal: Refusal, prompt: str) -> Response:
        match refusal:
            case Refusal.QUEUE_FULL:
                return newapi.no_channel("模型 flux-pro-1.1 ")
            case Refusal.MODERATED:
                return detail(400, "Your prompt was flagged by our safety system")
            case Refusal.THROTTLED:
                return detail(429, "Too Many Requests", 1)
            case _:
                return detail(400, "prompt is invalid")

    def result(self, task: SandboxTask, seen: View) -> dict[str, Any] | None:
        """The file's URL names its expiry time, as those of the vendor's store do."""
        result = super().result(task, seen)
        if result is not None and result["sample"]:
            ends = iso((seen.finished_at or task.created_at) + task.asset_life_seconds)
            result["sample"] += f"?se={ends.replace(':', '%3A')}&sp=r&sig=c2FuZGJveA%3D%3D"
        return result
