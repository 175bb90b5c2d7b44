"""OpenAI's form, as relays speak it, and Chat Open's own.

Neither carries a reference of the caller's, so the ledger knows each submit by its own id. The
response holds the result; `[slow=S]` delays it.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast
from uuid import uuid4

from starlette.responses import Response
from starlette.routing import BaseRoute

from ops.sandbox.dialect import ProtocolRenderer
from ops.sandbox.handlers import ProtocolHandlers, SubmitCall
from ops.sandbox.protocols.openai_renderers import ChatOpenRenderer, OpenAIRelayRenderer
from ops.sandbox.replies import text_of
from ops.sandbox.routes import SandboxRoute
from ops.sandbox.station import SandboxStation
from ops.sandbox.tasks import ProviderProfile, SandboxTask, TaskSubmission, View

#: Models that draw in a chat, by their names. The second kind draws only if the text asks for it.
_DRAWS = re.compile(r"-image|_image|sora", re.IGNORECASE)
_DRAWS_IF_ASKED = re.compile(r"-all\b|-gizmo-", re.IGNORECASE)
_ORDERS_A_PICTURE = re.compile(r"画|draw|paint|picture of", re.IGNORECASE)
_ADDRESS = re.compile(r"https?://\S+")

Body = Mapping[str, Any]


def callback_body(task: SandboxTask, seen: View) -> Mapping[str, object]:
    """There are no callbacks in these protocols."""
    return {"id": task.id, "status": seen.phase}


PROFILE = ProviderProfile(
    provider="openai",
    typical_seconds={"chat": 10.0, "image_by_chat": 60.0, "image": 20.0},
    queues=False,
    unique_references=False,
    asset_life_seconds=3600.0,
    callback_body=callback_body,
)


def routes(station: SandboxStation) -> Sequence[BaseRoute]:
    """Every route of both."""
    relay = OpenAIHandlers(station, OpenAIRelayRenderer(station), PROFILE)
    chatopen = OpenAIHandlers(station, ChatOpenRenderer(station), PROFILE)
    root = "/AIGCChatOpenServ/saas/{model}"
    return [
        relay.form_route("/v1/chat/completions", conversation),
        relay.form_route("/v1/images/generations", picture),
        chatopen.form_route(f"{root}/text/v3", chatopen_conversation),
        chatopen.form_route(f"{root}/image/generation", picture),
    ]


class OpenAIHandlers(ProtocolHandlers[ProtocolRenderer]):
    """The handlers of one renderer."""

    not_an_object = "the body is no JSON object"

    def form_route(self, path: str, parse: "Callable[[Body], OpenAISubmit | str]") -> SandboxRoute:
        """The route that takes one form of submit; `parse` returns it, or the first error."""

        def read(call: SubmitCall) -> TaskSubmission | Response:
            submit = parse({**call.body, **call.request.path_params})
            if isinstance(submit, str):
                return self.renderer.invalid(submit)
            task_id = f"chatcmpl-{uuid4().hex}"
            return self.submission(call.request, call.account, *submit, task_id=task_id)

        return self.submit_route(path, read)


#: The operation, the prompt, and the details that the renderer needs.
OpenAISubmit = tuple[str, str, Body]


def conversation(body: Body) -> OpenAISubmit | str:
    """The submit in a chat's body, or its first error."""
    return _conversation(body, "image_url")


def chatopen_conversation(body: Body) -> OpenAISubmit | str:
    """The same with Chat Open's name for a picture's part; its chats do not draw."""
    read = _conversation(body, "imageUrl")
    return read if isinstance(read, str) else ("chat", *read[1:])


def picture(body: Body) -> OpenAISubmit | str:
    """The submit in an image request's body, or its first error."""
    prompt, model = text_of(dict(body), "prompt"), text_of(dict(body), "model")
    if not prompt or not model:
        return "prompt and model are required"
    if model.startswith("gpt-image") and "response_format" in body:
        return "Unknown parameter: 'response_format'."
    return "image", prompt, {"model": model}


def _conversation(body: Body, picture_part: str) -> OpenAISubmit | str:
    model = text_of(dict(body), "model")
    messages = _mappings(body.get("messages"))
    if not model or not messages:
        return "model and messages are required"
    content = messages[-1].get("content")
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else _mappings(content)
    if strange := {str(part.get("type")) for part in parts} - {"text", "file", picture_part}:
        return f"messages: {strange.pop()} is no part of a message here"
    prompt = " ".join(text_of(dict(part), "text") for part in parts)
    shown = sum(part.get("type") == picture_part for part in parts)
    asked = _DRAWS_IF_ASKED.search(model) and _ORDERS_A_PICTURE.search(prompt)
    drawn = bool(_DRAWS.search(model) or asked)
    details = {
        "model": model,
        "stream": body.get("stream") is True,
        "pictures": shown + len(_ADDRESS.findall(prompt)),
        "calls": _called(body),
    }
    return ("image_by_chat" if drawn else "chat"), prompt, details


def _called(body: Body) -> str:
    """The function that must be called; "" if the model may answer with text."""
    tools = _mappings(body.get("tools"))
    if not tools or body.get("tool_choice") in (None, "auto", "none"):
        return ""
    function = _mappings([tools[0].get("function")])
    return text_of(function[0], "name") if function else ""


def _mappings(value: object) -> list[dict[str, Any]]:
    entries = cast("list[Any]", value) if isinstance(value, list) else []
    return [cast("dict[str, Any]", entry) for entry in entries if isinstance(entry, dict)]
