"""Kling's second API: the model is in the path, and one path polls a list of tasks."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from starlette.requests import Request
from starlette.responses import Response

from ops.sandbox import engine
from ops.sandbox.clock import milliseconds
from ops.sandbox.handlers import SubmitCall
from ops.sandbox.protocols.kling_envelope import (
    KlingVendorRenderer,
    message_of,
    success,
    word_of,
)
from ops.sandbox.protocols.kling_handlers import PROFILE, KlingHandlers
from ops.sandbox.protocols.kling_results import file_url, length
from ops.sandbox.replies import text_of
from ops.sandbox.routes import SandboxRoute
from ops.sandbox.station import SandboxStation
from ops.sandbox.tasks import Phase, SandboxTask, TaskSubmission, View

PATHS = {"text2video": "/text-to-video", "image2video": "/image-to-video"}
RESOLUTIONS = ("720p", "1080p", "4k")
PROMPT_LONGEST = 3072
MOST_IDS = 500


class KlingSecondRenderer(KlingVendorRenderer):
    """The second API's form: `succeeded`, and a list where v1 has one task."""

    def accepted(self, task: SandboxTask, place: int) -> Response:
        return success(second_data(task, View(Phase.QUEUED, 0, None, None)))

    def found(self, task: SandboxTask, view: View) -> Response:
        return self.several([(task, view)])

    def several(self, seen: list[tuple[SandboxTask, View]]) -> Response:
        return success([second_data(task, view) for task, view in seen])

    def not_found(self) -> Response:
        return success([])


def second_data(task: SandboxTask, seen: View) -> dict[str, object]:
    """The task as an entry of the list, and as a callback's whole body."""
    data: dict[str, object] = {
        "id": task.id,
        "status": word_of(seen.phase).replace("succeed", "succeeded"),
        "message": message_of(task, seen),
        "create_time": milliseconds(task.created_at),
        "update_time": milliseconds(seen.finished_at or seen.started_at or task.created_at),
        "external_id": task.submission.reference,
    }
    if seen.phase is Phase.SUCCEEDED:
        watermark = file_url(task, "w.mp4") if task.submission.details.get("watermark") else ""
        video = {"type": "video", "id": f"{task.id}-0", "url": file_url(task, "0.mp4")}
        data["outputs"] = [{**video, "watermark_url": watermark, "duration": length(task)}]
        data["billing"] = [{"charge_type": "unit", "amount": "1", "package_type": "video"}]
    return data


def second_routes(station: SandboxStation) -> Sequence[SandboxRoute]:
    """Both submits, and the path that polls tasks."""
    handlers = KlingSecondHandlers(station, KlingSecondRenderer())
    return (
        handlers.account_route("/tasks", handlers.query),
        *(handlers.task_route(operation, path) for operation, path in PATHS.items()),
    )


class KlingSecondHandlers(KlingHandlers):
    """The second API. Accounts are those of the first."""

    def task_route(self, operation: str, path: str) -> SandboxRoute:
        """The route that takes one operation's submits."""

        def read(call: SubmitCall) -> TaskSubmission | Response:
            complaint = _complaint(operation, call.body)
            if complaint is not None:
                return self.renderer.invalid(complaint)
            return self.read(call, operation, _as_first(call.body), callback_body=second_data)

        return self.submit_route(f"{path}/{{model}}", read)

    async def query(self, request: Request, account: str) -> Response:
        names = [name for name in request.query_params.get("task_ids", "").split(",") if name]
        references = request.query_params.get("external_task_ids", "")
        asked = names or [name for name in references.split(",") if name]
        if not 0 < len(asked) <= MOST_IDS:
            return self.renderer.invalid("task_ids or external_task_ids is required")
        tasks = self.station.task_store
        known = [
            tasks.get(name) if names else tasks.by_reference(PROFILE.provider, account, name)
            for name in asked
        ]
        ours = [task for task in known if task is not None and self.owns(task, account)]
        if len(asked) == 1:
            return await engine.poll(self.station, self.renderer, ours[0] if ours else None)
        return await engine.poll_many(self.station, self.renderer, ours, self.renderer.several)


def _complaint(operation: str, body: Mapping[str, Any]) -> str | None:
    settings = _part(body, "settings")
    if operation == "text2video" and not body.get("prompt"):
        return "prompt is required"
    if operation == "image2video" and not _content(body, "first_frame", "url"):
        return "contents needs a first_frame"
    if operation == "image2video" and "aspect_ratio" in settings:
        return "settings.aspect_ratio is invalid"
    if any(
        url.startswith("data:")
        for kind in ("first_frame", "last_frame")
        if (url := _content(body, kind, "url"))
    ):
        return "contents is invalid: a URL or base64 without a data: prefix is expected"
    if len(_prompt(body)) > PROMPT_LONGEST:
        return f"prompt is invalid: at most {PROMPT_LONGEST} characters are expected"
    if settings.get("resolution", "720p") not in RESOLUTIONS:
        return f"settings.resolution is invalid: one of {', '.join(RESOLUTIONS)} is expected"
    if settings.get("duration", 5) not in range(3, 16):
        return "settings.duration is invalid: a number from 3 to 15 is expected"
    if settings.get("audio", "off") not in ("native", "off"):
        return "settings.audio is invalid: native or off is expected"
    return None


def _as_first(body: Mapping[str, Any]) -> dict[str, Any]:
    """The same submit with the first API's field names, as far as the sandbox reads them."""
    options = _part(body, "options")
    return {
        "prompt": _prompt(body),
        "duration": str(_part(body, "settings").get("duration", 5)),
        "watermark_info": options.get("watermark_info"),
        "external_task_id": options.get("external_task_id"),
        "callback_url": options.get("callback_url"),
    }


def _prompt(body: Mapping[str, Any]) -> str:
    return text_of(dict(body), "prompt") or _content(body, "prompt", "text")


def _part(body: Mapping[str, Any], name: str) -> dict[str, Any]:
    part = body.get(name)
    return cast("dict[str, Any]", part) if isinstance(part, dict) else {}


def _content(body: Mapping[str, Any], kind: str, field: str) -> str:
    """A field of the first content of this kind; "" without one."""
    contents = body.get("contents")
    listed = cast("list[object]", contents) if isinstance(contents, list) else []
    parts = [cast("dict[str, Any]", part) for part in listed if isinstance(part, dict)]
    return next((text_of(part, field) for part in parts if part.get("type") == kind), "")
