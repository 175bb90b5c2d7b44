"""The renderers of Flux's resellers: Replicate's predictions, fal's queue, and OpenAI's form."""

from collections.abc import Iterable
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import Response

from ops.sandbox.accounts import KeyState
from ops.sandbox.dialect import Refusal
from ops.sandbox.protocols.authentication import KeyAuthentication
from ops.sandbox.protocols.flux_renderers import NEW, detail, fields, file_url, iso
from ops.sandbox.protocols.flux_requests import FieldError
from ops.sandbox.protocols.openai_form_renderer import OpenAIFormRenderer, error
from ops.sandbox.replies import json_reply
from ops.sandbox.station import SandboxStation
from ops.sandbox.tasks import Phase, SandboxTask, View

FLAGGED = "The input or output was flagged as sensitive. Please try again with different inputs."
SIDE = 64
#: Replicate's models whose output is a list.
LISTED = ("dev", "schnell", "redux")

_PREDICTIONS = {
    Phase.QUEUED: "starting",
    Phase.SUBMITTED: "starting",
    Phase.RUNNING: "processing",
    Phase.UNKNOWN: "marinating",
    Phase.SUCCEEDED: "succeeded",
    Phase.FAILED: "failed",
    Phase.MODERATED: "failed",
    Phase.CANCELED: "canceled",
}
#: fal calls every ended request completed.
_REQUESTS = {
    Phase.QUEUED: "IN_QUEUE",
    Phase.SUBMITTED: "IN_QUEUE",
    Phase.RUNNING: "IN_PROGRESS",
    Phase.UNKNOWN: "IN_LIMBO",
}

#: HTTP status, title, detail and Retry-After of Replicate's refusals.
_REPLICATE_REFUSALS = {
    Refusal.AUTH: (401, "Unauthenticated", "You did not pass a valid authentication token", None),
    Refusal.NO_CREDIT: (402, "Insufficient credit", "You have insufficient credit", None),
    Refusal.THROTTLED: (429, "Too many requests", "Request was throttled.", 1),
    Refusal.QUEUE_FULL: (
        429,
        "Too many requests",
        "Too many concurrent predictions of this account",
        None,
    ),
    Refusal.MODERATED: (422, "Content flagged", FLAGGED, None),
}


def _problem(status: int, title: str, words: str, retry_after: int | None = None) -> Response:
    body = {"title": title, "detail": words, "status": status}
    return json_reply(body, status, retry_after)


class ReplicateRenderer(KeyAuthentication):
    """Replicate's predictions."""

    def refusal(self, refusal: Refusal, prompt: str = "") -> Response:
        problem = _REPLICATE_REFUSALS.get(refusal)
        return _problem(*problem) if problem else self.invalid("- input.prompt: is invalid")

    def invalid(self, message: str) -> Response:
        return _problem(422, "Input validation failed", message)

    def field_errors(self, faults: Iterable[FieldError]) -> Response:
        return self.invalid(
            "\n".join(f"- input.{error.field}: {error.message}" for error in faults)
        )

    def accepted(self, task: SandboxTask, place: int) -> Response:
        return json_reply(self.task(task, NEW), 201)

    def accepted_without_id(self) -> Response:
        return json_reply({"status": "starting", "output": None, "error": None}, 201)

    def found(self, task: SandboxTask, view: View) -> Response:
        return json_reply(self.task(task, view))

    def several(self, seen: list[tuple[SandboxTask, View]]) -> Response:
        listed = [self.task(task, view) for task, view in seen]
        return json_reply({"next": None, "previous": None, "results": listed})

    def not_found(self) -> Response:
        return _problem(404, "Not found", "The requested prediction could not be found.")

    def task(self, task: SandboxTask, seen: View) -> dict[str, Any]:
        details = task.submission.details
        own = f"{details['root']}/v1/predictions/{task.id}"
        ended, started = seen.finished_at, seen.started_at
        took = {"predict_time": ended - started} if ended and started else {}
        return {
            "id": task.id,
            "model": f"black-forest-labs/{details['model']}",
            "version": "hidden",
            "input": details["input"],
            "logs": f"{seen.progress}%|step\n" if seen.progress else "",
            "output": self._output(task, seen),
            "data_removed": False,
            "error": self._error(task, seen),
            "status": _PREDICTIONS[seen.phase],
            "created_at": iso(task.created_at),
            "started_at": iso(started) if started else None,
            "completed_at": iso(ended) if ended else None,
            "metrics": took,
            "urls": {"get": own, "cancel": f"{own}/cancel"},
        }

    def _output(self, task: SandboxTask, seen: View) -> object:
        url = file_url(task)
        if seen.phase is not Phase.SUCCEEDED or not url:
            return None
        return [url] if task.submission.operation in LISTED else url

    def _error(self, task: SandboxTask, seen: View) -> str | None:
        match seen.phase:
            case Phase.FAILED:
                return task.failure
            case Phase.MODERATED:
                return FLAGGED
            case _:
                return None


class FalRenderer(KeyAuthentication):
    """fal's queue: the status of a request. `FalResultRenderer` shows the result."""

    def key_of(self, headers: Headers) -> str:
        scheme, _, key = headers.get("authorization", "").partition(" ")
        return key.strip() if scheme.lower() == "key" else ""

    def reject(self, state: KeyState) -> Response:
        if state is KeyState.BLOCKED:
            return detail(403, "User is locked. Reason: Admin lock.")
        return super().reject(state)

    def refusal(self, refusal: Refusal, prompt: str = "") -> Response:
        match refusal:
            case Refusal.AUTH:
                return detail(401, "Cannot access application. Authentication is required.")
            case Refusal.NO_CREDIT:
                return detail(403, "User is locked. Reason: Exhausted balance.")
            case Refusal.THROTTLED:
                body = {"error": {"message": "Rate limit exceeded", "code": 429}}
                return json_reply(body, 429, 1)
            case Refusal.QUEUE_FULL:
                return detail(429, "Too many concurrent requests of this user")
            case Refusal.MODERATED:
                error = FieldError("prompt", FLAGGED, "content_policy_violation")
                return detail(422, fields([error]))
            case _:
                return detail(
                    422, fields([FieldError("prompt", "Input is invalid", "value_error")])
                )

    def invalid(self, message: str) -> Response:
        return detail(400, message)

    def field_errors(self, faults: Iterable[FieldError]) -> Response:
        return detail(422, fields(faults))

    def accepted(self, task: SandboxTask, place: int) -> Response:
        return json_reply({"status": "IN_QUEUE", "queue_position": place, **self._addresses(task)})

    def accepted_without_id(self) -> Response:
        return json_reply({"status": "IN_QUEUE"})

    def found(self, task: SandboxTask, view: View) -> Response:
        word = _REQUESTS.get(view.phase, "COMPLETED")
        body: dict[str, Any] = {"status": word, **self._addresses(task), "logs": None}
        if word == "IN_QUEUE":
            body["queue_position"] = 0
        if view.phase in (Phase.FAILED, Phase.CANCELED):
            body |= {"error": task.failure, "error_type": "runner_disconnected"}
        return json_reply(body, 200 if word == "COMPLETED" else 202)

    def several(self, seen: list[tuple[SandboxTask, View]]) -> Response:
        return json_reply([self.task(task, view) for task, view in seen])

    def not_found(self) -> Response:
        return detail(404, "Request not found")

    def task(self, task: SandboxTask, seen: View) -> dict[str, Any]:
        """A callback's body."""
        succeeded = seen.phase is Phase.SUCCEEDED
        return {
            "request_id": task.id,
            "gateway_request_id": task.id,
            "status": "OK" if succeeded else "ERROR",
            "payload": result_of(task) if succeeded else None,
            "error": None if succeeded else task.failure,
        }

    def _addresses(self, task: SandboxTask) -> dict[str, str]:
        details = task.submission.details
        own = f"{details['root']}/fal-ai/{details['app']}/requests/{task.id}"
        return {
            "request_id": task.id,
            "response_url": own,
            "status_url": f"{own}/status",
            "cancel_url": f"{own}/cancel",
        }


def result_of(task: SandboxTask) -> dict[str, Any]:
    """The result of fal's models."""
    url = file_url(task)
    file = {"url": url, "width": SIDE, "height": SIDE, "content_type": "image/png"}
    return {
        "images": [file] if url else [],
        "timings": {"inference": task.seconds},
        "seed": task.submission.details["seed"],
        "has_nsfw_concepts": [False] if url else [],
        "prompt": task.submission.prompt,
    }


class FalResultRenderer(FalRenderer):
    """The result of a request at fal."""

    def found(self, task: SandboxTask, view: View) -> Response:
        match view.phase:
            case Phase.SUCCEEDED:
                return json_reply(result_of(task))
            case Phase.MODERATED:
                return self.refusal(Refusal.MODERATED)
            case Phase.FAILED | Phase.CANCELED:
                reply = detail(500, task.failure)
                reply.headers["x-fal-error-type"] = "runner_disconnected"
                return reply
            case _:
                return detail(400, "Request is still in progress")


class FluxOpenAIRenderer(OpenAIFormRenderer):
    """A station whose response to a submit holds the picture. The task ends at once."""

    def __init__(self, station: SandboxStation) -> None:
        self._station = station

    def field_errors(self, faults: Iterable[FieldError]) -> Response:
        return self.invalid("; ".join(f"{error.field}: {error.message}" for error in faults))

    def accepted(self, task: SandboxTask, place: int) -> Response:
        self._station.end(task)
        seen = self._station.view(task)
        match seen.phase:
            case Phase.MODERATED:
                return self.refusal(Refusal.MODERATED)
            case Phase.FAILED:
                return error(500, task.failure)
            case _:
                return json_reply(self.task(task, seen))

    def accepted_without_id(self) -> Response:
        return json_reply({"created": int(self._station.clock.now()), "data": []})

    def task(self, task: SandboxTask, seen: View) -> dict[str, Any]:
        url = file_url(task)
        return {"created": int(task.created_at), "data": [{"url": url}] if url else []}
