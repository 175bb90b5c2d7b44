"""The renderers of Suno: a relay, a Suno-API without one, a feed, and the official style."""

import json
from collections.abc import Mapping
from typing import Protocol
from uuid import uuid4

from starlette.responses import Response

from ops.sandbox.dialect import ProtocolRenderer, Refusal
from ops.sandbox.protocols import newapi
from ops.sandbox.protocols.authentication import KeyAuthentication, RelayAuthentication
from ops.sandbox.protocols.suno_songs import (
    MODERATED,
    file_url,
    reason,
    records,
    result,
    song_ids,
    songs,
    task_object,
    words,
)
from ops.sandbox.replies import json_reply
from ops.sandbox.tasks import Phase, SandboxTask, View

FRESH = View(Phase.QUEUED, 0, None, None)
_SUNO_API_REFUSALS = {
    Refusal.AUTH: (401, "unauthorized secret token"),
    Refusal.NO_CREDIT: (402, "402 Payment Required"),
    Refusal.THROTTLED: (429, "429 Too Many Requests"),
    Refusal.QUEUE_FULL: (429, "Too many running jobs."),
    Refusal.MODERATED: (400, MODERATED),
}
#: `code` and message of refusals in the official style.
_OFFICIAL_REFUSALS = {
    Refusal.AUTH: (401, "You do not have access permissions"),
    Refusal.NO_CREDIT: (429, "The current credits are insufficient. Please top up."),
    Refusal.QUEUE_FULL: (430, "Too many running jobs."),
    Refusal.MODERATED: (400, MODERATED),
}


class SunoRenderer(ProtocolRenderer, Protocol):
    """A renderer of Suno's protocols."""

    #: Whether an extension names the task of its song.
    by_task: bool
    #: The field of the callback URL; "" if there are no callbacks.
    hook: str

    def callback_body(self, task: SandboxTask, seen: View) -> Mapping[str, object]:
        """A callback's body."""
        ...


class _SunoApiForm:
    """The responses that a relay and a Suno-API share."""

    by_task = True
    hook = ""

    def invalid(self, message: str) -> Response:
        return refused(400, "invalid_request", message)

    def accepted(self, task: SandboxTask, place: int) -> Response:
        return wrapped(task.id)

    def accepted_without_id(self) -> Response:
        return wrapped("")

    def callback_body(self, task: SandboxTask, seen: View) -> Mapping[str, object]:
        return task_object(task, seen)


class SunoRelayRenderer(_SunoApiForm, RelayAuthentication):
    """A new-api station: refusals of its own, and its upstream's packed into a string."""

    hook = "notify_hook"

    def no_credit(self) -> Response:
        return refused(403, "quota_not_enough", "user quota is not enough")

    def relayed_refusal(self, refusal: Refusal, prompt: str) -> Response:
        match refusal:
            case Refusal.THROTTLED:
                saturated = "当前分组上游负载已饱和，请稍后再试"
                return refused(429, "fail_to_fetch_task", saturated, retry_after=1)
            case Refusal.QUEUE_FULL:
                return newapi.no_channel("模型 suno_music ", code=None)
            case Refusal.MODERATED:
                upstream = {"code": "invalid_request", "message": MODERATED, "data": None}
                packed = json.dumps(upstream, ensure_ascii=False)
                return refused(400, "fail_to_fetch_task", packed)
            case _:
                return self.invalid("prompt_empty")

    def found(self, task: SandboxTask, view: View) -> Response:
        return wrapped(task_object(task, view))

    def several(self, seen: list[tuple[SandboxTask, View]]) -> Response:
        """The tasks; null if there are none."""
        return wrapped([task_object(task, view) for task, view in seen] or None)

    def not_found(self) -> Response:
        return refused(400, "task_not_exist", "task_not_exist")


class SunoApiRenderer(_SunoApiForm, KeyAuthentication):
    """A Suno-API without a relay: one secret token, Suno's status lines, bare results."""

    def refusal(self, refusal: Refusal, prompt: str = "") -> Response:
        refused_as = _SUNO_API_REFUSALS.get(refusal)
        if refused_as is None:
            return self.invalid("prompt is empty")
        status, message = refused_as
        retry_after = 1 if refusal is Refusal.THROTTLED else None
        return refused(status, "invalid_request", message, retry_after)

    def found(self, task: SandboxTask, view: View) -> Response:
        return wrapped(result(task, view))

    def several(self, seen: list[tuple[SandboxTask, View]]) -> Response:
        return wrapped([_raw_task(task, view) for task, view in seen])

    def not_found(self) -> Response:
        return refused(400, "invalid_request", "task not exist")


class SunoFeedRenderer(SunoRelayRenderer):
    """Suno's own web service behind a station: songs and lyrics without an envelope."""

    by_task = False
    hook = ""

    def __init__(self, asked: frozenset[str] = frozenset()) -> None:
        self._asked = asked

    def accepted(self, task: SandboxTask, place: int) -> Response:
        if task.submission.operation == "lyrics":
            return json_reply({"id": task.id})
        return self._generation(songs(task, FRESH), id=str(uuid4()))

    def accepted_without_id(self) -> Response:
        return self._generation([])

    def found(self, task: SandboxTask, view: View) -> Response:
        """Only the requested songs; all of them if the task was requested."""
        if task.submission.operation == "lyrics":
            return json_reply(words(task, view))
        whole = task.id in self._asked or not self._asked
        return json_reply([s for s in songs(task, view) if whole or s["id"] in self._asked])

    def not_found(self) -> Response:
        return json_reply([])

    def _generation(self, made: list[dict[str, object]], **more: object) -> Response:
        """Songs of an accepted submit; their `complete` stands for accepted."""
        return json_reply({**more, "clips": made, "metadata": {}, "status": "complete"})


class SunoOfficialRenderer(KeyAuthentication):
    """The official style: HTTP 200 nearly always, and a status of its own in `code`."""

    by_task = False
    hook = "callBackUrl"

    def refusal(self, refusal: Refusal, prompt: str = "") -> Response:
        if refusal is Refusal.THROTTLED:
            often = "Your call frequency is too high. Please try again later."
            return coded(430, often, status=429, retry_after=1)
        return coded(*_OFFICIAL_REFUSALS.get(refusal, (400, "Please enter prompt.")))

    def invalid(self, message: str) -> Response:
        return coded(400, message)

    def accepted(self, task: SandboxTask, place: int) -> Response:
        return coded(200, "success", {"taskId": task.id})

    def accepted_without_id(self) -> Response:
        return coded(200, "success")

    def found(self, task: SandboxTask, view: View) -> Response:
        return coded(200, "success", _record(task, view))

    def several(self, seen: list[tuple[SandboxTask, View]]) -> Response:
        return coded(200, "success", [_record(task, view) for task, view in seen])

    def not_found(self) -> Response:
        return coded(400, "task not found")

    def callback_body(self, task: SandboxTask, seen: View) -> Mapping[str, object]:
        data = {
            "callbackType": "error" if reason(task, seen) else "complete",
            "task_id": task.id,
            "data": songs(task, seen),
        }
        message = reason(task, seen) or "All generated successfully."
        return {"code": 501 if reason(task, seen) else 200, "msg": message, "data": data}


_RECORD_STATUS = {
    Phase.QUEUED: "PENDING",
    Phase.SUBMITTED: "PENDING",
    Phase.RUNNING: "TEXT_SUCCESS",
    Phase.UNKNOWN: "MARINATING",
    Phase.SUCCEEDED: "SUCCESS",
    Phase.FAILED: "GENERATE_AUDIO_FAILED",
    Phase.MODERATED: "SENSITIVE_WORD_ERROR",
    Phase.CANCELED: "GENERATE_AUDIO_FAILED",
}


def refused(status: int, code: str, message: str, retry_after: int | None = None) -> Response:
    """A refusal in the envelope of relay and Suno-API."""
    return json_reply({"code": code, "message": message, "data": None}, status, retry_after)


def wrapped(data: object) -> Response:
    """A success in the envelope of relay and Suno-API."""
    return json_reply({"code": "success", "message": "", "data": data})


def coded(
    code: int,
    message: str,
    data: object = None,
    *,
    status: int = 200,
    retry_after: int | None = None,
) -> Response:
    """A response in the official style."""
    return json_reply({"code": code, "msg": message, "data": data}, status, retry_after)


def _raw_task(task: SandboxTask, seen: View) -> dict[str, object]:
    """A Suno-API's task: an unknown status is `UNKNOWN`, and there is no progress."""
    kept = task_object(task, seen)
    status = "UNKNOWN" if seen.phase is Phase.UNKNOWN else kept["status"]
    return {**kept, "status": status, "progress": "", "data": result(task, seen)}


def _record(task: SandboxTask, seen: View) -> dict[str, object]:
    word = _RECORD_STATUS[seen.phase]
    failure = {"errorCode": None, "errorMessage": reason(task, seen) or None}
    operation = task.submission.operation
    if operation in ("wav", "mp4"):
        word = {"TEXT_SUCCESS": "PENDING"}.get(word, word)
        return {"taskId": task.id, "successFlag": word, "response": _file(task, seen), **failure}
    response: dict[str, object] | None = None
    if operation == "lyrics" and seen.phase is Phase.SUCCEEDED:
        response = {"taskId": task.id, "data": [words(task, seen)]}
    elif song_ids(task) and seen.phase is Phase.SUCCEEDED:
        response = {"taskId": task.id, "sunoData": records(task, seen)}
    return {"taskId": task.id, "status": word, "response": response, **failure}


def _file(task: SandboxTask, seen: View) -> dict[str, object] | None:
    if seen.phase is not Phase.SUCCEEDED:
        return None
    name = "audioWavUrl" if task.submission.operation == "wav" else "videoUrl"
    return {name: file_url(task, f"file.{task.submission.operation}")}
