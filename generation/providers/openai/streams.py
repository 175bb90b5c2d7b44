"""The pieces of a streamed answer, put together as if it had come whole."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from generation.providers.kit import json_reader as wire

#: The finish reason, in our own word, of an answer whose stream stopped without an end.
UNFINISHED = "unfinished"

#: Facts about the whole answer that pieces repeat.
_FACTS = ("id", "model", "created", "usage", "size", "quality", "background", "output_format")


@dataclass
class _Choice:
    """One answer, growing."""

    content: list[str] = field(default_factory=list[str])
    refusal: list[str] = field(default_factory=list[str])
    images: list[Any] = field(default_factory=list[Any])
    #: The words of a sound, and whether the sound itself came.
    transcript: list[str] = field(default_factory=list[str])
    sound: str = ""
    #: By their number, which every piece of a call repeats.
    calls: dict[int, dict[str, Any]] = field(default_factory=dict[int, dict[str, Any]])
    finish_reason: Any = None
    native_reason: Any = None

    def grow(self, piece: Mapping[str, Any]) -> None:
        delta = wire.mapping(piece.get("delta"))
        if not delta and (delta := wire.mapping(piece.get("message"))):
            self.content, self.images, self.calls = [], [], {}  # a message is the whole of it
        content = delta.get("content")
        if isinstance(content, str):
            self.content.append(content)
        for part in wire.one_or_more(content):
            self._part(part)
        if isinstance(refusal := delta.get("refusal"), str):
            self.refusal.append(refusal)
        self.images += wire.sequence(delta.get("images"))
        audio = wire.mapping(delta.get("audio"))
        self.sound = wire.text(audio.get("data"))[:1] or self.sound
        if isinstance(words := audio.get("transcript"), str):
            self.transcript.append(words)
        for at, call in enumerate(wire.one_or_more(delta.get("tool_calls"))):
            self._call(call, at)
        self.finish_reason = piece.get("finish_reason") or self.finish_reason
        self.native_reason = piece.get("native_finish_reason") or self.native_reason

    def _part(self, part: Mapping[str, Any]) -> None:
        if isinstance(text := part.get("text"), str):
            self.content.append(text)
        else:
            self.images.append(part)

    def _call(self, piece: Mapping[str, Any], at: int) -> None:
        number = wire.count(piece.get("index"))
        call = self.calls.setdefault(at if number is None else number, {"arguments": ""})
        function = wire.mapping(piece.get("function"))
        call["id"] = wire.text(piece.get("id")) or call.get("id", "")
        call["name"] = wire.text(function.get("name")) or call.get("name", "")
        if isinstance(arguments := function.get("arguments"), str):
            call["arguments"] += arguments

    def whole(self, *, ended: bool) -> dict[str, Any]:
        calls = [
            {
                "id": call["id"],
                "type": "function",
                "function": {"name": call["name"], "arguments": call["arguments"]},
            }
            for call in self.calls.values()
        ]
        message = {
            "content": "".join(self.content),
            "refusal": "".join(self.refusal),
            "images": self.images,
            "audio": {"data": self.sound, "transcript": "".join(self.transcript)},
            "tool_calls": calls,
        }
        reason = self.finish_reason or ("" if ended else UNFINISHED)
        return {
            "message": message,
            "finish_reason": reason,
            "native_finish_reason": self.native_reason,
        }


def joined(pieces: Iterable[Mapping[str, Any]], *, ended: bool) -> Mapping[str, Any]:
    """Return the one answer that these pieces make.

    They are OpenAI's chunks, its events about pictures, or Chat Open's envelopes. An error among
    them stays in it, beside what came before. A piece of any other shape counts as the whole
    answer; the last one wins. `ended` says that the stream itself announced its end.
    """
    whole: dict[str, Any] = {}
    choices: dict[int, _Choice] = {}
    answer: list[str] = []
    pictures: list[Mapping[str, Any]] = []
    for piece in pieces:
        whole |= {name: value for name in _FACTS if (value := piece.get(name)) is not None}
        said = wire.mapping(piece.get("data")).get("answer")
        if "choices" in piece:
            for choice in wire.one_or_more(piece["choices"]):
                choices.setdefault(wire.count(choice.get("index")) or 0, _Choice()).grow(choice)
        elif isinstance(said, str):
            answer.append(said)
        elif wire.text(piece.get("type")).endswith(".completed"):
            pictures.append(piece)
        elif not wire.text(piece.get("type")).endswith(".partial_image"):
            whole |= piece
    if choices:
        whole["choices"] = [choices[n].whole(ended=ended) for n in sorted(choices)]
    if answer:
        whole["data"] = {"answer": "".join(answer)}
    if pictures:
        whole["data"] = pictures
    return whole
