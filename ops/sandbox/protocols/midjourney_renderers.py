"""The two renderers of the midjourney-proxy protocol: authentication and responses."""

import secrets
from typing import Protocol

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response

from ops.sandbox.accounts import KeyState
from ops.sandbox.dialect import ProtocolRenderer, Refusal
from ops.sandbox.protocols import newapi
from ops.sandbox.protocols.authentication import KeyAuthentication, RelayAuthentication
from ops.sandbox.protocols.midjourney_task import WAITS, Blank, task_object
from ops.sandbox.protocols.midjourney_work import Wants, work_of
from ops.sandbox.replies import json_reply
from ops.sandbox.tasks import SandboxTask, View

INSTANCE = {"discordChannelId": "1050703772185268251", "discordInstanceId": "1118138338562560102"}


class MidjourneyRenderer(ProtocolRenderer, Protocol):
    """A renderer of this protocol."""

    url_secret: bytes
    blank: Blank
    #: Whether it is a proxy without a relay in front of it.
    is_direct: bool

    def unreadable(self) -> Response:
        """The body is not a JSON object."""
        ...

    def own_complaint(self, message: str) -> Response:
        """An error that a station finds before it asks its proxy."""
        ...

    def no_parent(self) -> Response:
        """The task to follow is unknown."""
        ...

    def parent_unfinished(self) -> Response:
        """The task to follow has not succeeded, or does not wait for input."""
        ...

    def unknown_button(self, custom_id: str) -> Response:
        """The parent has no such button, or a relay does not know it."""
        ...


class _MidjourneyBaseRenderer:
    """The responses that both renderers share."""

    def __init__(self, url_secret: bytes, blank: Blank) -> None:
        self.url_secret = url_secret
        self.blank = blank

    def refusal(self, refusal: Refusal, prompt: str = "") -> Response:
        match refusal:
            case Refusal.MODERATED:
                word = prompt.strip().partition(" ")[0]
                properties = {"promptEn": prompt, "bannedWord": word}
                body = {"code": 24, "description": "可能包含敏感词", "properties": properties}
            case Refusal.QUEUE_FULL:
                body = {
                    "code": 23,
                    "description": "队列已满，请稍后尝试",
                    "result": f"{secrets.randbelow(10**16):016}",  # of a task that is gone already
                    "properties": INSTANCE,
                }
            case _:
                body = {"code": 4, "description": "prompt 参数错误", "result": None}
        return json_reply(body)

    def invalid(self, message: str) -> Response:
        return json_reply({"code": 4, "description": message, "result": None})

    def found(self, task: SandboxTask, view: View) -> Response:
        return json_reply(task_object(task, view, self.url_secret, self.blank))

    def several(self, seen: list[tuple[SandboxTask, View]]) -> Response:
        objects = (task_object(task, view, self.url_secret, self.blank) for task, view in seen)
        return json_reply([*objects])

    def accepted_without_id(self) -> Response:
        return json_reply({"code": 1, "description": "提交成功", "properties": INSTANCE})

    def _input_needed(self, code: int, task: SandboxTask) -> Response:
        """The task waits for the caller's input."""
        properties = {"finalPrompt": task.submission.prompt, "remix": True}
        return json_reply(
            {"code": code, "description": WAITS, "result": task.id, "properties": properties}
        )

    def _accepted(self, code: int, task: SandboxTask, place: int) -> Response:
        waits = f"排队中，前面还有{place}个任务" if place else "提交成功"
        properties = {**INSTANCE, "numberOfQueues": place} if place else INSTANCE
        return json_reply(
            {"code": code, "description": waits, "result": task.id, "properties": properties}
        )


class MidjourneyProxyRenderer(_MidjourneyBaseRenderer, KeyAuthentication):
    """A proxy without a relay: `mj-api-secret`, lists and cancels; unset fields are null."""

    is_direct = True

    def __init__(self, url_secret: bytes) -> None:
        super().__init__(url_secret, Blank.NULLS)

    def key_of(self, headers: Headers) -> str:
        return headers.get("mj-api-secret", "")

    def reject(self, state: KeyState) -> Response:
        if state is KeyState.NO_CREDIT:
            return self.refusal(Refusal.NO_CREDIT)
        return PlainTextResponse("账号已禁用" if state is KeyState.BLOCKED else "", 401)

    def refusal(self, refusal: Refusal, prompt: str = "") -> Response:
        match refusal:
            case Refusal.AUTH:
                return Response(status_code=401)
            case Refusal.NO_CREDIT:  # an account without credit is taken out of service
                return json_reply({"code": 3, "description": "无可用的账号实例"})
            case Refusal.THROTTLED:
                return PlainTextResponse("Too Many Requests", 429, {"retry-after": "1"})
            case _:
                return super().refusal(refusal, prompt)

    def accepted(self, task: SandboxTask, place: int) -> Response:
        if task.awaits_input:
            return self._input_needed(21, task)
        return self._accepted(22 if place else 1, task, place)

    def unreadable(self) -> Response:
        return Response(status_code=400)

    def own_complaint(self, message: str) -> Response:
        return self.invalid(message.strip())

    def no_parent(self) -> Response:
        return json_reply({"code": 3, "description": "关联任务不存在或已失效"}, 404)

    def parent_unfinished(self) -> Response:
        return self.invalid("关联任务状态错误")

    def unknown_button(self, custom_id: str) -> Response:
        return self.invalid("未知的 Action 类型")

    def not_found(self) -> Response:
        return Response()


class MidjourneyRelayRenderer(RelayAuthentication, _MidjourneyBaseRenderer):
    """A new-api station: bearer key; unset fields are empty, other fields are passed on."""

    is_direct = False

    def __init__(self, url_secret: bytes) -> None:
        _MidjourneyBaseRenderer.__init__(self, url_secret, Blank.EMPTY)

    def key_of(self, headers: Headers) -> str:
        authorization = headers.get("authorization", "")
        if authorization in ("", "midjourney-proxy"):
            return headers.get("mj-api-secret", "")
        return authorization.removeprefix("Bearer ").strip()

    def relayed_refusal(self, refusal: Refusal, prompt: str) -> Response:
        if refusal is Refusal.THROTTLED:
            saturated = "当前分组负载已饱和，请稍后再试，或升级账户以提升服务质量。"
            return _own_error(saturated, code=30, status=429, retry_after=1)
        return _MidjourneyBaseRenderer.refusal(self, refusal, prompt)

    def accepted(self, task: SandboxTask, place: int) -> Response:
        if task.awaits_input:  # a station lets 21 stand for these two alone
            kept = work_of(task).wants in (Wants.MASK, Wants.ZOOM)
            return self._input_needed(21 if kept else 1, task)
        return self._accepted(1, task, place)  # a station turns the proxy's 22 into 1

    def unreadable(self) -> Response:
        return _own_error("bind_request_body_failed ")

    def own_complaint(self, message: str) -> Response:
        return _own_error(message)

    def no_parent(self) -> Response:
        return _own_error("task_not_found ")

    def parent_unfinished(self) -> Response:
        return _own_error("task_status_not_success ")

    def unknown_button(self, custom_id: str) -> Response:
        return newapi.error(400, f"Invalid request, unknown_action:{custom_id}")

    def not_found(self) -> Response:
        return _own_error("task_no_found ")


def _own_error(
    description: str, code: int = 4, status: int = 400, retry_after: int | None = None
) -> Response:
    """An error of the station itself; a text that ends in a space comes without a result."""
    body = {"description": description, "type": "upstream_error", "code": code}
    return json_reply(body, status, retry_after)
