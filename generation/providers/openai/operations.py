"""OpenAI's orders, in its own form and in Chat Open's.

`openai.relay` is any station of OpenAI's form, and OpenAI itself. `openai.chatopen` is Chat Open,
whose answer to a conversation is documented as empty: how it is read is inferred from its other
endpoints.

The upstream answers the submit with the result, minutes later. There is no task: an answer that got
lost leaves the job in doubt, and nobody can be asked for it.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar
from urllib.parse import quote

from generation.contract.call import Call
from generation.contract.errors import ErrorCode, Rejected, UnrecognizedReply
from generation.contract.operation import Operation, Order, Task
from generation.contract.reply import Reply
from generation.contract.request import Request
from generation.contract.status import Failed, Status, Succeeded
from generation.polling.pace import Pace, UsualDurations
from generation.providers.openai import bodies, reply
from generation.providers.openai.chat_models import Chat, ImageByChat
from generation.providers.openai.picture_models import ChatOpenPicture, Picture

RELAY, CHATOPEN = "openai.relay", "openai.chatopen"

#: The longest that an answer in words is waited for, and one with a picture.
TALKING, DRAWING = timedelta(minutes=5), timedelta(minutes=10)

R = TypeVar("R", bound=Request)


class OpenAIOperation(Operation[R]):
    """One order in one dialect: a call, and what its answer brings."""

    provider = "openai"

    def __init__(
        self,
        dialect: str,
        name: str,
        summary: str,
        *,
        request: type[R],
        call: Callable[[R], Call],
        read: Callable[[Reply], Succeeded | Failed],
        typical_seconds: float,
        patience: timedelta,
        example: Mapping[str, Any],
    ) -> None:
        self.dialect = dialect
        self.name = name
        self.summary = summary
        self.request = request
        self.example = example
        self.pace = _pace(timedelta(seconds=typical_seconds), patience)
        self.submit_timeout = patience
        self.built_to_check = dialect == CHATOPEN
        self._call = call
        self._read = read

    def build_submit(self, request: R, order: Order) -> Call:
        del order  # the form has no place for a reference of ours
        return self._call(request)

    def parse_submit(self, reply: Reply) -> Succeeded | Failed:
        return self._read(reply)

    def build_query(self, task: Task) -> Call:
        raise Rejected(
            f"{self.dialect} has no tasks, so nothing can be asked about {task.upstream_id}",
            code=ErrorCode.UNSUPPORTED,
        )

    def parse_query(self, reply: Reply) -> Status:
        raise UnrecognizedReply(f"{self.dialect} has no tasks: {reply.excerpt()}")


def _pace(typical: timedelta, patience: timedelta) -> Pace:
    """Nobody looks here; what counts is the deadline, which leaves time to wait for one's turn."""
    durations = UsualDurations(early=typical * 0.5, typical=typical, late=typical * 4)
    return Pace(durations, deadline=patience * 3)


def _chat_completions(request: Chat | ImageByChat) -> Call:
    return Call("POST", "/v1/chat/completions", bodies.conversation(request))


def _images_generations(request: Picture) -> Call:
    return Call("POST", "/v1/images/generations", bodies.picture(request))


def _chatopen_text(request: Chat) -> Call:
    return Call("POST", _chatopen(request, "text/v3"), bodies.chatopen_conversation(request))


def _chatopen_image(request: ChatOpenPicture) -> Call:
    return Call("POST", _chatopen(request, "image/generation"), bodies.chatopen_picture(request))


def _chatopen(request: Chat | ChatOpenPicture, path: str) -> str:
    """Chat Open has the model in the path."""
    return f"/{quote(request.model, safe='')}/{path}"


_PHOTO = "https://images.example.com/harbour.jpg"
_QUESTION = {"prompt": "What is in this picture?", "images": [_PHOTO]}

OPERATIONS: tuple[OpenAIOperation[Any], ...] = (
    OpenAIOperation(
        RELAY,
        "chat",
        "Ask a model a question, about pictures too.",
        request=Chat,
        call=_chat_completions,
        read=partial(reply.chat, chatopen=False),
        patience=TALKING,
        typical_seconds=10,
        example={"model": "gpt-4o", **_QUESTION},
    ),
    OpenAIOperation(
        CHATOPEN,
        "chat",
        "Ask a model a question, about pictures too.",
        request=Chat,
        call=_chatopen_text,
        read=partial(reply.chat, chatopen=True),
        patience=TALKING,
        typical_seconds=10,
        example={"model": "gpt-4o", **_QUESTION},
    ),
    OpenAIOperation(
        RELAY,
        "image_by_chat",
        "A picture from a model that draws within a chat.",
        request=ImageByChat,
        call=_chat_completions,
        read=reply.drawing,
        patience=DRAWING,
        typical_seconds=60,
        example={"model": "gpt-4-all", "prompt": "画一只猫"},
    ),
    OpenAIOperation(
        RELAY,
        "image",
        "A picture from words, by DALL·E and other models.",
        request=Picture,
        call=_images_generations,
        read=reply.pictures,
        patience=DRAWING,
        typical_seconds=20,
        example={"model": "dall-e-3", "prompt": "A lighthouse at dusk", "size": "1024x1024"},
    ),
    OpenAIOperation(
        CHATOPEN,
        "image",
        "A picture from words, or from pictures with words, by Gemini.",
        request=ChatOpenPicture,
        call=_chatopen_image,
        read=reply.pictures,
        patience=DRAWING,
        typical_seconds=30,
        example={"prompt": "A lighthouse at dusk", "aspect_ratio": "16:9", "resolution": "1K"},
    ),
)
