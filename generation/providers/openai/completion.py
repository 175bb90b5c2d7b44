"""What a model said: the choices of an answer, wherever an envelope has put them."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from generation.providers.kit import json_reader as wire
from generation.providers.kit import moderation
from generation.providers.openai.complaints import is_success
from generation.providers.openai.pictures import FILE, is_file_entry

#: Where Chat Open's envelope may hold the answer's text. Its documentation shows an empty answer,
#: so these are the places its other endpoints use, in the order in which they are tried.
CHATOPEN_TEXTS = ("answer", "content", "text", "message")

#: Chat Open's word for success, or none at all; every other code means that `data` is no answer.
_CHATOPEN_SUCCESS = frozenset({"", "200"})


#: Kinds of parts that are no part of the answer.
_ASIDE = re.compile(r"refusal|thinking|reasoning|tool", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Said:
    """One answer of a model."""

    text: str = ""
    #: What the model says instead, where the service keeps that apart.
    refusal: str = ""
    #: Pictures beside the text: addresses, or files as data URIs.
    pictures: tuple[str, ...] = ()
    #: Whether a sound came with it, as a file.
    sound: bool = False
    #: Parts of a kind that is not known here, by what they call themselves.
    unread: tuple[str, ...] = ()
    #: In OpenAI's form, so that a caller can quote them in a further message.
    tool_calls: tuple[Mapping[str, Any], ...] = ()
    finish_reason: str = ""

    @property
    def called(self) -> str:
        """The calls as text."""
        return json.dumps(self.tool_calls, ensure_ascii=False) if self.tool_calls else ""

    @property
    def is_empty(self) -> bool:
        holds = self.pictures or self.tool_calls or self.sound or self.unread
        return not (self.text.strip() or self.refusal or holds)


def said_in(document: Mapping[str, Any], *, chatopen: bool) -> tuple[Said, ...]:
    """Every answer in a document, none where it is no answer.

    `chatopen` says whether an envelope that holds plain text is one too.
    """
    code = document.get("code")
    good = wire.text(code) in _CHATOPEN_SUCCESS if chatopen else is_success(code)
    data = document.get("data") if good else None
    inner = wire.mapping(data)
    for layer in (document, inner):
        if found := tuple(map(_choice, wire.one_or_more(layer.get("choices")))):
            return found
    return tuple(_enveloped(data, inner)) if chatopen else ()


def _choice(choice: Mapping[str, Any]) -> Said:
    message = wire.mapping(choice.get("message")) or wire.mapping(choice.get("delta"))
    content = message.get("content")
    audio = wire.mapping(message.get("audio"))
    parts = [*_listed(content), *wire.sequence(message.get("images"))]
    return Said(
        text=_text(content) or _string(choice.get("text")) or _string(audio.get("transcript")),
        refusal=_string(message.get("refusal")).strip(),
        pictures=tuple(_pictures(parts)),
        sound=bool(_string(audio.get("data"))),
        unread=tuple(_unread(parts)),
        tool_calls=tuple(_calls(message)),
        finish_reason=_finish_reason(choice)[:60],
    )


def _finish_reason(choice: Mapping[str, Any]) -> str:
    """Why the answer ended; the vendor's own word where only that speaks of moderation."""
    native = wire.text(choice.get("native_finish_reason"))
    return native if moderation.is_code(native) else wire.text(choice.get("finish_reason"))


def _enveloped(data: Any, inner: Mapping[str, Any]) -> Iterator[Said]:
    """Chat Open: `data.answer` and its like, or `data` itself."""
    candidates = [_string(data), *(_spoken(inner.get(name)) for name in CHATOPEN_TEXTS)]
    if text := next(filter(str.strip, candidates), ""):
        yield Said(text=text, finish_reason=wire.text(inner.get("finishReason"))[:60])


def _spoken(value: Any) -> str:
    """A text, or the text of a message."""
    return _text(wire.mapping(value).get("content")) or _text(value)


def _text(content: Any) -> str:
    """A message's text, whole or in parts."""
    if isinstance(content, str):
        return content
    parts = (_string(wire.mapping(part).get("text")) or _string(part) for part in _listed(content))
    return "".join(parts)


def _listed(content: Any) -> list[Any]:
    return wire.sequence(content) if isinstance(content, list) else []


def _string(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _pictures(parts: Any) -> Iterator[str]:
    """Addresses in `{image_url: {url}}` and in what looks like it; files as data URIs."""
    for part in wire.one_or_more(parts):
        if address := _address(part):
            yield address.strip()
        elif is_file_entry(part):
            yield FILE


def _address(part: Mapping[str, Any]) -> str:
    places = (part.get(name) for name in ("image_url", "imageUrl", "url"))
    found = (_string(wire.mapping(place).get("url")) or _string(place) for place in places)
    return next(filter(None, found), "")


def _unread(parts: Any) -> Iterator[str]:
    """The kinds of those parts that are neither words nor pictures."""
    for part in wire.one_or_more(parts):
        kind = wire.text(part.get("type"))[:60] or "unnamed"
        read = isinstance(part.get("text"), str) or _address(part) or is_file_entry(part)
        if not read and not _ASIDE.search(kind):
            yield kind


def _calls(message: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Calls of tools, and the one that the form before it calls a function."""
    for call in wire.one_or_more(message.get("tool_calls")):
        if found := _function(wire.mapping(call.get("function"))):
            yield {"id": wire.text(call.get("id"))[:200], "type": "function", "function": found}
    if found := _function(wire.mapping(message.get("function_call"))):
        yield {"id": "", "type": "function", "function": found}


def _function(function: Mapping[str, Any]) -> Mapping[str, str] | None:
    name = wire.text(function.get("name"))
    arguments = function.get("arguments")
    if isinstance(arguments, dict):
        arguments = json.dumps(arguments, ensure_ascii=False, default=str)
    return {"name": name, "arguments": _string(arguments)} if name else None
