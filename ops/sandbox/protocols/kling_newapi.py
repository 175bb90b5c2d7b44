"""A new-api station in front of Kling: it has two operations and keeps its own task records.

It drops unknown fields. A submit for a video from a picture that lacks the picture becomes one for
a video from text. Its tasks have their own ids and cannot be found by the caller's reference.
"""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace

from starlette.datastructures import Headers
from starlette.responses import Response

from ops.sandbox.config import SandboxConfig
from ops.sandbox.dialect import Refusal
from ops.sandbox.handlers import SubmitCall
from ops.sandbox.knobs import Knob
from ops.sandbox.protocols.authentication import RelayAuthentication
from ops.sandbox.protocols.kling_envelope import ERRORS, KlingRenderer, message_of, task_data
from ops.sandbox.protocols.kling_handlers import KlingHandlers
from ops.sandbox.protocols.kling_requests import TASKS
from ops.sandbox.protocols.kling_results import ENDPOINTS, file_url
from ops.sandbox.replies import json_reply
from ops.sandbox.routes import SandboxRoute
from ops.sandbox.station import SandboxStation
from ops.sandbox.tasks import Phase, SandboxTask, TaskSubmission, View

ROOT = "/newapi/kling"
OPERATIONS = ("text2video", "image2video")
#: The fields that are passed on to Kling.
KNOWN = frozenset(
    {"prompt", "image", "image_tail", "negative_prompt", "mode", "duration", "aspect_ratio"}
    | {"model_name", "cfg_scale", "static_mask", "dynamic_masks", "camera_control"}
    | {"callback_url", "external_task_id"}
)
_WORDS = {
    Phase.QUEUED: "SUBMITTED",
    Phase.SUBMITTED: "QUEUED",
    Phase.RUNNING: "IN_PROGRESS",
    Phase.UNKNOWN: "IN_PROGRESS",  # a word the station does not know leaves its books as they are
    Phase.SUCCEEDED: "SUCCESS",
    Phase.FAILED: "FAILURE",
    Phase.MODERATED: "FAILURE",
    Phase.CANCELED: "FAILURE",
}
_PROGRESS = {"SUBMITTED": "10%", "QUEUED": "20%", "IN_PROGRESS": "30%"}


class KlingNewApiRenderer(RelayAuthentication, KlingRenderer):
    """Responses of a new-api station that rebuilds requests. Its accounts are its own."""

    def authenticate(
        self, headers: Headers, config: SandboxConfig, *, submits: bool
    ) -> str | Response:
        account = super().authenticate(headers, config, submits=submits)
        return account if isinstance(account, Response) else f"{ROOT} {account}"

    def relayed_refusal(self, refusal: Refusal, prompt: str) -> Response:
        status, code, message = ERRORS[refusal]
        upstream = json.dumps({"code": code, "message": message, "request_id": "r"})
        retry_after = 1 if refusal is Refusal.THROTTLED else None
        body = {"code": "fail_to_fetch_task", "message": upstream, "data": None}
        return json_reply(body, status, retry_after)

    def invalid(self, message: str) -> Response:
        return _refused("invalid_request", message)

    def accepted(self, task: SandboxTask, place: int) -> Response:
        return json_reply(
            {
                "id": task.id,
                "task_id": task.id,
                "object": "video",
                "model": task.submission.details["model"],
                "status": "queued",
                "progress": 0,
                "created_at": int(task.created_at),
            }
        )

    def accepted_without_id(self) -> Response:
        return json_reply({"id": "", "task_id": "", "object": "video", "status": "queued"})

    def found(self, task: SandboxTask, view: View) -> Response:
        return json_reply({"code": "success", "message": "", "data": _record(task, view)})

    def not_found(self) -> Response:
        return _refused("task_not_exist", "task_not_exist")


def newapi_routes(station: SandboxStation) -> Sequence[SandboxRoute]:
    """A poll and a submit for each of the two operations."""
    handlers = KlingNewApiHandlers(station, KlingNewApiRenderer())
    return [route for name in OPERATIONS for route in handlers.routes(name)]


class KlingNewApiHandlers(KlingHandlers):
    """The station's two operations."""

    not_an_object = "prompt is required"

    def routes(self, operation: str) -> Sequence[SandboxRoute]:
        """The operation's routes; the most polled path comes first."""
        path = ROOT + ENDPOINTS[operation].path

        def read(call: SubmitCall) -> TaskSubmission | Response:
            return self._read(call, operation)

        return (self.poll_route(f"{path}/{{name}}"), self.submit_route(path, read))

    def owns(self, task: SandboxTask, account: str) -> bool:
        return task.submission.account == account

    def _read(self, call: SubmitCall, operation: str) -> TaskSubmission | Response:
        if not call.body.get("prompt"):
            return self.renderer.invalid("prompt is required")
        known = {name: value for name, value in call.body.items() if name in KNOWN}
        if operation == "image2video" and not known.get("image"):
            operation = "text2video"
        if operation == "image2video":
            known.pop("aspect_ratio", None)
        complaint = TASKS[operation].complaint(known)
        if complaint is not None:
            return _refused("task_failed", complaint)
        submission = self.read(call, operation, known)
        upstream = {"upstream_id": submission.task_id, "model": str(known.get("model_name", ""))}
        return replace(
            submission,
            task_id=f"task_{secrets.token_hex(16)}",
            details={**submission.details, **upstream, "callback_body": _upstream_task},
        )


def _upstream_task(task: SandboxTask, seen: View) -> Mapping[str, object]:
    """Kling sends callbacks to the caller itself, with its own task id."""
    return {**task_data(task, seen), "task_id": task.submission.details["upstream_id"]}


def _record(task: SandboxTask, seen: View) -> dict[str, object]:
    """The station's task record."""
    word = _WORDS[seen.phase]
    done = word == "SUCCESS"
    upstream = {"code": 0, "message": "SUCCEED", "data": _upstream_task(task, seen)}
    return {
        "id": 4711,
        "created_at": int(task.created_at),
        "updated_at": int(seen.finished_at or task.created_at),
        "task_id": task.id,
        "platform": "50",
        "user_id": 1,
        "group": "default",
        "channel_id": 7,
        "quota": 150000,
        "action": "generate" if task.submission.operation == "image2video" else "textGenerate",
        "status": word,
        "fail_reason": message_of(task, seen),
        "result_url": file_url(task, "0.mp4") if done else message_of(task, seen),
        "submit_time": int(task.created_at),
        "start_time": int(seen.started_at or 0),
        "finish_time": int(seen.finished_at or 0),
        "progress": _PROGRESS.get(word, "100%"),
        "properties": {"input": "", "origin_model_name": task.submission.details["model"]},
        "data": upstream if not task.submission.knobs.has(Knob.NO_URL) else None,
    }


def _refused(code: str, message: str) -> Response:
    return json_reply({"code": code, "message": message, "data": None}, 400)
