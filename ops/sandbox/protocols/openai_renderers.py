"""The renderers of OpenAI's form and of Chat Open: the response to a submit holds the result."""

import json
from collections.abc import Mapping
from typing import Any, cast

from starlette.datastructures import Headers
from starlette.responses import Response

from ops.sandbox.dialect import Refusal
from ops.sandbox.knobs import Knob
from ops.sandbox.links import plain_url
from ops.sandbox.protocols.authentication import KeyAuthentication
from ops.sandbox.protocols.openai_form_renderer import MODERATED, OpenAIFormRenderer
from ops.sandbox.replies import json_reply
from ops.sandbox.station import SandboxStation
from ops.sandbox.tasks import Phase, SandboxTask

SIDE = 64
#: Characters of a response in one chunk of a stream.
PIECE = 12
#: `code` and message of Chat Open's refusals.
_CHATOPEN_REFUSALS = {
    Refusal.AUTH: ("401", "accessKey 校验失败"),
    Refusal.NO_CREDIT: ("402", "账户余额不足"),
    Refusal.THROTTLED: ("429", "请求过于频繁"),
    Refusal.QUEUE_FULL: ("429", "并发数超过限制"),
    Refusal.MODERATED: ("400", MODERATED),
}


def answer_of(task: SandboxTask) -> str:
    """The text of a chat model: the number of pictures, and the prompt."""
    if task.submission.knobs.has(Knob.NO_URL):
        return ""
    pictures = task.submission.details["pictures"]
    return f"{pictures} picture(s) seen. You said: {task.submission.prompt}"


def file_url(task: SandboxTask) -> str:
    """The URL of the task's picture; "" without one."""
    return "" if task.submission.knobs.has(Knob.NO_URL) else plain_url(task, "drawn.png")


def report_of(task: SandboxTask, phase: Phase) -> str:
    """The text of a relay that draws in a chat."""
    echo = json.dumps({"prompt": task.submission.prompt, "size": "1024x1024"}, ensure_ascii=False)
    head = f"{echo}\n\n> 排队中..\n\n> 生成中...\n\n> 进度 **100%**\n\n"
    if phase is Phase.MODERATED:
        return head + "> 生成失败 ❌\n> 失败原因: input_moderation"
    if phase is Phase.FAILED:
        return head + f"> 生成失败 ❌\n> 失败原因: {task.failure}"
    url = file_url(task)
    if not url:
        return head + "> 生成完成 ✅"
    download = plain_url(task, "cdn/download/drawn.png")
    return f"{head}![{task.id}]({url})\n\n[下载⏬]({download})\n\n> 生成完成 ✅"


class OpenAIRelayRenderer(OpenAIFormRenderer):
    """A station of OpenAI's form."""

    def __init__(self, station: SandboxStation) -> None:
        self._station = station

    def accepted(self, task: SandboxTask, place: int) -> Response:
        self._station.end(task)
        phase = self._station.view(task).phase
        match task.submission.operation:
            case "image":
                return self._pictures(task, phase)
            case "image_by_chat":
                return self._completion(task, {"content": report_of(task, phase)}, "stop")
            case _ if phase is Phase.FAILED:
                return _failure(task)
            case _ if phase is Phase.MODERATED:
                return self._completion(task, {"content": ""}, "content_filter")
            case _:
                return self._words(task)

    def accepted_without_id(self) -> Response:
        return json_reply({})

    def _words(self, task: SandboxTask) -> Response:
        called = task.submission.details["calls"]
        if not called:
            return self._completion(task, {"content": answer_of(task)}, "stop")
        function = {"name": called, "arguments": "{}"}
        call = {"index": 0, "id": f"call_{task.id}", "type": "function", "function": function}
        return self._completion(task, {"content": None, "tool_calls": [call]}, "tool_calls")

    def _pictures(self, task: SandboxTask, phase: Phase) -> Response:
        if phase is Phase.FAILED:
            return _failure(task)
        drawn = [] if phase is Phase.MODERATED else [{"url": file_url(task)}]
        return json_reply({"created": int(task.created_at), "data": drawn})

    def _completion(self, task: SandboxTask, message: Mapping[str, Any], reason: str) -> Response:
        head = {"id": task.id, "model": task.submission.details["model"]}
        head["created"] = int(task.created_at)
        tokens = len(task.submission.prompt)
        usage = {"prompt_tokens": tokens, "completion_tokens": tokens, "total_tokens": 2 * tokens}
        if task.submission.details["stream"]:
            return _stream(head, message, reason, usage)
        choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": reason}
        kind = {"object": "chat.completion"}
        return json_reply(head | kind | {"choices": [choice], "usage": usage})


class ChatOpenRenderer(KeyAuthentication):
    """Chat Open's envelope: `code` is a string, and "200" is a success."""

    def __init__(self, station: SandboxStation) -> None:
        self._station = station

    def key_of(self, headers: Headers) -> str:
        secret = headers.get("x-request-req-accesskeysecret", "")
        return headers.get("x-request-req-accesskeyid", "") if secret else ""

    def refusal(self, refusal: Refusal, prompt: str = "") -> Response:
        retry_after = 1 if refusal is Refusal.THROTTLED else None
        code, message = _CHATOPEN_REFUSALS.get(refusal, ("400", "参数错误"))
        return _envelope(code, message, retry_after=retry_after)

    def invalid(self, message: str) -> Response:
        return _envelope("400", message)

    def accepted(self, task: SandboxTask, place: int) -> Response:
        self._station.end(task)
        match self._station.view(task).phase:
            case Phase.MODERATED:
                return self.refusal(Refusal.MODERATED)
            case Phase.FAILED:
                return _envelope("500", task.failure)
            case _ if task.submission.operation == "image":
                picture = {"url": file_url(task), "width": SIDE, "height": SIDE}
                return _envelope("200", "success", {"imageList": [picture]})
            case _:
                return _envelope("200", "success", {"answer": answer_of(task)})

    def accepted_without_id(self) -> Response:
        return _envelope("200", "success")

    def found(self, task: SandboxTask, view: object) -> Response:
        return self.not_found()

    def several(self, seen: list[Any]) -> Response:
        return self.not_found()

    def not_found(self) -> Response:
        return _envelope("404", "there are no tasks here")


def _failure(task: SandboxTask) -> Response:
    body = {"message": task.failure, "type": "upstream_error", "code": "upstream_failed"}
    return json_reply({"error": body})


def _envelope(
    code: str, words: str, data: object = None, retry_after: int | None = None
) -> Response:
    return json_reply({"code": code, "msg": words, "data": data}, 200, retry_after)


def _stream(
    head: Mapping[str, Any], message: Mapping[str, Any], reason: str, usage: Mapping[str, int]
) -> Response:
    """The response in chunks, with a keep-alive comment between them."""
    text = cast("str | None", message["content"]) or ""
    pieces: list[Mapping[str, Any]] = [{"role": "assistant", "content": ""}]
    pieces += [{"content": text[at : at + PIECE]} for at in range(0, len(text), PIECE)]
    pieces += [{name: said} for name, said in message.items() if name != "content"]
    chunks = [_chunk(head, piece, None) for piece in pieces]
    lines = [*chunks[:1], ": keep-alive\n\n", *chunks[1:], _chunk(head, {}, reason)]
    lines += [_line({**head, "choices": [], "usage": usage}), "data: [DONE]\n\n"]
    return Response("".join(lines), media_type="text/event-stream")


def _chunk(head: Mapping[str, Any], delta: Mapping[str, Any], reason: str | None) -> str:
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    return _line({**head, "object": "chat.completion.chunk", "choices": [choice]})


def _line(chunk: Mapping[str, Any]) -> str:
    return f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n"
