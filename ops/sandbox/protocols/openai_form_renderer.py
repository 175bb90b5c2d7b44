"""What a station of OpenAI's form says that has nothing to do with what was ordered."""

from starlette.datastructures import Headers
from starlette.responses import Response

from ops.sandbox.accounts import bearer_token, key_state_of
from ops.sandbox.config import SandboxConfig
from ops.sandbox.dialect import Refusal
from ops.sandbox.protocols import newapi
from ops.sandbox.replies import json_reply
from ops.sandbox.tasks import UpstreamTask, View

MODERATED = "Your request was rejected as a result of our safety system"


def error(status: int, message: str) -> Response:
    """An error in OpenAI's words."""
    body = {"message": message, "type": "invalid_request_error", "param": "", "code": None}
    return json_reply({"error": body}, status)


class OpenAIFormRenderer:
    """The door and the refusals. There are no tasks, so nothing can be found."""

    def authenticate(
        self, headers: Headers, config: SandboxConfig, *, submits: bool
    ) -> str | Response:
        key = bearer_token(headers)
        return newapi.key_refusal(key_state_of(key, config), submits=submits) or key

    def refusal(self, refusal: Refusal, prompt: str = "") -> Response:
        match refusal:
            case Refusal.AUTH:
                return newapi.bad_token()
            case Refusal.NO_CREDIT:
                return newapi.no_quota()
            case Refusal.THROTTLED:
                body = {"message": "Rate limit exceeded", "type": "rate_limit_error", "code": ""}
                return json_reply({"error": body}, 429, 1)
            case Refusal.QUEUE_FULL:
                words = "当前分组 default 下对于该模型无可用渠道"
                return newapi.error(503, words, "model_not_found")
            case Refusal.MODERATED:
                return error(400, MODERATED)
            case _:
                return self.invalid("prompt is invalid")

    def invalid(self, message: str) -> Response:
        return error(400, message)

    def found(self, task: UpstreamTask, view: View) -> Response:
        return self.not_found()

    def several(self, seen: list[tuple[UpstreamTask, View]]) -> Response:
        return self.not_found()

    def not_found(self) -> Response:
        return error(404, "there are no tasks here")
