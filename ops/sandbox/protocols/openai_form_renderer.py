"""Errors and authentication of stations that speak OpenAI's form."""

from starlette.responses import Response

from ops.sandbox.dialect import Refusal
from ops.sandbox.protocols import newapi
from ops.sandbox.protocols.authentication import RelayAuthentication
from ops.sandbox.replies import json_reply
from ops.sandbox.tasks import SandboxTask, View

MODERATED = "Your request was rejected as a result of our safety system"


def error(status: int, message: str) -> Response:
    """An error in OpenAI's form."""
    body = {"message": message, "type": "invalid_request_error", "param": "", "code": None}
    return json_reply({"error": body}, status)


class OpenAIFormRenderer(RelayAuthentication):
    """Authentication and refusals. There are no tasks, so polls find nothing."""

    def relayed_refusal(self, refusal: Refusal, prompt: str) -> Response:
        match refusal:
            case Refusal.THROTTLED:
                body = {"message": "Rate limit exceeded", "type": "rate_limit_error", "code": ""}
                return json_reply({"error": body}, 429, 1)
            case Refusal.QUEUE_FULL:
                return newapi.no_channel("该模型")
            case Refusal.MODERATED:
                return error(400, MODERATED)
            case _:
                return self.invalid("prompt is invalid")

    def invalid(self, message: str) -> Response:
        return error(400, message)

    def found(self, task: SandboxTask, view: View) -> Response:
        return self.not_found()

    def several(self, seen: list[tuple[SandboxTask, View]]) -> Response:
        return self.not_found()

    def not_found(self) -> Response:
        return error(404, "there are no tasks here")
